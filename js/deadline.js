// Deadlines: the timers of calls. A setTimeout for each call would cost more
// than the rest of it. Most calls of a program have the same timeout, so those
// of one timeout stand in one list, in the order in which they will end: to
// enter and to leave a list is four assignments, and each list has one timer,
// for its head.

const lists = new Map(); // by timeout

class List {
  head;
  tail;
  timer;

  constructor(timeout) { this.timeout = timeout; }

  // tick ends what is over. What keeps the process alive is the socket.
  tick() {
    this.timer = undefined;
    const now = performance.now();
    while (this.head !== undefined && this.head.at <= now) {
      const deadline = this.head;
      deadline.clear();
      deadline.expired();
    }
    if (this.head === undefined) lists.delete(this.timeout);
    else this.start(this.head.at - now);
  }

  start(wait) {
    this.timer = setTimeout(() => this.tick(), Math.max(1, Math.ceil(wait)));
    this.timer.unref?.();
  }
}

/** The longest timer that there is. */
const LONGEST = 2 ** 31 - 1;

/** A Deadline calls expired once, timeout milliseconds from now, unless it is
    cleared before. Extend it: an object more for each call would be felt. */
export class Deadline {
  at = 0;
  #list;
  #before;
  #after;

  /** begin sets it; a timeout of 0 is none. */
  begin(timeout) {
    if (timeout <= 0 || timeout > LONGEST) return;
    let list = lists.get(timeout);
    if (list === undefined) lists.set(timeout, list = new List(timeout));
    this.at = performance.now() + timeout;
    this.#list = list;
    this.#before = list.tail;
    if (list.tail === undefined) list.head = this;
    else list.tail.#after = this;
    list.tail = this;
    if (list.timer === undefined) list.start(timeout);
  }

  /** clear takes it back. */
  clear() {
    const list = this.#list;
    if (list === undefined) return;
    this.#list = undefined;
    if (this.#before === undefined) list.head = this.#after;
    else this.#before.#after = this.#after;
    if (this.#after === undefined) list.tail = this.#before;
    else this.#after.#before = this.#before;
    this.#before = this.#after = undefined;
  }

  /** expired is for who extends it. */
  expired() {}
}
