// Subscriptions: a listener is told of each event, or a loop takes them.
(function (ekko) {
  'use strict';
  const { IpcError } = ekko;

  const TOKEN = /^[A-Za-z0-9_-]+$/;

  // checkName throws for a name that no event can have.
  ekko.checkName = (name) => {
    ekko.check(typeof name === 'string', 'the name of an event must be a string', name);
    const tokens = name.split('.');
    if (name.length > 255 || tokens.length > 16 || !tokens.every((token) => TOKEN.test(token))) {
      throw new IpcError('INVALID_NAME', `${JSON.stringify(name)} is no event name: up to 16 words of letters, digits, _ and -, joined by dots`, { executed: 'no' });
    }
  };

  function checkPattern(pattern) {
    ekko.check(typeof pattern === 'string', 'the pattern must be a string', pattern);
    const tokens = pattern.split('.');
    const fine = tokens.every((token, i) => token === '*' || TOKEN.test(token) || (token === '**' && i === tokens.length - 1));
    if (pattern.length > 255 || tokens.length > 16 || !fine) {
      throw new IpcError('INVALID_PATTERN', `${JSON.stringify(pattern)} is no pattern: * stands for one whole word, ** for the rest`, { executed: 'no' });
    }
  }

  let lastID = 0;
  const active = new Map();

  // A Subscription is one stream of events from a source, which is a link to
  // a service or a service of this process.
  class Subscription {
    #id = ++lastID;
    #source;
    #take;
    #end;
    #gap;
    #at = new Error().stack;
    #forget = () => {};

    constructor(source, pattern, { signal, from, group }, take, end) {
      checkPattern(pattern);
      ekko.check(group === undefined || typeof group === 'string', 'the group must be a string', group);
      const options = JSON.stringify({ from, group });
      ekko.checkSignal(signal);
      this.#source = source;
      this.#take = take;
      this.#end = end;
      if (signal?.aborted) return;
      active.set(this.#id, this);
      ekko.ref();
      ekko.send('subscribe', this.#id, source.kind, source.id, JSON.stringify(pattern), options);
      if (signal !== undefined) {
        this.#forget = ekko.whenAborted(signal, () => { if (this.stop()) end(signal.reason, true); });
      }
    }

    // stop reports whether there was anything to stop.
    stop() {
      this.#forget();
      if (!active.delete(this.#id)) return false;
      ekko.unref();
      ekko.send('unsubscribe', this.#id);
      return true;
    }

    event([, , channel, data, id, timestamp, seq, epoch, gap]) {
      if (gap) this.#gap = gap;
      if (data === undefined) return;
      const event = { channel, data, id, timestamp, seq, epoch };
      if (this.#gap !== undefined) event.gap = this.#gap;
      this.#gap = undefined;
      this.#take(event);
    }

    get source() { return this.#source; }

    ended(error) {
      if (!this.stop()) return;
      this.#end(error ? ekko.fromWire(error, this.#source.name, undefined, this.#at) : undefined);
    }
  }

  ekko.on('event', (message) => { active.get(message[1])?.event(message); });
  ekko.on('ended', ([, id, error]) => { active.get(id)?.ended(error); });

  // endSubscriptions ends those to a service that has been closed.
  ekko.endSubscriptions = (source) => {
    for (const subscription of [...active.values()]) if (subscription.source === source) subscription.ended();
  };

  // subscribe tells a listener of each event. A listener that throws stops
  // neither the others nor the stream.
  ekko.subscribe = (source, pattern, listener, options = {}) => {
    ekko.check(typeof listener === 'function', 'the listener must be a function', listener);
    const { onError, ...rest } = options;
    const take = (event) => {
      try {
        listener(event.data, event);
      } catch (error) {
        rethrow(error);
      }
    };
    const end = (error, aborted) => {
      if (error === undefined || aborted) return;
      if (onError === undefined) rethrow(error);
      else ekko.guard(onError, error);
    };
    const subscription = new Subscription(source, pattern, rest, take, end);
    const stop = () => { subscription.stop(); };
    stop[Symbol.dispose] = stop;
    return stop;
  };
  const rethrow = (error) => queueMicrotask(() => { throw error; });

  // EventStream keeps events until a loop takes them, up to a limit.
  class EventStream {
    #subscription;
    #queue = [];
    #head = 0;
    #waiting = [];
    #limit;
    #overflow;
    #done = false;
    #error;
    #service;

    // How many events were lost: here, or on the way.
    dropped = 0;

    constructor(source, pattern, { limit = 1024, overflow = 'drop-oldest', ...options } = {}) {
      ekko.check(Number.isInteger(limit) && limit > 0, 'the limit must be a positive integer', limit);
      ekko.check(['drop-oldest', 'drop-newest', 'error'].includes(overflow), "overflow must be 'drop-oldest', 'drop-newest' or 'error'", overflow);
      this.#limit = limit;
      this.#overflow = overflow;
      this.#service = source.name;
      this.#subscription = new Subscription(source, pattern, options, (event) => this.#take(event), (error, aborted) => {
        if (aborted) this.#clear();
        this.#end(error);
      });
      if (options.signal?.aborted) this.#end(options.signal.reason);
    }

    get #length() { return this.#queue.length - this.#head; }

    #take(event) {
      if (event.gap?.to) this.dropped += event.gap.to - event.gap.from + 1;
      if (this.#waiting.length > 0) {
        this.#waiting.shift().resolve({ value: event, done: false });
        return;
      }
      if (this.#length < this.#limit) {
        this.#queue.push(event);
        return;
      }
      this.dropped++;
      if (this.#overflow === 'drop-newest') return;
      if (this.#overflow === 'drop-oldest') {
        this.#shift();
        this.#queue.push(event);
        return;
      }
      this.#subscription.stop();
      this.#end(new IpcError('SLOW_CONSUMER', `more than ${this.#limit} events wait to be taken`, {
        service: this.#service, executed: 'no', details: { dropped: this.dropped, limit: this.#limit },
      }));
    }

    #shift() {
      const event = this.#queue[this.#head];
      this.#queue[this.#head++] = undefined;
      if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      return event;
    }

    // clear throws away what waits, since an abort is meant. Other ends come
    // after what is here already.
    #clear() {
      this.#queue = [];
      this.#head = 0;
    }

    #end(error) {
      if (this.#done) return;
      this.#done = true;
      this.#error = error === undefined ? undefined : { error };
      while (this.#waiting.length > 0) {
        const { resolve, reject } = this.#waiting.shift();
        if (this.#error !== undefined) {
          this.#error = undefined;
          reject(error);
        } else {
          resolve({ value: undefined, done: true });
        }
      }
    }

    next() {
      if (this.#length > 0) return Promise.resolve({ value: this.#shift(), done: false });
      if (this.#error !== undefined) {
        const { error } = this.#error;
        this.#error = undefined;
        return Promise.reject(error);
      }
      if (this.#done) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
    }

    // The loop ends by break, return or an error of its own.
    return(value) {
      this.#subscription.stop();
      this.#clear();
      this.#error = undefined;
      this.#end();
      return Promise.resolve({ value, done: true });
    }

    throw(error) {
      this.return();
      return Promise.reject(error);
    }

    [Symbol.asyncIterator]() { return this; }
    async [Symbol.asyncDispose]() { await this.return(); }
    get [Symbol.toStringTag]() { return 'EventStream'; }
  }

  ekko.stream = (source, pattern, options) => new EventStream(source, pattern, options);
})
