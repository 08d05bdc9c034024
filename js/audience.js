// The audience: who has subscribed to the events of a service, and the
// numbering of these.
import { randomBytes } from 'node:crypto';

import { Failure, isObject } from './error.js';
import { nextId, timestamp } from './id.js';
import { Pattern, closest, eventName, isName, isReserved } from './name.js';
import { Outlet } from './outlet.js';
import { refusal } from './manifest.js';

const MOST_OF_PEER = 512;
const MOST_STREAMS = 4096;
const MOST_STARTS = 1000;
const MOST_WINDOW = 64 << 20;
const PRESENCE = 'ipc.presence';

const refuse = (code, message, details = {}) => new Failure(code, message, { executed: 'no', retryable: false, origin: 'service', ...details });

let lastID = 0;

export class Audience {
  events = 0;

  #manifest; // undefined: any event may be published
  #maxFrame;
  #epoch = randomBytes(8).toString('hex').slice(0, 12);
  #streams = new Map(); // by name: the last seq
  #members = new Set();
  #locals = new Set(); // subscriptions of this process
  #routes = new Map(); // by event and stream

  constructor(manifest, maxFrame) {
    this.#manifest = manifest;
    this.#maxFrame = maxFrame;
  }

  get size() { return this.#members.size; }

  // check returns what is known of an event, or a Failure.
  #check(name, data, text, ownWord) {
    if (!isName(name)) return refuse('INVALID_NAME', `${JSON.stringify(name)} is no name of an event`);
    const known = this.#manifest === undefined && !isReserved(name) ? { stream: name } : this.#manifest?.event(name);
    if (known === undefined) {
      const near = closest(name, this.#manifest?.eventNames ?? []);
      return refuse('CHANNEL_NOT_FOUND', `no event is called ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`);
    }
    if (known.own && !ownWord) return refuse('PERMISSION_DENIED', `only the service publishes ${name}`);
    const bad = known.type?.check(data);
    if (bad !== undefined) return refusal('SCHEMA_MISMATCH', `event ${name}`, bad);
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#maxFrame - 1024) return refuse('MESSAGE_TOO_LARGE', `the data of ${name} has ${bytes} bytes, and ${this.#maxFrame - 1024} are allowed`, { limit: this.#maxFrame - 1024 });
    return { ...known, bytes };
  }

  /** publish spreads an event. It returns the receipt, or a Failure. text is
      the data as JSON; ownWord says that the service itself publishes. */
  publish(name, data, text, ownWord) {
    const known = this.#check(name, data, text, ownWord);
    if (known instanceof Failure) return known;
    const { stream } = known;
    const seq = this.#next(stream);
    const receivers = this.#spread(name, stream, text, known.bytes, seq);
    this.events++;
    return { stream, epoch: this.#epoch, seq, receivers: receivers.length, behind: receivers.filter(({ outlet }) => outlet.queued > 1).length };
  }

  /** verify says why a client may not publish an event, if it may not. */
  verify(channel, data) {
    const known = this.#check(eventName(channel), data, JSON.stringify(data), false);
    return known instanceof Failure ? known : undefined;
  }

  #next(stream) {
    const seq = (this.#streams.get(stream) ?? 0) + 1;
    if (seq === 1 && this.#streams.size >= MOST_STREAMS) this.#startAnew();
    this.#streams.set(stream, seq);
    return seq;
  }

  // More streams than are remembered: all begin anew, and everybody is told so
  // by the epoch.
  #startAnew() {
    this.#streams.clear();
    this.#epoch = randomBytes(8).toString('hex').slice(0, 12);
  }

  #spread(name, stream, text, bytes, seq) {
    const id = nextId();
    const at = timestamp();
    const where = stream === name ? '' : `,"stream":${JSON.stringify(stream)}`;
    const channel = name === PRESENCE ? name : `events.${name}`;
    const head = `{"type":"event","messageId":"${id}","channel":"${channel}"${text === '' ? '' : `,"data":${text}`},"timestamp":"${at}","metadata":{`;
    const event = { head, tail: `"epoch":"${this.#epoch}","seq":${seq}${where}}}`, cost: head.length + 128, bytes, name, stream, seq };
    const receivers = this.#route(name, stream);
    // A plain subscription stands for all of its connection: they share a frame.
    for (const { outlet } of receivers) outlet.offer(event);
    for (const local of [...this.#locals]) {
      if (name !== PRESENCE && (local.pattern.matches(name) || local.pattern.name === stream)) {
        local.offer({ data: text === '' ? undefined : JSON.parse(text), messageId: id, timestamp: at, metadata: { seq, epoch: this.#epoch, ...(stream === name ? {} : { stream }) } }, name, undefined);
      }
    }
    return receivers;
  }

  #route(name, stream) {
    const key = `${name} ${stream}`;
    let found = this.#routes.get(key);
    if (found === undefined) {
      found = [];
      const plain = new Set(); // peers that have it by one subscription already
      for (const member of this.#members) {
        if (!member.wants(name, stream)) continue;
        if (!member.separate && plain.has(member.peer)) continue;
        if (!member.separate) plain.add(member.peer);
        found.push(member);
      }
      if (this.#routes.size >= MOST_STREAMS) this.#routes.clear();
      this.#routes.set(key, found);
    }
    return found;
  }

  /** subscribe makes a subscription of a peer's. It returns the answer, or a Failure. */
  subscribe(peer, channel, options = {}) {
    if (!isObject(options)) return refuse('INVALID_ARGUMENT', 'the options of a subscription must be an object');
    let pattern;
    try {
      pattern = new Pattern(channel);
    } catch (error) {
      return refuse('INVALID_PATTERN', error.message);
    }
    const bad = this.#checkPattern(pattern) ?? this.#checkOptions(pattern, options);
    if (bad !== undefined) return bad;
    if (peer.members.size >= MOST_OF_PEER) return refuse('QUOTA_EXCEEDED', `a connection may have ${MOST_OF_PEER} subscriptions`, { resource: 'subscriptions', limit: MOST_OF_PEER });
    const chosen = options.subscription;
    if (chosen !== undefined && peer.members.has(chosen)) return refuse('ALREADY_EXISTS', `a subscription is called ${chosen} already`);
    const known = this.#manifest?.channel(pattern.name);
    const full = this.#full(pattern, known);
    if (full !== undefined) return full;
    const separate = chosen !== undefined || (options.from !== undefined && options.from !== null && options.from !== 'new');
    const member = new Member(peer, pattern, chosen ?? `s${(++lastID).toString(36)}${randomBytes(4).toString('hex')}`, separate, options, known?.disconnect === true);
    const answer = { subscription: member.id, ...this.#start(pattern) };
    this.#members.add(member);
    this.#routes.clear();
    peer.members.set(member.id, member);
    member.arrived = () => this.#tellPresence('join', member);
    return { answer, member };
  }

  #checkPattern(pattern) {
    if (!pattern.literal || pattern.name === PRESENCE) return undefined;
    if (this.#manifest === undefined) return isReserved(pattern.name) ? refuse('CHANNEL_NOT_FOUND', `no event is called ${JSON.stringify(pattern.name)}`) : undefined;
    if (this.#manifest.event(pattern.name) !== undefined) return undefined;
    const near = closest(pattern.name, this.#manifest.eventNames);
    return refuse('CHANNEL_NOT_FOUND', `no event or channel is called ${JSON.stringify(pattern.name)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`);
  }

  // What needs a log is refused: nothing is kept.
  #checkOptions(pattern, { from, filter, group, durable, onSlow, subscription, window, credit, ackWaitMs }) {
    const invalid = (what) => refuse('INVALID_ARGUMENT', what);
    if (subscription !== undefined && !(typeof subscription === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(subscription))) return invalid('subscription must be 1 to 64 letters, digits, - and _');
    if (onSlow !== undefined && onSlow !== 'drop-oldest' && onSlow !== 'disconnect') return invalid('onSlow must be "drop-oldest" or "disconnect"');
    if (window !== undefined && !(Number.isSafeInteger(window) && window > 0 && window <= MOST_WINDOW)) return invalid(`window must be 1 to ${MOST_WINDOW} bytes`);
    for (const [name, value] of Object.entries({ filter, group, durable })) if (value !== undefined && typeof value !== 'string') return invalid(`${name} must be text`);
    if (filter !== undefined) return refuse('UNIMPLEMENTED', 'a service in JavaScript does not filter events');
    if (group !== undefined || durable !== undefined) return invalid(`${pattern.name} has no groups: nothing keeps its events. A queue or a persistent channel has, in a service with the library for Go`);
    if (credit !== undefined && !(Number.isInteger(credit) && credit >= 1 && credit <= 1000)) return invalid('credit must be 1 to 1,000');
    if (ackWaitMs !== undefined && !(Number.isInteger(ackWaitMs) && ackWaitMs >= 1 && ackWaitMs <= 3_600_000)) return invalid('ackWaitMs must be 1 to 3,600,000');
    return this.#checkFrom(pattern, from);
  }

  #checkFrom(pattern, from) {
    if (from == null || from === 'new' || (isObject(from) && isObject(from.streams))) return undefined;
    if (from === 'first' || from === 'last' || (isObject(from) && typeof from.time === 'string')) {
      return pattern.literal ? refuse('INVALID_ARGUMENT', `nothing of ${pattern.name} is kept: it begins with the next event`) : undefined;
    }
    if (from === 'snapshot') return refuse('INVALID_ARGUMENT', `the service has no state of ${pattern.name}`);
    if (!isObject(from) || typeof from.epoch !== 'string' || !Number.isSafeInteger(from.seq)) return refuse('INVALID_ARGUMENT', 'from must be "new", "first", "last", "snapshot", a time, or a place');
    if (!pattern.literal) return refuse('INVALID_ARGUMENT', 'a place belongs to one stream');
    const next = this.#place(this.#streamOf(pattern.name));
    if (from.epoch === next.epoch && from.seq === next.seq) return undefined;
    return refuse('CURSOR_INVALID', `event ${from.seq} of ${pattern.name} is not kept`, { epoch: next.epoch, firstAvailable: next.seq, next: next.seq });
  }

  #full(pattern, known) {
    for (const channel of known === undefined ? [] : [known]) {
      if (!(channel.most > 0)) continue;
      const count = [...this.#members].filter((member) => member.pattern.name === channel.name || member.pattern.matches(channel.name)).length;
      if (count >= channel.most) return refuse('QUOTA_EXCEEDED', `${channel.name} may have ${channel.most} subscribers`, { resource: 'subscribers', limit: channel.most });
    }
    return undefined;
  }

  #streamOf(name) { return this.#manifest?.event(name)?.stream ?? name; }
  #place(stream) { return { epoch: this.#epoch, seq: (this.#streams.get(stream) ?? 0) + 1 }; }

  #start(pattern) {
    if (pattern.literal) {
      const stream = this.#streamOf(pattern.name);
      return stream === pattern.name ? { from: this.#place(stream) } : { from: this.#place(stream), stream };
    }
    const channels = Object.create(null);
    let any = false;
    for (const stream of [...this.#streams.keys()].slice(0, MOST_STARTS)) {
      if (stream === PRESENCE) continue;
      channels[stream] = this.#place(stream);
      any = true;
    }
    return { from: { epoch: this.#epoch, seq: 1 }, ...(any ? { channels } : {}) };
  }

  /** leave ends a subscription. */
  leave(member) {
    if (!this.#members.delete(member)) return;
    member.peer.members.delete(member.id);
    this.#routes.clear();
    this.#tellPresence('leave', member);
  }

  #tellPresence(kind, member) {
    if (![...this.#members].some(({ pattern }) => pattern.name === PRESENCE)) return;
    const text = JSON.stringify({ kind, ...member.facts() });
    this.#spread(PRESENCE, PRESENCE, text, Buffer.byteLength(text), this.#next(PRESENCE));
  }

  /** who lists the subscriptions. */
  who() {
    return [...this.#members].map((member) => ({ ...member.facts(), queued: member.outlet.queued, delivered: member.outlet.delivered, dropped: member.outlet.dropped }));
  }

  /** join and leaveLocal are for subscriptions of the service's own process. */
  join(subscription) { this.#locals.add(subscription); }
  leaveLocal(subscription) { this.#locals.delete(subscription); }

  /** close ends the subscriptions of this process. */
  close() {
    for (const subscription of [...this.#locals]) subscription.finish(undefined);
  }
}

/** A Member is one subscription of a peer's. */
class Member {
  constructor(peer, pattern, id, separate, { onSlow, window }, strict) {
    this.peer = peer;
    this.pattern = pattern;
    this.id = id;
    this.separate = separate;
    const disconnect = onSlow === 'disconnect' || strict;
    if (separate) this.outlet = new Outlet(peer, id, window, disconnect ? (waiting) => peer.tooSlow(this, waiting) : undefined);
    else {
      this.outlet = peer.plain;
      if (disconnect) this.outlet.strictly((waiting) => peer.allTooSlow(waiting));
    }
  }

  wants(name, stream) {
    if (name === PRESENCE) return this.pattern.name === PRESENCE;
    return this.pattern.matches(name) || this.pattern.name === stream;
  }

  // Node cannot ask the kernel who it is.
  facts() { return { subscription: this.id, pattern: this.pattern.name, known: false }; }
}
