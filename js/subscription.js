// Subscriptions: what a service is asked for, where each stands in the streams
// that it hears, and what it has lost.
import { byteLength } from './bytes.js';
import { Call } from './call.js';
import { Failure, IpcError, checkSignal, isObject, local, warn, whenAborted } from './error.js';
import { ReceivedEvent } from './event.js';
import { dataBytes } from './frame.js';
import { gapBefore, lostIn, noteGap, takeGap } from './gap.js';
import { nextId, timestamp } from './id.js';
import { Pattern } from './name.js';
import { isPlace, wishOf } from './options.js';
import { Progress } from './progress.js';

/** EVENT_COST is what the smallest event takes of a window. */
const EVENT_COST = 256;
/** MOST_STARTS is how many streams a service tells the start of. */
const MOST_STARTS = 1000;
const SUBSCRIBE_TIMEOUT = 10_000;

let lastID = 0;

export class Subscription {
  pattern;
  /** grouped says that its events are to be acknowledged. */
  grouped;
  /** agreed says that the service has taken it, once: it is brought back. */
  agreed = false;
  ended = false;

  #link;
  #sink;
  #options;
  #window;
  #connection; // that it is on, or was last
  #id; // at the service; undefined while it has no place there
  #separate; // the id that its events carry
  #progress = new Progress();
  #gaps = new Map(); // by stream: what was lost before the next event
  #owed = 0; // bytes read that the service has not been told of
  #handling = 0; // listeners that are at an event which they are to acknowledge
  #held = false; // the connection is, for it
  #forget = () => {};

  // sink takes what comes: event(event, cost), lost(count) and end(failure,
  // aborted). limits say how much may wait for it: events and bytes.
  constructor(link, pattern, options, sink, limits) {
    this.pattern = new Pattern(pattern);
    this.#options = wishOf(options);
    checkSignal(options.signal);
    this.#link = link;
    this.#sink = sink;
    this.#window = Math.max(Math.min(limits.bytes >> 1, (limits.events >> 1) * EVENT_COST), EVENT_COST);
    this.grouped = options.group !== undefined || options.durable !== undefined || link.isQueue(this.pattern.name);
    const { signal } = options;
    if (signal?.aborted) {
      this.ended = true;
      return;
    }
    if (signal !== undefined) this.#forget = whenAborted(signal, () => this.finish(signal.reason, true));
    link.join(this);
  }

