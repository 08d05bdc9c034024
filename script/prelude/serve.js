// Serving: the functions of an object answer the calls of other processes.
(function (ekko) {
  'use strict';
  const { IpcError, host } = ekko;

  let lastService = 0;
  const services = new Map();
  const running = new Map(); // requests being handled, by Go's number

  const CALL = Symbol('call');

  // The `this` of a handler: the object it belongs to, and what is known of
  // the call. Only a handler that asks for its signal gets one made.
  const context = (name, handlers) => Object.create(handlers, {
    caller: { get() { return this[CALL].caller; } },
    method: { get() { return this[CALL].method; } },
    service: { value: name },
    deadline: { get() { return this[CALL].deadline; } },
    signal: {
      get() {
        const call = this[CALL];
        call.controller ??= new ekko.AbortController();
        if (call.cancelled !== undefined) call.controller.abort(call.cancelled);
        return call.controller.signal;
      },
    },
  });

  // current is the context of the handler that runs.
  let current;
  ekko.context = () => {
    if (current === undefined) throw new TypeError('context() is for handlers of a service, before their first await');
    return current;
  };

  class Service {
    #id = ++lastService;
    #state = 'opening';
    #ref = true;
    #handlers;
    #context;
    #opened = Promise.withResolvers();
    #closed = Promise.withResolvers();
    #forget = () => {};
    #source;

    constructor(name, manifest, handlers, { signal, address, maxFrame }) {
      const spec = JSON.stringify({ name, manifest, methods: Object.keys(handlers), address, maxFrame });
      this.name = name;
      this.#handlers = handlers;
      this.#context = context(name, handlers);
      this.#source = { kind: 'service', id: this.#id, name };
      services.set(this.#id, this);
      ekko.ref();
      ekko.send('serve', this.#id, spec);
      if (signal !== undefined) this.#forget = ekko.whenAborted(signal, () => { this.close(); });
    }

    static opened(service) { return service.#opened.promise; }

    ready({ addresses, manifest }) {
      this.addresses = addresses;
      this.address = addresses[0];
      ekko.define(this, 'manifest', manifest);
      this.#source.manifest = manifest;
      this.#state = 'serving';
      this.#opened.resolve(this);
    }

    // ended is the last that Go says of the service.
    ended(error) {
      this.#forget();
      services.delete(this.#id);
      ekko.send('forget', this.#id);
      ekko.endSubscriptions(this.#source);
      if (this.#ref) ekko.unref();
      const failure = error ? ekko.fromWire(error, this.name) : undefined;
      if (this.#state === 'opening') this.#opened.reject(failure ?? new IpcError('CANCELLED', `${this.name} was closed before it served`, { executed: 'no' }));
      else if (failure !== undefined) ekko.uncaught(failure);
      this.#state = 'closed';
      this.#closed.resolve();
    }

    // handle runs a handler for one request.
    handle(rid, method, args, caller) {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined;
      if (handler === undefined) {
        const near = ekko.closest(method, Object.keys(this.#handlers));
        throw new IpcError('UNIMPLEMENTED', `${this.name} does not implement ${method}${near === undefined ? '' : `; did you mean "${near}"?`}`);
      }
      const self = Object.create(this.#context);
      self[CALL] = running.get(rid);
      const before = current;
      current = self;
      try {
        return Reflect.apply(handler, self, args);
      } finally {
        current = before;
      }
    }

    publish(event, data, options) { return ekko.publish(this.#source, event, data, options); }
    subscribe(pattern, listener, options) { return ekko.subscribe(this.#source, pattern, listener, options); }
    on(pattern, options) { return ekko.stream(this.#source, pattern, options); }

    // close stops accepting and waits for the calls that run.
    close() {
      if (this.#state === 'opening' || this.#state === 'serving') {
        if (this.#state === 'serving') this.#state = 'closing';
        ekko.send('shutdown', this.#id);
      }
      return this.#closed.promise;
    }
    async [Symbol.asyncDispose]() { await this.close(); }

    ref() {
      if (!this.#ref && services.has(this.#id)) ekko.ref();
      this.#ref = true;
      return this;
    }
    unref() {
      if (this.#ref && services.has(this.#id)) ekko.unref();
      this.#ref = false;
      return this;
    }
    get [Symbol.toStringTag]() { return 'Service'; }
  }
  const { opened } = Service;
  delete Service.opened;

  ekko.on('serving', ([, id, facts]) => { services.get(id)?.ready(facts); });
  ekko.on('served', ([, id, error]) => { services.get(id)?.ended(error); });

  ekko.on('request', ([, rid, id, method, args, caller, until, streams]) => {
    running.set(rid, { method, caller, deadline: until === 0 ? undefined : new Date(until), controller: undefined, cancelled: undefined, ahead: 0, wake: undefined });
    let result;
    try {
      const service = services.get(id);
      if (service === undefined) throw new IpcError('SHUTTING_DOWN', 'the service has been closed', { executed: 'no' });
      result = service.handle(rid, method, args, caller);
    } catch (error) {
      return failed(rid, error);
    }
    if (streams) {
      pour(rid, result);
    } else if (Object(result) === result && typeof result.then === 'function') {
      result.then((value) => answered(rid, value), (error) => failed(rid, error));
    } else {
      answered(rid, result);
    }
  });

  ekko.on('cancelled', ([, rid, error]) => {
    const call = running.get(rid);
    if (call === undefined) return;
    call.cancelled = ekko.fromWire(error);
    call.controller?.abort(call.cancelled);
    call.wake?.();
  });

  // pour sends what a handler yields, and no faster than it is taken: as many
  // items may be on their way to Go, which knows the same number.
  const WINDOW = 32;
  async function pour(rid, result) {
    const call = running.get(rid);
    let items;
    try {
      const source = await result;
      items = source?.[Symbol.asyncIterator]?.() ?? source?.[Symbol.iterator]?.();
      if (items === undefined) throw new TypeError(`${call.method} streams: its handler has to return what for await takes, as a generator does`);
      for (;;) {
        const { value, done } = await items.next();
        if (done || call.cancelled !== undefined) break;
        ekko.send('yield', rid, JSON.stringify(value) ?? 'null');
        call.ahead++;
        while (call.ahead >= WINDOW && call.cancelled === undefined) await new Promise((resolve) => { call.wake = resolve; });
      }
    } catch (error) {
      return failed(rid, error);
    }
    answered(rid, undefined);
    if (call.cancelled !== undefined) await items.return?.();
  }
  ekko.on('sent', ([, rid]) => {
    const call = running.get(rid);
    if (call === undefined) return;
    call.ahead--;
    call.wake?.();
  });

  function answered(rid, value) {
    let data;
    try {
      data = JSON.stringify(value) ?? '';
    } catch (error) {
      return failed(rid, error);
    }
    running.delete(rid);
    ekko.send('answer', rid, data);
  }

  // A handler's bug is shown here, where it can be mended; the caller gets
  // no more than its message.
  function failed(rid, error) {
    const described = ekko.toWire(error);
    const { method } = running.get(rid);
    running.delete(rid);
    if (described.code === undefined) {
      const text = ekko.inspect(error, { colors: ekko.process.stderr.hasColors() });
      host.write(2, `the handler of ${method} failed: ${text}\n`);
    }
    ekko.send('refuse', rid, JSON.stringify(described));
  }

  // serve(name, handlers, options), or serve({ manifest, methods, … }).
  ekko.serve = async (target, handlers, options = {}) => {
    let manifest;
    let name = target;
    if (typeof target !== 'string') {
      ekko.check(Object(target) === target, 'serve takes the name of a service, or { manifest, methods }', target);
      ({ manifest, methods: handlers, ...options } = target);
      ekko.check(Object(manifest) === manifest, 'the manifest must be an object', manifest);
      name = manifest.service?.name;
      ekko.check(typeof name === 'string', 'the manifest must name its service', name);
    }
    ekko.check(Object(handlers) === handlers && typeof handlers !== 'function', 'the handlers must be an object of functions', handlers);
    for (const method of Object.keys(handlers)) {
      ekko.check(typeof handlers[method] === 'function', `the handler of ${method} must be a function`, handlers[method]);
    }
    const { signal, address, maxFrame, ...rest } = options;
    for (const key of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(key)}: there are signal, address and maxFrame`);
    ekko.check(maxFrame === undefined || (Number.isInteger(maxFrame) && maxFrame >= 1024 && maxFrame < 2 ** 24), 'maxFrame must be 1,024 to 16,777,215 bytes', maxFrame);
    ekko.checkSignal(signal);
    ekko.check(address === undefined || typeof address === 'string', 'the address must be a string', address);
    signal?.throwIfAborted();
    return opened(new Service(name, manifest, handlers, { signal, address, maxFrame }));
  };
})
