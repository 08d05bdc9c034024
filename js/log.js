// Logs: what of a stream is kept, in memory, for those who come later.

const DEFAULT_BYTES = 64 << 20;
const RECORD_COST = 96; // of a record, besides its texts
const ID_TIME = 120_000; // how long the ids of events are known (pub.2)
const MOST_IDS = 262_144;
const STEP = 1024; // how many records go before the array is cut

/** sizeOf is what a record counts towards the bytes that are kept. */
export const sizeOf = ({ name, id, text }) => RECORD_COST + Buffer.byteLength(name) + Buffer.byteLength(id) + Buffer.byteLength(text);

export class Log {
  bytes = 0;

  #records = [];
  #head = 0;
  #first = 1; // seq of the oldest record
  #ids = new Map(); // id → { seq, at }, oldest first
  #limits;

  // retention is the manifest's, maxAge in seconds.
  constructor({ maxMessages = Infinity, maxAge = Infinity, maxSize = DEFAULT_BYTES } = {}) {
    this.#limits = { messages: maxMessages, age: maxAge * 1000, bytes: maxSize };
  }

  get length() { return this.#records.length - this.#head; }
  /** next is the seq of the record to come. */
  get next() { return this.#first + this.length; }
  /** first is the seq of the oldest record that is kept; next if none is. */
  get first() {
    this.#expire();
    return this.#first;
  }

  /** known is the seq of an event with that id, if it was kept of late. */
  known(id) {
    const now = performance.now();
    for (const [old, { at }] of this.#ids) {
      if (now - at < ID_TIME && this.#ids.size <= MOST_IDS) break;
      this.#ids.delete(old);
    }
    return this.#ids.get(id)?.seq;
  }

  /** hasRoom says whether one more record would push out none. */
  hasRoom(size) {
    this.#expire();
    return this.length < this.#limits.messages && (this.length === 0 || this.bytes + size <= this.#limits.bytes);
  }

  /** append keeps a record, whose seq is next, and removes the oldest beyond
      the limits. */
  append(record) {
    this.#records.push(record);
    this.bytes += record.size;
    this.#ids.set(record.id, { seq: record.seq, at: performance.now() });
    while (this.length > this.#limits.messages || (this.length > 1 && this.bytes > this.#limits.bytes)) this.#shift();
  }

  /** get returns a record that is kept. */
  get(seq) {
    this.#expire();
    return seq < this.#first ? undefined : this.#records[this.#head + seq - this.#first];
  }

  /** at is the seq of the first record published at a time, in milliseconds, or
      later. */
  at(time) {
    this.#expire();
    let from = this.#head;
    let to = this.#records.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#records[middle].at < time) from = middle + 1;
      else to = middle;
    }
    return this.#first + from - this.#head;
  }

  /** removeBefore removes the records before seq, and returns how many. */
  removeBefore(seq) {
    let removed = 0;
    while (this.#first < seq && this.length > 0) {
      this.#shift();
      removed++;
    }
    return removed;
  }

  #expire() {
    if (this.#limits.age === Infinity) return;
    const oldest = Date.now() - this.#limits.age;
    while (this.length > 0 && this.#records[this.#head].at < oldest) this.#shift();
  }

  #shift() {
    this.bytes -= this.#records[this.#head].size;
    this.#records[this.#head++] = undefined;
    this.#first++;
    if (this.#head === this.#records.length) [this.#records, this.#head] = [[], 0];
    else if (this.#head > STEP && this.#head * 2 > this.#records.length) [this.#records, this.#head] = [this.#records.slice(this.#head), 0];
  }
}
