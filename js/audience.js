// The audience: who has subscribed to the events of a service, and how these
// reach them.
import { closest, eventName, isName, isReserved } from './name.js';
import { Failure } from './error.js';
import { nextId, timestamp } from './id.js';
import { isWellFormed } from './json.js';
import { refusal } from './manifest.js';
import { Local } from './local.js';
import { Member } from './member.js';
import { Budget, PRESENCE, framed } from './outlet.js';
import { Queue } from './queue.js';
import { refuse } from './refusal.js';
import { Streams } from './streams.js';
import { placesOf, wishOf } from './wish.js';

const MOST_OF_PEER = 512;
const MOST_ROUTES = 4096;
const MOST_ID = 128; // bytes of an event's id

let lastID = 0;

export class Audience {
  events = 0;
  /** budget is what may wait for all clients together. */
  budget;

  #service; // its name
  #manifest; // undefined: any event may be published
  #mostData;
  #snapshots;
  #streams;
  #queues = new Map(); // by channel
  #members = new Set();
  #locals = new Set(); // subscriptions of this process
  #routes = new Map(); // by event and stream

  constructor(service, manifest, { maxFrame, maxHeld, snapshots = {} }) {
    this.budget = new Budget(maxHeld);
    this.#service = service;
    this.#manifest = manifest;
    this.#mostData = maxFrame - 1024;
    this.#snapshots = new Map(Object.entries(snapshots));
    this.#streams = new Streams(manifest);
    for (const channel of manifest?.channels ?? []) if (channel.queue) this.#queues.set(channel.name, new Queue(channel, this.#streams.of(channel.name)));
  }

