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

  // matches says whether a pattern is about a name. Both are known to be right.
  ekko.matches = (pattern, name) => {
    const words = name.split('.');
    const tokens = pattern.split('.');
    if (tokens[tokens.length - 1] === '**') {
      tokens.pop();
      if (words.length <= tokens.length) return false;
    } else if (words.length !== tokens.length) {
      return false;
    }
    return tokens.every((token, i) => token === '*' || token === words[i]);
  };

  // checkOptions returns the options of a subscription as Go reads them.
  function checkOptions({ from, filter, group, durable, credit, ackWait }) {
    for (const [name, value] of Object.entries({ filter, group, durable })) {
      ekko.check(value === undefined || typeof value === 'string', `the ${name} must be a string`, value);
    }
    for (const [name, value] of Object.entries({ credit, ackWait })) {
      ekko.check(value === undefined || (typeof value === 'number' && value > 0), `${name} must be a positive number`, value);
    }
    if (from instanceof Date) from = { time: from.toISOString() };
    return JSON.stringify({ from, filter, group, durable, credit, ackWait });
  }

  // The longest that an event which a listener could not deal with waits
  // before it comes again, in milliseconds.
  const LONGEST = 30_000;

  // Received is an event that has to be acknowledged.
  class Received {
    #number;
    #source;
    constructor(facts, number, source) {
      Object.assign(this, facts);
      this.#number = number;
      this.#source = source;
    }

    // settled says whether something was said of the event.
    static settled(event) { return event.#number === undefined; }

    #settle(what) {
      if (this.#number === undefined) return Promise.resolve();
      const number = this.#number;
      this.#number = undefined;
      const { channel, seq } = this;
      return ekko.lenient(ekko.ask(this.#source, undefined, 'settle', number, JSON.stringify(what)), (error) => {
        ekko.process.emitWarning(`event ${seq} of ${channel} may come again: ${error.code}: ${error.message}`);
      });
    }
    ack() { return this.#settle({ verb: 'ack' }); }
    nak(delay = 0) {
      ekko.check(typeof delay === 'number' && delay >= 0, 'the delay must be milliseconds', delay);
      return this.#settle({ verb: 'nak', delay });
    }
    reject(reason = '') { return this.#settle({ verb: 'reject', reason: String(reason) }); }

    // failed gives the event back: at once, then after longer and longer.
    static failed(event) {
      const times = event.deliveries ?? 1;
      event.nak(times < 2 ? 0 : Math.min(1000 * 2 ** (times - 2), LONGEST));
    }
  }
  const { settled, failed } = Received;
  delete Received.settled;
  delete Received.failed;
  const isReceived = (event) => event instanceof Received;

  let lastID = 0;
  const active = new Map();

  // A Subscription is one stream of events from a source, which is a link to
  // a service or a service of this process.
  class Subscription {
    #id = ++lastID;
    #source;
    #take;
    #end;
    #handling = 0; // listeners that are at an event which they are to acknowledge
    #at = new Error().stack;
    #forget = () => {};

    constructor(source, pattern, { signal, ...rest }, take, end) {
      checkPattern(pattern);
      const options = checkOptions(rest);
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
      if (this.#handling === 0) ekko.send('unsubscribe', this.#id);
      return true;
    }

    // hold keeps the subscription with the service until release, even if it
    // is stopped meanwhile: who has left cannot acknowledge.
    hold() { this.#handling++; }
    release() {
      if (--this.#handling === 0 && !active.has(this.#id)) ekko.send('unsubscribe', this.#id);
    }

    event([, , channel, data, id, timestamp, seq, epoch, more]) {
      if (more === undefined) return this.#take({ channel, data, id, timestamp, stream: channel, seq, epoch });
      const { settle, stream, ...marks } = more;
      const event = { channel, data, id, timestamp, stream: stream ?? channel, seq, epoch, ...marks };
      this.#take(settle === undefined ? event : new Received(event, settle, this.#source));
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
    const { onError, ack = 'auto', ...rest } = options;
    checkAck(ack);
    const take = (event) => {
      if (isReceived(event) && ack === 'auto') return void handle(subscription, listener, event, onError);
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
  const checkAck = (ack) => ekko.check(ack === 'auto' || ack === 'manual', "ack must be 'auto' or 'manual'", ack);

  // handle acknowledges an event when its listener is through with it, and
  // gives it back if that has failed.
  async function handle(subscription, listener, event, onError) {
    subscription.hold();
    try {
      await listener(event.data, event);
      if (!settled(event)) event.ack();
    } catch (error) {
      if (!settled(event)) failed(event);
      if (onError !== undefined) ekko.guard(onError, error);
      else ekko.host.write(2, `the listener of ${event.channel} failed: ${ekko.inspect(error, { colors: ekko.process.stderr.hasColors() })}\n`);
    } finally {
      subscription.release();
    }
  }
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
    #ack;
    #taken; // the event that the loop is at, if it is acknowledged by going on

    // How many events were lost: here, or on the way.
    dropped = 0;

    constructor(source, pattern, { limit = 1024, overflow = 'drop-oldest', ack = 'auto', ...options } = {}) {
      checkAck(ack);
      this.#ack = ack;
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
      if (event.gap?.to) this.dropped += event.gap.count ?? event.gap.to - event.gap.from + 1;
      if (this.#waiting.length > 0) {
        this.#taken = event;
        this.#waiting.shift().resolve({ value: event, done: false });
        return;
      }
      // Of what is to be acknowledged no more comes than there is credit for.
      if (this.#length < this.#limit || isReceived(event)) {
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
      this.#acknowledge();
      if (this.#length > 0) {
        this.#taken = this.#shift();
        return Promise.resolve({ value: this.#taken, done: false });
      }
      if (this.#error !== undefined) {
        const { error } = this.#error;
        this.#error = undefined;
        return Promise.reject(error);
      }
      if (this.#done) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
    }

    // A loop that goes on is through with the event before. One that is left
    // may have failed, so it has to say itself that it has not.
    #acknowledge() {
      const event = this.#taken;
      this.#taken = undefined;
      if (this.#ack === 'auto' && event !== undefined && isReceived(event) && !settled(event)) event.ack();
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
