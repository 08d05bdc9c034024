// Outlets: the events that wait for one subscriber.
import { nextId, timestamp } from './id.js';

const MOST_EVENTS = 4096;
const MOST_BYTES = 8 << 20;
const FRAME_COST = 128; // of an event that waits, besides its text
const EVENT_BYTES = 256; // the least that an event takes of a window

/** PRESENCE is the channel that tells who comes and goes. */
export const PRESENCE = 'ipc.presence';

const channelOf = (name) => (name === PRESENCE ? name : `events.${name}`);
const whereOf = ({ name, stream }) => (stream === name ? '' : `,"stream":${JSON.stringify(stream)}`);

/** framed makes of a record what is sent: a head and a tail, between which
    stands for whom it is. more is metadata besides. */
export function framed(record, more = '') {
  const { id, name, text, time, epoch, seq } = record;
  const head = `{"type":"event","messageId":${JSON.stringify(id)},"channel":"${channelOf(name)}"${text === '' ? '' : `,"data":${text}`},"timestamp":"${time}","metadata":{`;
  return { head, tail: `"epoch":"${epoch}","seq":${seq}${whereOf(record)}${more}}}`, cost: head.length + FRAME_COST, bytes: Math.max(Buffer.byteLength(text), EVENT_BYTES), record };
}

/** A Budget is what may wait for all clients together. Whoever has most waiting
    is who loses: a client that reads does not pay for those who do not. */
export class Budget {
  used = 0;
  #holders = new Set();

  constructor(most = 64 << 20) { this.most = most; }

  /** hold notes that more waits in an outlet, or less. */
  hold(outlet, bytes) {
    this.used += bytes;
    if (outlet.held > 0) this.#holders.add(outlet);
    else this.#holders.delete(outlet);
  }

  /** relieve makes room, if there is too little. */
  relieve() {
    while (this.used > this.most && this.#holders.size > 0) {
      let largest;
      for (const holder of this.#holders) if (largest === undefined || holder.held > largest.held) largest = holder;
      largest.shed(largest.held / 8);
    }
  }
}

/** An Outlet sends what a subscriber can take, keeps a bounded number of what
    it cannot, and then drops the oldest and says which. */
export class Outlet {
  delivered = 0;
  dropped = 0;

  #peer;
  #budget;
  #mark; // "subscription":"…", of a separate one
  #window; // bytes that may be sent; undefined: as much as the connection takes
  #waiting = [];
  #head = 0;
  #bytes = 0;
  #gaps = new Map(); // by event name
  #disconnect;
  #more;
  #closed = false;

  // disconnect, if it is given, is called instead of dropping; more is called
  // when something could be sent and nothing waits.
  constructor(peer, budget, { id, window, disconnect, more } = {}) {
    this.#peer = peer;
    this.#budget = budget;
    this.#mark = id === undefined ? '' : `"subscription":${JSON.stringify(id)},`;
    this.#window = window;
    this.#disconnect = disconnect;
    this.#more = more;
  }

  /** strictly has it call fn instead of dropping, from now on. */
  strictly(fn) { this.#disconnect ??= fn; }

  /** held is how many bytes wait. */
  get held() { return this.#bytes; }
  get queued() { return this.#waiting.length - this.#head; }

  /** open says that an event would be sent at once. */
  get open() { return this.queued === 0 && this.#ready; }
  get #ready() { return this.#peer.writable && (this.#window === undefined || this.#window > 0); }

  /** offer takes an event, as framed makes it. */
  offer(event) {
    if (this.#closed) return;
    if (this.open && event.cost <= this.#budget.most) return this.#send(event);
    this.#waiting.push(event);
    this.#hold(event.cost);
    while (this.queued > MOST_EVENTS || (this.queued > 1 && this.#bytes > MOST_BYTES)) {
      if (this.#disconnect !== undefined) return this.#disconnect(this.queued);
      this.#drop();
    }
    if (this.#budget.used > this.#budget.most) this.#budget.relieve();
  }

  /** shed drops so many bytes of what waits, or one event. */
  shed(bytes) {
    if (this.#disconnect !== undefined) return this.#disconnect(this.queued);
    const enough = this.#bytes - bytes;
    do this.#drop();
    while (this.queued > 0 && this.#bytes > enough);
    if (this.open) this.flush();
  }

  #send(event) {
    if (this.#window !== undefined) this.#window -= event.bytes;
    this.delivered++;
    this.#peer.send(`${event.head}${this.#mark}${event.tail}`);
  }

  #hold(bytes) {
    this.#bytes += bytes;
    this.#budget.hold(this, bytes);
  }

  #shift() {
    const event = this.#waiting[this.#head];
    this.#waiting[this.#head++] = undefined;
    this.#hold(-event.cost);
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
    const { name, stream, seq, epoch } = this.#shift().record;
    this.dropped++;
    const known = this.#gaps.get(name);
    if (known === undefined || known.epoch !== epoch) this.#gaps.set(name, { stream, epoch, from: seq, to: seq, count: 1 });
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

  /** notice says what is missing of a stream. */
  notice(name, { stream, epoch, from, to, count }, reason) {
    const lost = count === undefined || count === to - from + 1 ? '' : `,"count":${count}`;
    this.#peer.send(`{"type":"event","messageId":"${nextId()}","channel":"${channelOf(name)}","timestamp":"${timestamp()}","metadata":{${this.#mark}"epoch":"${epoch}","gap":{"from":${from},"to":${to},"reason":"${reason}"${lost}}${whereOf({ name, stream })}}}`);
  }

  /** flush sends what can be sent now, and first what was lost before it. */
  flush() {
    if (!this.#peer.writable) return;
    for (const [name, gap] of this.#gaps) this.notice(name, gap, 'slow-consumer');
    this.#gaps.clear();
    while (this.queued > 0 && this.#ready) this.#send(this.#shift());
    if (this.open) this.#more?.();
  }

  /** close forgets what waits, and takes no more. */
  close() {
    this.#closed = true;
    this.#hold(-this.#bytes);
    this.#waiting = [];
    this.#head = 0;
    this.#gaps.clear();
  }
}
