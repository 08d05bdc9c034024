// Timers, as Node has them. They live here; Go only keeps the time until the
// next one. Each callback is a task of its own.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  let lastID = 0;
  let order = 0;
  let alive = 0; // timers and immediates that keep the process alive
  const byID = new Map();

  // A binary heap by due time, then by the order of setting. A cleared timer
  // stays until it comes up, or until half of the heap is such.
  let heap = [];
  let cleared = 0;
  const before = (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order);

  function push(entry) {
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!before(entry, heap[up])) break;
      heap[i] = heap[up];
      i = up;
    }
    heap[i] = entry;
  }

  function sink(entry) {
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], entry)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = entry;
  }

  function pop() {
    const top = heap[0];
    const last = heap.pop();
    if (heap.length > 0) sink(last);
    return top;
  }

  function peek() {
    while (heap.length > 0 && heap[0].timer === null) {
      pop();
      cleared--;
    }
    return heap[0];
  }

  class Timeout {
    #id = ++lastID;
    #callback;
    #args;
    #delay;
    #repeat;
    #entry = null;
    #ref = true;

    constructor(callback, delay, args, repeat) {
      this.#callback = callback;
      this.#args = args;
      this.#delay = delay >= 1 && delay <= 0x7fffffff ? delay : 1;
      this.#repeat = repeat;
      this.#set();
    }

    #set() {
      this.#entry = { due: host.now() + this.#delay, order: ++order, timer: this };
      push(this.#entry);
      byID.set(this.#id, this);
      if (this.#ref) alive++;
    }

    // run is called for the entry that has just left the heap.
    run() {
      this.#entry = null;
      if (this.#ref) alive--;
      if (this.#repeat) this.#set();
      else byID.delete(this.#id);
      ekko.guard(this.#callback, ...this.#args);
    }

    close() {
      if (this.#entry === null) return this;
      this.#entry.timer = null;
      this.#entry = null;
      if (this.#ref) alive--;
      byID.delete(this.#id);
      if (++cleared > 64 && cleared * 2 > heap.length) {
        const rest = heap.filter((entry) => entry.timer !== null);
        heap = [];
        cleared = 0;
        rest.forEach(push);
      }
      return this;
    }

    ref() {
      if (!this.#ref && this.#entry !== null) alive++;
      this.#ref = true;
      return this;
    }

    unref() {
      if (this.#ref && this.#entry !== null) alive--;
      this.#ref = false;
      return this;
    }

    hasRef() { return this.#ref; }

    refresh() {
      if (this.#entry !== null) {
        this.close();
        this.#set();
      }
      return this;
    }

    [Symbol.toPrimitive]() { return this.#id; }
    [Symbol.dispose]() { this.close(); }
  }

  class Immediate {
    #callback;
    #args;
    #ref = true;

    constructor(callback, args) {
      this.#callback = callback;
      this.#args = args;
      alive++;
    }

    run() {
      const callback = this.#callback;
      if (callback === null) return;
      this.close();
      ekko.guard(callback, ...this.#args);
    }

    close() {
      if (this.#callback !== null && this.#ref) alive--;
      this.#callback = null;
    }

    ref() {
      if (!this.#ref && this.#callback !== null) alive++;
      this.#ref = true;
      return this;
    }

    unref() {
      if (this.#ref && this.#callback !== null) alive--;
      this.#ref = false;
      return this;
    }

    hasRef() { return this.#ref; }
    [Symbol.dispose]() { this.close(); }
  }

  let immediates = [];
  let running = []; // those set before this round, in reverse

  // tick runs one callback. Immediates set while others run wait until the
  // timers that are due have had their turn.
  ekko.tick = () => {
    if (running.length > 0) return running.pop().run();
    const next = peek();
    if (next !== undefined && next.due <= host.now()) return pop().timer.run();
    if (immediates.length > 0) {
      running = immediates.reverse();
      immediates = [];
      running.pop().run();
    }
  };

  // nextTimer says how many milliseconds to wait for, -1 if for nothing.
  ekko.nextTimer = () => {
    if (running.length > 0 || immediates.length > 0) return { delay: 0, alive };
    const next = peek();
    if (next === undefined) return { delay: -1, alive };
    return { delay: Math.max(0, next.due - host.now()), alive };
  };

  const callable = (callback) => ekko.check(typeof callback === 'function', 'the callback must be a function', callback);

  function clear(timer) {
    if (timer instanceof Timeout || timer instanceof Immediate) timer.close();
    else byID.get(Number(timer))?.close();
  }

  ekko.globals({
    setTimeout(callback, delay, ...args) {
      callable(callback);
      return new Timeout(callback, Number(delay), args, false);
    },
    setInterval(callback, delay, ...args) {
      callable(callback);
      return new Timeout(callback, Number(delay), args, true);
    },
    setImmediate(callback, ...args) {
      callable(callback);
      const immediate = new Immediate(callback, args);
      immediates.push(immediate);
      return immediate;
    },
    clearTimeout: (timer) => clear(timer),
    clearInterval: (timer) => clear(timer),
    clearImmediate: (timer) => clear(timer),
    queueMicrotask(callback) {
      callable(callback);
      Promise.prototype.then.call(settled, () => ekko.guard(callback));
    },
  });
  const settled = Promise.resolve();
})
