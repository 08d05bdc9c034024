// Wires: what carries messages where there is no net.Socket. To a Connection a
// wire looks like one, but for what comes and goes: texts, each a whole message
// when it comes, and each line one when it goes.

/** A Wire tells who listens. What extends it brings write, end and destroy. */
export class Wire {
  /** writableLength is about how much waits to leave. */
  get writableLength() { return 0; }

  #listeners = new Map(); // by event
  #closed = false;

  on(event, fn) {
    const known = this.#listeners.get(event);
    if (known === undefined) this.#listeners.set(event, [fn]);
    else known.push(fn);
    return this;
  }

  emit(event, value) {
    if (this.#closed) return;
    if (event === 'close') this.#closed = true;
    for (const fn of this.#listeners.get(event) ?? []) fn(value);
  }

  ref() { return this; }
  unref() { return this; }
}

/** linesOf takes apart what a FrameWriter has joined. */
export const linesOf = (text) => text.split('\n').filter((line) => line !== '');