  get size() { return this.#members.size + this.queues.reduce((sum, queue) => sum + queue.members.length, 0); }
  get queues() { return [...this.#queues.values()]; }

  /** queue is that of a channel; kept are all streams of which something is. */
  queue(channel) { return this.#queues.get(channel); }
  get kept() { return this.#streams.kept; }

  /** keeps says whether the channel of an event keeps it. */
  keeps(name) {
    const channel = this.#manifest?.event(name)?.channel;
    return channel?.retention !== undefined;
  }

  // missing says that there is no event or channel of a name.
  #missing(name) {
    const near = closest(name, this.#manifest?.eventNames ?? []);
    return refuse('CHANNEL_NOT_FOUND', `${this.#service} declares no event or channel ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`);
  }

  // check returns what is known of an event, or a Failure.
  #check(name, data, text, ownWord) {
    if (!isName(name)) return refuse('INVALID_NAME', `${JSON.stringify(name)} is no name of an event`);
    const known = this.#manifest === undefined && !isReserved(name) ? { stream: name } : this.#manifest?.event(name);
    if (known === undefined) return this.#missing(name);
    if (known.own && !ownWord) return refuse('PERMISSION_DENIED', `${name} is published by ${this.#service} alone, says its manifest`);
    if (!isWellFormed(text)) return refuse('INVALID_ARGUMENT', `the data of ${name} has a text that is no Unicode: half of a surrogate pair`);
    const bad = known.type?.check(data);
    if (bad !== undefined) return refusal('SCHEMA_MISMATCH', `event ${name}`, bad);
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#mostData) return refuse('MESSAGE_TOO_LARGE', `event data of ${bytes} bytes is over the limit of ${this.#mostData}`, { actual: bytes, limit: this.#mostData });
    return known;
  }

  /** publish spreads an event, once: { data, text, id, ownWord, timeout }. text is
      the data as JSON, id the publisher's, ownWord says that the service itself
      publishes, timeout is how long it waits for room in a queue. It returns the
      receipt, a Failure, or a promise of either. */
  publish(name, { data, text, id, ownWord = false, timeout }) {
    const known = this.#check(name, data, text, ownWord);
    if (known instanceof Failure) return known;
    if (id !== undefined && Buffer.byteLength(id) > MOST_ID) return refuse('INVALID_ARGUMENT', `the messageId of an event has ${Buffer.byteLength(id)} bytes, over ${MOST_ID}`);
    const stream = this.#streams.of(known.stream);
    const before = id === undefined ? undefined : stream.log?.known(id);
    if (before !== undefined) return { stream: stream.name, epoch: stream.epoch, seq: before, duplicate: true, receivers: 0, behind: 0 };
    this.events++;
    if (stream.queue) return this.#queues.get(stream.name).publish(name, text, id, timeout);
    return this.#spread(stream, stream.add(name, text, id), data);
  }

  /** verify says why a client may not publish an event, if it may not. */
  verify(channel, data) {
    const known = this.#check(eventName(channel), data, JSON.stringify(data), false);
    return known instanceof Failure ? known : undefined;
  }

  #spread(stream, record, data) {
    const { name, epoch, seq } = record;
    const receivers = this.#route(name, stream.name).filter((member) => member.passes(data ?? null));
    if (receivers.length > 0) {
      const event = framed(record);
      for (const member of receivers) member.offer(stream, event);
    }
    for (const local of [...this.#locals]) local.offer(record);
    return { stream: stream.name, epoch, seq, receivers: receivers.length, behind: receivers.filter((member) => member.behind(stream)).length };
  }

  // route returns who wants an event: first the separate ones, each of which
  // has a frame of its own, then one plain one of each connection, which stands
  // for all of its kind.
  #route(name, stream) {
    const key = `${name} ${stream}`;
    let found = this.#routes.get(key);
    if (found === undefined) {
      const members = [...this.#members].filter((member) => member.wants(name, stream));
      const plain = new Map(members.filter(({ separate }) => !separate).map((member) => [member.peer, member]));
      found = [...members.filter(({ separate }) => separate), ...plain.values()];
      if (this.#routes.size >= MOST_ROUTES) this.#routes.clear();
      this.#routes.set(key, found);
    }
    return found;
  }

  /** rerouted is called when somebody wants other events than before. */
  rerouted() { this.#routes.clear(); }

  /** starts is what a client is told of where a subscription begins. */
  starts(pattern) { return this.#streams.starts(pattern); }

  /** subscribe makes a subscription of a peer's: { answer, member }, or a promise
      of it where a state has to be asked for. It throws a Failure. */
  subscribe(peer, channel, options) {
    const wish = wishOf(channel, options);
    this.#checkWish(wish);
    if (peer.members.size >= MOST_OF_PEER) throw refuse('QUOTA_EXCEEDED', `a connection may have ${MOST_OF_PEER} subscriptions`, { resource: 'subscriptions', limit: MOST_OF_PEER });
    if (peer.members.has(wish.id)) throw refuse('ALREADY_EXISTS', `there is a subscription ${JSON.stringify(wish.id)} on this connection`);
    const home = this.#homeOf(wish.pattern);
    const id = wish.id ?? `s${(++lastID).toString(36)}${nextId().slice(0, 8)}`;
    if (home?.queue) return this.#enlist(peer, id, wish, home);
    this.#checkRoom(home);
    const wanted = (record) => wish.filter === undefined || wish.filter.matches(record.text === '' ? null : JSON.parse(record.text));
    const hears = (record) => (wish.pattern.name === record.stream || wish.pattern.matches(record.name)) && wanted(record);
    const at = placesOf(this.#streams.reached(wish.pattern), wish, hears);
    const newest = [...at.keys()].filter(({ log }) => log === undefined).flatMap((stream) => [...stream.newest.values()].filter(hears).sort((a, b) => a.seq - b.seq));
    const answer = { subscription: id, ...this.#streams.starts(wish.pattern, at) };
    const catching = new Map([...at].filter(([{ log }]) => log !== undefined));
    const member = new Member(this, peer, id, wish, wish.onSlow === 'disconnect' || home?.disconnect === true, catching);
    const made = { answer, member, arrived: () => this.#arrived(member, newest) };
    if (wish.from.kind === 'snapshot') return this.#withState(wish.pattern, made);
    this.#enter(member);
    return made;
  }

  #enter(member) {
    this.#members.add(member);
    this.rerouted();
    member.peer.members.set(member.id, member);
  }

  // arrived is called when the client knows that it has subscribed.
  #arrived(member, newest) {
    this.#tellPresence('join', member);
    member.begin(newest);
  }

  // withState asks the program for the state that a subscription begins with.
  // What is published from that moment on is kept for after it (from.6).
  #withState(pattern, made) {
    const { member, answer } = made;
    const place = { stream: this.#streams.reached(pattern)[0], seq: answer.from.seq - 1 };
    member.hold();
    this.#enter(member);
    const then = made.arrived;
    const ready = (state) => {
      const text = JSON.stringify(state) ?? 'null';
      if (Buffer.byteLength(text) > this.#mostData) throw refuse('MESSAGE_TOO_LARGE', `the state of ${pattern.name} is over the limit of ${this.#mostData} bytes`, { limit: this.#mostData });
      const { name, epoch } = place.stream;
      const record = { id: nextId(), name: pattern.name, stream: name, epoch, seq: place.seq, text, time: timestamp() };
      made.arrived = () => {
        member.release(framed(record, ',"snapshot":true'));
        then();
      };
      return made;
    };
    const failed = (error) => {
      this.leave(member, true);
      if (error instanceof Failure) throw error;
      console.error(`the snapshot of ${pattern.name} failed:`, error);
      throw new Failure('HANDLER_FAILED', `${this.#service} failed to tell the state of ${pattern.name}`, { executed: 'no', retryable: false, origin: 'service' });
    };
    try {
      const state = this.#snapshots.get(pattern.name)();
      return typeof state?.then === 'function' ? Promise.resolve(state).then(ready).catch(failed) : ready(state);
    } catch (error) {
      return failed(error);
    }
  }

  // enlist makes a subscription to a queue.
  #enlist(peer, id, wish, channel) {
    if (wish.pattern.name !== channel.name) {
      throw refuse('INVALID_ARGUMENT', wish.group === undefined ? `${channel.name} is a queue: it is read by the members of a group` : `${wish.pattern.name} is on the queue ${channel.name}: subscribe to that`);
    }
    const queue = this.#queues.get(channel.name);
    if (!queue.replaces(wish)) this.#checkRoom(channel);
    const { member, from } = queue.join(this, peer, id, wish);
    peer.members.set(id, member);
    return { answer: { subscription: id, from, group: member.group.name }, member, arrived: () => { this.#tellPresence('join', member); queue.pump(); } };
  }

  // homeOf is the channel of what a pattern without wildcards names.
  #homeOf(pattern) {
    if (!pattern.literal || pattern.name === PRESENCE) return undefined;
    if (this.#manifest === undefined) {
      if (isReserved(pattern.name)) throw this.#missing(pattern.name);
      return undefined;
    }
    const known = this.#manifest.event(pattern.name);
    if (known === undefined) throw this.#missing(pattern.name);
    return known.channel;
  }

  #checkWish({ pattern, filter, group, durable, from }) {
    const home = this.#homeOf(pattern);
    const invalid = (what) => refuse('INVALID_ARGUMENT', what);
    if (filter !== undefined && home?.broadcast === true && home.name === pattern.name) throw invalid(`${home.name} is a broadcast channel, which nobody filters`);
    if (group !== undefined && home?.queue !== true) throw invalid(`${pattern.name} has no groups: they are for a channel of type "queue", by its name`);
    if (filter !== undefined && home?.queue && !durable) throw invalid('the members of a group share all messages: a "filter" needs a "durable" name of its own');
    if (from.kind !== 'snapshot') return;
    if (home?.queue) throw invalid('a group does not begin with a snapshot');
    if (!this.#snapshots.has(pattern.name)) throw invalid(`${this.#service} has no snapshot of ${JSON.stringify(pattern.name)} to begin with`);
  }

  // Those count that name the channel or an event on it (chan.5).
  #checkRoom(channel) {
    if (!(channel?.most > 0)) return;
    const homes = [...this.#members].filter(({ pattern }) => pattern.literal && this.#manifest.event(pattern.name)?.channel === channel);
    const count = homes.length + (this.#queues.get(channel.name)?.members.length ?? 0);
    if (count >= channel.most) throw refuse('QUOTA_EXCEEDED', `${channel.name} has ${count} subscribers, which is all it takes`, { resource: 'subscribers', limit: channel.most });
  }

  /** leave ends a subscription; in silence, if nobody was told of it. */
  leave(member, inSilence = false) {
    if (!member.peer.members.delete(member.id)) return;
    this.#members.delete(member);
    this.rerouted();
    if (!inSilence) this.#tellPresence('leave', member);
    member.left();
  }

  #tellPresence(kind, member) {
    if (this.#route(PRESENCE, PRESENCE).length === 0) return;
    const data = { kind, ...member.facts(), queued: 0, delivered: 0, dropped: 0 };
    const stream = this.#streams.of(PRESENCE);
    this.#spread(stream, stream.add(PRESENCE, JSON.stringify(data), undefined), data);
  }

  /** who lists the subscriptions. */
  who() { return [...this.#members, ...this.queues.flatMap(({ members }) => members)].map((member) => member.facts()); }

  /** join and leaveLocal are for subscriptions of the service's own process. */
  join(subscription) { this.#locals.add(new Local(this.#streams, subscription)); }
  leaveLocal(subscription) {
    for (const local of this.#locals) if (local.subscription === subscription) this.#locals.delete(local);
  }

  /** close ends the subscriptions of this process, and what waits for a time. */
  close() {
    for (const { subscription } of [...this.#locals]) subscription.finish(undefined);
    for (const queue of this.queues) queue.close();
  }
}
