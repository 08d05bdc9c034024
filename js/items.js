// Items: what a client streams, for a handler's loop.

const WINDOW = 64 << 10; // bytes that a client may send
const ITEM_COST = 256;

/** Items are what a client streams. */
export class Items {
  #grant;
  #credit = WINDOW;
  #owed = 0;
  #waiting = [];
  #readers = [];
  #done = false;
  #error;

  constructor(grant) { this.#grant = grant; }

  // push reports false for what was sent without credit (stream.6).
  push(value) {
    if (this.#credit <= 0) return false;
    const cost = Math.max(Buffer.byteLength(JSON.stringify(value)), ITEM_COST);
    this.#credit -= cost;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#waiting.push({ value, cost });
    else {
      this.#took(cost);
      reader.resolve({ value, done: false });
    }
    return true;
  }

  #took(cost) {
    this.#owed += cost;
    if (this.#owed < WINDOW / 4) return;
    this.#credit += this.#owed;
    this.#grant(this.#owed);
    this.#owed = 0;
  }

  end() {
    this.#done = true;
    for (const { resolve } of this.#readers.splice(0)) resolve({ value: undefined, done: true });
  }

  fail(error) {
    if (this.#done) return;
    this.#done = true;
    this.#waiting = [];
    this.#error = this.#readers.length > 0 ? undefined : { error };
    for (const { reject } of this.#readers.splice(0)) reject(error);
  }

  next() {
    const item = this.#waiting.shift();
    if (item !== undefined) {
      this.#took(item.cost);
      return Promise.resolve({ value: item.value, done: false });
    }
    if (this.#error !== undefined) {
      const { error } = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#done) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => { this.#readers.push({ resolve, reject }); });
  }

  return(value) {
    this.#done = true;
    this.#waiting = [];
    return Promise.resolve({ value, done: true });
  }

  [Symbol.asyncIterator]() { return this; }
}
