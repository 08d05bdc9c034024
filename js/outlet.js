// Outlets: the events that wait for one subscriber.
import { nextId, timestamp } from './id.js';

const MOST_EVENTS = 4096;
const MOST_BYTES = 8 << 20;

/** An Outlet sends what a subscriber can take, keeps a bounded number of what
    it cannot, and then drops the oldest and says which. */
export class Outlet {
  delivered = 0;
  dropped = 0;

  #peer;
  #mark; // "subscription":"…", of a separate one
  #window; // bytes that may be sent; undefined: as much as the connection takes
  #waiting = [];
  #head = 0;
  #bytes = 0;
  #gaps = new Map(); // by event name
  #disconnect;

  // disconnect, if it is given, is called instead of dropping.
  constructor(peer, id, window, disconnect) {
    this.#peer = peer;
    this.#mark = id === undefined ? '' : `"subscription":${JSON.stringify(id)},`;
    this.#window = window;
    this.#disconnect = disconnect;
  }

  /** strictly has it call fn instead of dropping, from now on. */
  strictly(fn) { this.#disconnect ??= fn; }

  get queued() { return this.#waiting.length - this.#head; }

  get #open() { return this.#peer.writable && (this.#window === undefined || this.#window > 0); }

  /** offer takes an event: { head, tail, cost, name, stream, seq, epoch }. */
  offer(event) {
    if (this.queued === 0 && this.#open) return this.#send(event);
    this.#waiting.push(event);
    this.#bytes += event.cost;
    while (this.queued > MOST_EVENTS || (this.queued > 1 && this.#bytes > MOST_BYTES)) {
      if (this.#disconnect !== undefined) return this.#disconnect(this.queued);
      this.#drop();
    }
  }

  #send(event) {
    if (this.#window !== undefined) this.#window -= Math.max(event.bytes, 256);
    this.delivered++;
    this.#peer.send(`${event.head}${this.#mark}${event.tail}`);
  }

  #shift() {
    const event = this.#waiting[this.#head];
    this.#waiting[this.#head++] = undefined;
    this.#bytes -= event.cost;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  #drop() {
    const { name, stream, seq } = this.#shift();
    this.dropped++;
    const known = this.#gaps.get(name);
    if (known === undefined) this.#gaps.set(name, { stream, from: seq, to: seq, count: 1 });
    else {
      known.to = seq;
      known.count++;
    }
  }

  /** grant lets more be sent. */
  grant(credit) {
    if (this.#window === undefined) return;
    this.#window = Math.min(this.#window + credit, 64 << 20);
    this.flush();
  }

  /** flush sends what can be sent now, and first what was lost before it. */
  flush() {
    if (!this.#peer.writable) return;
    for (const [name, { stream, ...gap }] of this.#gaps) {
      const where = stream === name ? '' : `,"stream":${JSON.stringify(stream)}`;
      this.#peer.send(`{"type":"event","messageId":"${nextId()}","channel":"events.${name}","timestamp":"${timestamp()}","metadata":{${this.#mark}"gap":${JSON.stringify({ ...gap, reason: 'slow-consumer' })}${where}}}`);
    }
    this.#gaps.clear();
    while (this.queued > 0 && this.#open) this.#send(this.#shift());
  }
}