  get link() { return this.#link; }
  /** wish is what is asked of the service, as the protocol has it. */
  get wish() { return this.#options; }

  /** gone says that it had a place at the service and wants one again. */
  get gone() { return this.agreed && this.#id === undefined && !this.ended && this.#entering === undefined; }
  #entering;

  /** enrol subscribes on a connection. It is fulfilled with a Failure, or
      undefined when the service has agreed. */
  enrol(connection, again) {
    const wish = { ...this.#options };
    const plain = !this.grouped && Object.keys(wish).length === (wish.onSlow === undefined ? 0 : 1);
    const stood = this.#progress.now();
    if (again && !this.grouped) {
      // A name that means something to the language is a stream's name, too.
      const streams = Object.create(null);
      for (const [stream, { epoch, seq }] of stood) streams[stream] = { epoch, seq: seq + 1 };
      wish.from = { streams };
    }
    // Of a service without a manifest a name may be that of a queue, whose
    // events come with an id only.
    const unknown = this.#link.manifest === undefined && this.pattern.literal;
    this.#separate = undefined;
    if (again || unknown || !plain) {
      this.#separate = wish.subscription = `c${(++lastID).toString(36)}`;
      if (plain) wish.plain = true; // it shares the events of the others when it has caught up
      if (!this.grouped) wish.window = this.#window;
      connection.separate.set(this.#separate, this);
    }
    this.#owed = 0;
    this.#connection = connection;
    const call = new Call(this.#link, {
      name: `subscribing to ${this.pattern.name}`,
      open: '{"type":"subscribe","messageId":"',
      head: `","channel":${JSON.stringify(`${this.pattern.name.startsWith('ipc.') ? '' : 'events.'}${this.pattern.name}`)}`,
      more: '',
    }, Object.keys(wish).length === 0 ? '' : JSON.stringify(wish), SUBSCRIBE_TIMEOUT, '}');
    return this.#entering = new Promise((resolve) => {
      // The answer is dealt with before the events behind it are.
      call.resolve = (outcome) => {
        this.#entering = undefined;
        if (!(outcome instanceof Failure)) {
          if (isObject(outcome) && typeof outcome.subscription === 'string') {
            this.#entered(connection, outcome, stood);
            return resolve(undefined);
          }
          outcome = local('PROTOCOL_ERROR', `${this.#link.name} did not say what the subscription is called`, { executed: 'maybe' });
        }
        if (this.#separate !== undefined) connection.separate.delete(this.#separate);
        resolve(outcome);
      };
      this.#link.begin(call, connection);
    });
  }

  #entered(connection, answer, stood) {
    this.agreed = true;
    if (typeof answer.group === 'string') this.grouped = true;
    const id = answer.subscription;
    if (this.#separate !== undefined && id !== this.#separate) {
      // A service that does not let its clients choose: events carry its id, or none.
      connection.separate.delete(this.#separate);
      this.#separate = undefined;
      connection.separate.set(id, this);
      connection.plain.add(this);
    } else if (this.#separate === undefined) {
      connection.plain.add(this);
    }
    connection.reroute();
    if (connection.closed) return;
    this.#id = id;
    if (this.ended) return this.#depart();
    connection.placed.set(id, this);
    this.#hold();
    this.#begin(answer, stood);
  }

  // begin compares where it begins with where it stood. What is told is told
  // once, also if the next connection is lost before anything comes by this one.
  #begin(answer, stood) {
    const starts = this.#startsOf(answer);
    if (!this.pattern.literal && starts.size < MOST_STARTS && isPlace(answer.from)) {
      for (const stream of stood.keys()) if (!starts.has(stream)) starts.set(stream, answer.from);
    }
    for (const [stream, start] of starts) {
      const last = stood.get(stream);
      const gap = last === undefined || this.grouped ? undefined : gapBefore(start, last);
      if (gap !== undefined) this.#missed(stream, gap);
    }
    this.#progress.skip(starts);
  }

  // startsOf is where its events begin, by stream.
  #startsOf({ channels, stream, from }) {
    const starts = new Map(Object.entries(isObject(channels) ? channels : {}).filter(([, start]) => isPlace(start)));
    if (this.pattern.literal && isPlace(from)) starts.set(typeof stream === 'string' ? stream : this.pattern.name, from);
    return starts;
  }

  /** share is called when it has caught up: its events come without an id from
      now on, and of each stream those from the places on that the service says. */
  share(connection, said) {
    if (this.grouped || this.#id === undefined) return;
    connection.separate.delete(this.#separate);
    this.#separate = undefined;
    if (isObject(said) && typeof said.subscription === 'string') this.#progress.skip(this.#startsOf(said));
    connection.plain.add(this);
    connection.reroute();
  }

  /** left is called when its connection has ended. */
  left(connection) {
    if (this.#connection !== connection) return;
    this.#release();
    this.#id = undefined;
  }

  // A place that a lost connection has is given up with it.
  #hold() {
    this.#held = true;
    this.#connection.hold();
  }
  #release() {
    if (!this.#held) return;
    this.#held = false;
    this.#connection.release();
  }

  /** offer takes an event or a notice that has come. */
  offer(message, name, text) {
    if (this.ended) return;
    const metadata = message.metadata ?? NOTHING;
    const stream = metadata.stream ?? name;
    if (metadata.gap != null && metadata.seq == null) return this.#noticed(stream, metadata);
    if (metadata.epoch != null && metadata.snapshot !== true && !this.#progress.advance(stream, metadata) && !this.grouped) return;
    const event = {
      channel: name, data: message.data, id: message.messageId, timestamp: message.timestamp,
      stream, seq: metadata.seq, epoch: metadata.epoch,
    };
    if (metadata.snapshot === true) event.snapshot = true;
    if (this.#gaps.size > 0) takeGap(this.#gaps, event);
    if (this.grouped) return this.#sink.event(new ReceivedEvent(event, metadata, this, this.#connection), 0);
    this.#sink.event(event, this.#separate === undefined ? (text?.length ?? EVENT_COST) : this.#cost(message, text));
  }

  // cost is what an event takes of the window.
  #cost(message, text) {
    const bytes = text === undefined ? byteLength(JSON.stringify(message.data) ?? '') : dataBytes(text);
    return Math.max(bytes, EVENT_COST);
  }

  // noticed takes the service's word for what is lost, but for what has come all
  // the same: the notice may be for others, who were not as far.
  #noticed(stream, { gap: said, epoch }) {
    if (!isObject(said) || !Number.isSafeInteger(said.from)) return;
    const { from, reason } = said;
    const to = Number.isSafeInteger(said.to) ? said.to : undefined;
    const count = Number.isSafeInteger(said.count) ? said.count : lostIn({ from, to });
    const told = { from, to, reason, count };
    const gap = this.grouped ? told : this.#progress.missing(stream, epoch, told);
    if (gap !== undefined) this.#missed(stream, gap);
  }

  // missed notes what is lost: the next event of the stream tells.
  #missed(stream, gap) {
    gap.count = lostIn(gap);
    if (gap.count > 0) this.#sink.lost(gap.count);
    this.miss(stream, gap);
  }

  /** miss notes what was lost after the newest event that has come. */
  miss(stream, gap) { noteGap(this.#gaps, stream, gap); }

  /** read is called for what the program has taken. */
  read(cost) {
    if (this.#separate === undefined || this.grouped) return;
    this.#owed += cost;
    if (this.#owed < this.#window / 4 || this.#id === undefined) return;
    const credit = this.#owed;
    this.#owed = 0;
    this.#connection.send(`{"type":"event","messageId":"${nextId()}","channel":"ipc.credit","timestamp":"${timestamp()}","metadata":{"subscription":"${this.#separate}","credit":${credit}}}`);
  }

  /** settle tells the service what became of an event that came by a connection. */
  async settle(connection, verb, data) {
    const { code, message } = await this.#settle(connection, verb, data);
    if (code !== undefined) warn(`${verb} ${this.pattern.name} ${code}`, new IpcError(code, `an event of ${this.pattern.name} may come again: ${code}: ${message}`, { service: this.#link.name }));
  }
  async #settle(connection, verb, data) {
    if (connection !== this.#connection || this.#id === undefined) return NOTHING; // it comes again by itself
    const call = this.#link.call(this.#link.route(`ipc.${verb}`), [{ subscription: this.#id, ...data }]);
    return Object(await call.send());
  }

  /** detain keeps the place at the service until release, even if the
      subscription is ended meanwhile: who has left cannot acknowledge. */
  detain() { this.#handling++; }
  release() { if (--this.#handling === 0 && this.ended) this.#depart(); }

  /** finish ends it, with a failure, the reason of a signal, or neither. */
  finish(failure, aborted = false) {
    if (this.ended) return;
    this.ended = true;
    this.#forget();
    this.#link.leave(this);
    if (this.#handling === 0) this.#depart();
    this.#sink.end(failure, aborted);
  }

  #depart() {
    const id = this.#id;
    const connection = this.#connection;
    if (connection !== undefined) {
      connection.plain.delete(this);
      connection.reroute();
      connection.separate.delete(this.#separate ?? id);
      connection.placed.delete(id);
    }
    this.#id = undefined;
    this.#release();
    if (id === undefined || connection.closed) return;
    connection.send(`{"type":"unsubscribe","messageId":"${nextId()}","data":{"subscription":${JSON.stringify(id)}},"timestamp":"${timestamp()}"}`, true);
  }
}
const NOTHING = Object.freeze({});

