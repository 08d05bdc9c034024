// Methods that stream: what they answer is taken by a loop.
(function (ekko) {
  'use strict';

  // As many items may be on their way to a loop; Go knows the same number.
  const WINDOW = 32;

  const active = new Map();

  // An ItemStream is one call. It is made when the loop begins, and the
  // service is told to stop when the loop is left.
  class ItemStream {
    #link;
    #method;
    #send;
    #signal;
    #at = new Error().stack;
    #id;
    #items = [];
    #waiting = [];
    #taken = 0;
    #done = false;
    #failure;
    #forget = () => {};

    constructor(link, method, quoted, args, options) {
      this.#link = link;
      this.#method = method;
      this.#signal = options?.signal;
      while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
      const data = args.length === 0 ? '' : JSON.stringify(args);
      this.#send = (id) => ekko.send('stream', id, link.id, options?.timeout ?? 0, quoted, data);
    }

    #begin() {
      if (this.#signal?.aborted) {
        this.#end({ error: this.#signal.reason });
        return;
      }
      this.#id = ekko.nextCall();
      active.set(this.#id, this);
      ekko.ref();
      this.#send(this.#id);
      if (this.#signal === undefined) return;
      this.#forget = ekko.whenAborted(this.#signal, () => {
        this.#stop();
        this.#items = [];
        this.#end({ error: this.#signal.reason });
      });
    }

    // stop has Go forget the call.
    #stop() {
      if (this.#settle()) ekko.send('cancel', this.#id);
    }

    // settle reports whether the call was under way.
    #settle() {
      this.#forget();
      if (!active.delete(this.#id)) return false;
      ekko.unref();
      return true;
    }

    item(value) {
      if (this.#waiting.length === 0) {
        this.#items.push(value);
        return;
      }
      this.#waiting.shift().resolve({ value, done: false });
      this.#took();
    }

    // took makes room for more, not for each item by itself.
    #took() {
      if (++this.#taken < WINDOW / 2) return;
      ekko.send('grant', this.#id, this.#taken);
      this.#taken = 0;
    }

    ended(error) {
      this.#settle();
      this.#end(error ? { error: ekko.fromWire(error, this.#link.name, this.#method, this.#at) } : undefined);
    }

    // end tells all who wait: the first of the failure, if there is one.
    #end(failure) {
      if (this.#done) return;
      this.#done = true;
      this.#failure = failure;
      for (const { resolve, reject } of this.#waiting.splice(0)) this.#last().then(resolve, reject);
    }

    #last() {
      const failure = this.#failure;
      this.#failure = undefined;
      return failure === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(failure.error);
    }

    next() {
      if (this.#id === undefined && !this.#done) this.#begin();
      if (this.#items.length > 0) {
        const value = this.#items.shift();
        if (!this.#done) this.#took();
        return Promise.resolve({ value, done: false });
      }
      if (this.#done) return this.#last();
      return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
    }

    // The loop ends by break, return or an error of its own.
    return(value) {
      this.#stop();
      this.#items = [];
      this.#failure = undefined;
      this.#end();
      return Promise.resolve({ value, done: true });
    }

    throw(error) {
      this.return();
      return Promise.reject(error);
    }

    [Symbol.asyncIterator]() { return this; }
    async [Symbol.asyncDispose]() { await this.return(); }
    get [Symbol.toStringTag]() { return 'ItemStream'; }
  }

  ekko.on('item', ([, id, value]) => { active.get(id)?.item(value); });
  ekko.on('end', ([, id, error]) => { active.get(id)?.ended(error); });

  ekko.items = (link, method, quoted, args, options) => new ItemStream(link, method, quoted, args, options);
})
