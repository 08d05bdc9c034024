// Members: the subscriptions of a service's clients. One that begins in the
// past is sent what is kept first. What is published meanwhile is kept as well,
// so it comes in its turn, and nothing has to wait.
import { nextId, timestamp } from './id.js';
import { Outlet, PRESENCE, framed } from './outlet.js';

const MOST_AT_ONCE = 1024; // records that are looked at in one turn

export class Member {
  #catching; // by stream: the seq that is next
  #audience;
  #paused = false;
  #held; // events that wait for the state to be known
  #plain;

  constructor(audience, peer, id, { pattern, separate, filter, window, plain }, strict, catching) {
    this.#audience = audience;
    this.peer = peer;
    this.id = id;
    this.pattern = pattern;
    this.separate = separate;
    this.filter = filter;
    this.#plain = plain;
    this.#catching = catching;
    if (separate) {
      this.outlet = new Outlet(peer, audience.budget, { id, window, more: () => this.pump(), disconnect: strict ? (waiting) => peer.tooSlow(this, waiting) : undefined });
    } else {
      this.outlet = peer.plain;
      if (strict) this.outlet.strictly((waiting) => peer.allTooSlow(waiting));
    }
  }

  /** wants says whether an event is for it, but for its data. */
  wants(name, stream) { return this.pattern.name === stream || (name !== PRESENCE && this.pattern.matches(name)); }

  /** passes asks the filter. */
  passes(data) { return this.filter === undefined || this.filter.matches(data); }

  /** behind says that something waits before the newest event. */
  behind(stream) { return this.#catching.has(stream) || this.outlet.queued > 1; }

  /** offer takes an event of a stream, unless it comes out of the log. */
  offer(stream, event) {
    if (this.#held !== undefined) this.#held.push({ stream, event });
    else if (!this.#catching.has(stream)) this.outlet.offer(event);
  }

  /** hold keeps what comes until release, which sends a state first. */
  hold() { this.#held = []; }
  release(state) {
    const held = this.#held;
    this.#held = undefined;
    if (state !== undefined) this.outlet.offer(state);
    for (const { stream, event } of held) this.offer(stream, event);
  }

  /** begin sends the newest of each name, where nothing else is kept, and then
      what is. */
  begin(newest) {
    for (const record of newest) this.outlet.offer(framed(record));
    this.pump();
  }

  /** pump sends what is kept, as far as it can be sent. */
  pump() {
    if (this.#paused || this.#held !== undefined) return;
    let looked = 0;
    for (const [stream, from] of this.#catching) {
      let next = from;
      while (next <= stream.seq && this.outlet.open && looked < MOST_AT_ONCE) {
        const { first } = stream.log;
        if (next < first) {
          this.outlet.notice(stream.name, { stream: stream.name, epoch: stream.epoch, from: next, to: first - 1 }, 'expired');
          next = first;
          continue;
        }
        const record = stream.log.get(next++);
        looked++;
        if (this.wants(record.name, stream.name) && this.passes(dataOf(record))) this.outlet.offer(framed(record));
      }
      if (next > stream.seq) this.#catching.delete(stream);
      else this.#catching.set(stream, next);
    }
    if (looked >= MOST_AT_ONCE) this.#pause();
    else if (this.#plain && this.#catching.size === 0 && this.outlet.open) this.#joinOthers();
  }

  // Others have their turn before the next records.
  #pause() {
    this.#paused = true;
    setImmediate(() => {
      this.#paused = false;
      if (!this.peer.closed && this.peer.members.get(this.id) === this) this.pump();
    });
  }

  // What has caught up shares the events of the connection's others (from.9).
  #joinOthers() {
    this.#plain = false;
    const data = { subscription: this.id, ...this.#audience.starts(this.pattern) };
    this.peer.send(`{"type":"event","messageId":"${nextId()}","channel":"ipc.plain","data":${JSON.stringify(data)},"timestamp":"${timestamp()}","metadata":{"subscription":${JSON.stringify(this.id)}}}`);
    this.separate = false;
    const { delivered, dropped } = this.outlet;
    this.outlet = this.peer.plain;
    this.outlet.delivered += delivered;
    this.outlet.dropped += dropped;
    this.#audience.rerouted();
  }

  /** left forgets what waits for it. */
  left() {
    this.#catching.clear();
    if (this.separate) this.outlet.close();
  }

  /** facts are what others may know of it. */
  facts() {
    const { queued, delivered, dropped } = this.outlet;
    return { subscription: this.id, pattern: this.pattern.name, ...known(this.peer), queued, delivered, dropped };
  }
}

/** dataOf is the data of a record. */
export const dataOf = ({ text }) => (text === '' ? null : JSON.parse(text));

/** known is what the kernel says of a client. */
export const known = ({ identity: { known: vouched, pid, uid, exe } }) => ({ known: vouched, pid, uid, exe });
