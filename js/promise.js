// Promises: what a service says of its channels. Whoever publishes relies on
// it, so it is asked of a service that was found by its address alone: by the
// first event, and again over a new connection, where another may answer.
import { Failure, isObject, local } from './error.js';
import { Pattern, isName } from './name.js';

const MOST_KNOWN = 4096;
/** MOST_WAITING bounds the bytes of events that wait for the service's word. */
const MOST_WAITING = 8 << 20;
const EVENT_COST = 256;

export class Promises {
  #link;
  #said; // { connection, channels } of a service without a manifest
  #waiting = []; // { event, then } in the order in which they were published
  #bytes = 0;
  #known = new Map(); // by event

  constructor(link) { this.#link = link; }

  /** forget is called when the manifest is another one. */
  forget() { this.#known.clear(); }

  /** keeps says whether the channel of an event keeps it; undefined where the
      service has to be asked. */
  keeps(event) {
    const channels = this.#channels();
    if (channels === undefined) return undefined;
    let kept = this.#known.get(event);
    if (kept === undefined) {
      kept = isKept(channelOf(channels, event));
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(event, kept);
    }
    return kept;
  }

  #channels() {
    const { manifest, connection } = this.#link;
    if (manifest !== undefined) return manifest.channels ?? NONE;
    return connection !== undefined && this.#said?.connection === connection ? this.#said.channels : undefined;
  }

  /** ask asks the service, and calls then(failure, kept) when it has answered:
      for each event in the order of the asking. */
  ask(event, bytes, then) {
    const cost = Math.max(bytes, EVENT_COST);
    if (this.#waiting.length > 0 && this.#bytes + cost > MOST_WAITING) {
      return then(local('QUEUE_FULL', `${this.#link.name} has not said yet what it keeps: what is published is dropped while ${MOST_WAITING} bytes wait`, { executed: 'no' }));
    }
    this.#bytes += cost;
    if (this.#waiting.push({ event, then }) === 1) this.#ask();
  }

  async #ask() {
    const link = this.#link;
    const call = link.call(link.route('ipc.describe'), []);
    let outcome = await call.send();
    if (outcome instanceof Failure) outcome = await link.failed(call, outcome);
    const silent = outcome instanceof Failure && (outcome.retryable || NOBODY.has(outcome.code));
    const channels = isObject(outcome) && isObject(outcome.channels) ? outcome.channels : NONE;
    if (!silent) {
      this.#said = { connection: link.connection, channels };
      this.#known.clear();
    } else if (outcome.executed !== 'no') {
      // It is about an event, which was not sent.
      outcome = new Failure(outcome.code, outcome.message, { ...outcome.details, executed: 'no' }, outcome.cause);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const { event, then } of waiting) silent ? then(outcome) : then(undefined, isKept(channelOf(channels, event)));
  }

  /** isQueue says whether a name is that of a queue, as far as it is known. */
  isQueue(name) {
    const channels = this.#link.manifest?.channels ?? NONE;
    return Object.hasOwn(channels, name) && channels[name]?.type === 'queue';
  }
}
const NONE = Object.freeze({});

// NOBODY are the codes that mean that nobody has answered. With others a
// service does not describe itself, and promises nothing.
const NOBODY = new Set(['CONNECTION_LOST', 'DEADLINE_EXCEEDED']);

const isKept = (channel) => Boolean(channel?.persistent || channel?.retention || channel?.type === 'queue');

// channelOf returns the channel that carries an event: that of its name, else
// the first one by name that has it among its events.
function channelOf(channels, event) {
  if (Object.hasOwn(channels, event)) return channels[event];
  for (const name of Object.keys(channels).sort()) {
    const events = channels[name]?.events;
    if (Array.isArray(events) && events.some((pattern) => matches(pattern, event))) return channels[name];
  }
  return undefined;
}

// What a service says of itself may be anything.
function matches(pattern, event) {
  if (pattern === event) return true;
  if (isName(pattern)) return false;
  try {
    return new Pattern(pattern).matches(event);
  } catch {
    return false;
  }
}
