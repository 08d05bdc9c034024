// A Clock stands in for the process's timers, for tests of what takes long:
// its time passes when the test says so.
export class Clock {
  #timers = new Set();
  #now = performance.now();

  // It takes the place of the timers for good.
  constructor() {
    globalThis.setTimeout = (fn, wait = 1, ...args) => this.#set(() => fn(...args), wait, false);
    globalThis.setInterval = (fn, wait = 1, ...args) => this.#set(() => fn(...args), wait, true);
    globalThis.clearTimeout = globalThis.clearInterval = (timer) => { this.#timers.delete(timer); };
    performance.now = () => this.#now; // an own property, that hides the prototype's
  }

  #set(fn, wait, again) {
    const timer = { at: this.#now + wait, wait, fn, again, ref: () => timer, unref: () => timer };
    this.#timers.add(timer);
    return timer;
  }

  /** pass lets time pass until the next timer has gone off. */
  pass() {
    const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
    if (next === undefined) throw new Error('nothing waits for time to pass');
    this.#now = Math.max(this.#now, next.at);
    if (next.again) next.at += next.wait;
    else this.#timers.delete(next);
    next.fn();
  }
}
