// Services of other processes, as objects: what `import x from 'ipc:…'` gives.
(function (ekko) {
  'use strict';
  const { IpcError } = ekko;

  // As many calls may be outstanding; more are a mistake of the app's.
  const MOST = 16384;

  // What can be cancelled, calls and fetches, is numbered together.
  let lastCall = 0;
  ekko.nextCall = () => ++lastCall;
  const pending = new Map();

  // request sends a call. The arguments are written down at once: what the app
  // does to them later changes nothing. at is an error made for its stack, which
  // leads to the line of the call: that of the answer would not.
  function request(link, method, quoted, args, options, at) {
    return new Promise((resolve, reject) => {
      const signal = options?.signal;
      if (signal?.aborted) throw signal.reason;
      if (pending.size >= MOST) {
        throw new IpcError('QUEUE_FULL', `${MOST} calls wait for their answers already`, { service: link.name, method, executed: 'no', retryable: true });
      }
      while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
      const data = args.length === 0 ? '' : JSON.stringify(args);
      const id = ++lastCall;
      const call = { resolve, reject, link, method, at, forget: undefined };
      pending.set(id, call);
      ekko.ref();
      ekko.sendText(`call\x1f${id}\x1f${link.id}\x1f${options?.timeout ?? ''}\x1f${quoted}\x1f${data}\x1f${options?.quotedKey ?? '""'}`);
      if (signal !== undefined) {
        call.forget = ekko.whenAborted(signal, () => {
          settle(id);
          ekko.send('cancel', id);
          reject(signal.reason);
        });
      }
    });
  }

  function settle(id) {
    const call = pending.get(id);
    if (call === undefined) return undefined;
    pending.delete(id);
    ekko.unref();
    if (call.forget !== undefined) call.forget();
    return call;
  }

  ekko.on('result', (message) => { settle(message[1])?.resolve(message[2]); });
  ekko.on('failure', ([, id, error]) => {
    const call = settle(id);
    if (call === undefined) return;
    if (error.code === 'PROTOCOL_ERROR' && error.message.includes('stream')) {
      error.message += `; take it by a loop: for await (const item of service.$stream(${JSON.stringify(call.method)}, …))`;
    }
    if (error.code === 'METHOD_NOT_FOUND' && !error.message.includes('did you mean')) {
      const near = ekko.closest(call.method, call.link.methods ?? []);
      if (near !== undefined) error.message += `; did you mean "${near}"?`;
    }
    call.reject(ekko.fromWire(error, call.link.name, call.method, call.at.stack));
  });

  // A published event that the service refuses, or what else is not answered,
  // is a warning, told once.
  const told = new Set();
  function refused(service, doing, error) {
    const key = `${service} ${doing} ${error.code}`;
    if (told.has(key) || told.size >= 256) return;
    told.add(key);
    ekko.process.emitWarning(ekko.fromWire({ ...error, message: `${doing} to ${service} failed: ${error.code}: ${error.message}` }, service));
  }
  ekko.on('refused', ([, service, doing, error]) => { refused(service, doing, error); });

  // keeps says whether the channel of an event keeps it, as far as a manifest
  // tells. What it says of an event never changes.
  function keeps(source, event) {
    if (source.manifest?.channels === undefined) return false;
    source.keeps ??= new Map();
    if (!source.keeps.has(event)) {
      const channel = channelOf(source.manifest.channels, event);
      source.keeps.set(event, channel !== undefined && Boolean(channel.persistent || channel.retention || channel.type === 'queue'));
    }
    return source.keeps.get(event);
  }

  // channelOf returns the channel that carries an event: that of its name, else
  // the first one by name that bundles it.
  function channelOf(channels, event) {
    if (Object.hasOwn(channels, event)) return channels[event];
    const name = Object.keys(channels).sort().find((name) => channels[name].events?.some((pattern) => ekko.matches(pattern, event)));
    return name === undefined ? undefined : channels[name];
  }

  // ask sends an operation that is answered under a number, as a call is.
  ekko.ask = (source, method, operation, ...fields) => {
    const at = new Error();
    return new Promise((resolve, reject) => {
      const id = ++lastCall;
      pending.set(id, { resolve, reject, link: source, method, at, forget: undefined });
      ekko.ref();
      ekko.send(operation, id, ...fields);
    });
  };

  // publish never throws for a peer's sake. What it returns, where there will
  // be a receipt, is a promise of that; when nobody waits for it a failure is
  // the same warning as for other events.
  ekko.publish = (source, event, data, options = {}) => {
    ekko.checkName(event);
    ekko.check(Object(options) === options, 'the options must be an object', options);
    const { confirm, id } = options;
    ekko.check(id === undefined || typeof id === 'string', 'the id of an event must be a string', id);
    const text = JSON.stringify(data) ?? '';
    if (confirm || id !== undefined || keeps(source, event)) {
      const receipt = ekko.ask(source, undefined, 'confirm', source.kind, source.id, JSON.stringify(event), JSON.stringify(id ?? ''), text);
      return ekko.lenient(receipt, (error) => refused(source.kind === 'service' ? `the subscribers of ${source.name}` : source.name, `publishing ${event}`, error));
    }
    ekko.send('publish', source.kind, source.id, JSON.stringify(event), text);
  };

  // What tools and the language itself ask of any object must not become a
  // call. A method of such a name is reached by $call.
  const never = new Set(['then', 'catch', 'finally', 'toJSON', 'asymmetricMatch', 'nodeType', '$$typeof', 'inspect', '__esModule']);
  const reserved = new Set(['subscribe', 'publish', 'on']);

  // streamOf says how a method streams, as the manifest has it; undefined for
  // one that answers once.
  function streamOf(link, name) {
    const methods = link.manifest?.methods;
    return methods !== undefined && Object.hasOwn(methods, name) ? methods[name].stream : undefined;
  }

  // method makes the function of a method, with its name: what that returns is a
  // promise, or for a method that streams what a loop takes. A call's error is
  // made right here, since each frame of its stack costs as much as a value in
  // JSON.
  function method(link, name, options) {
    const quoted = JSON.stringify(name);
    switch (streamOf(link, name)) {
      case 'server':
      case 'both': return { [name]: (...args) => ekko.items(link, name, quoted, args, options) }[name];
      case 'client': return { [name]: () => Promise.reject(unsent(link, name)) }[name];
    }
    return { [name]: (...args) => request(link, name, quoted, args, options, new Error()) }[name];
  }

  const unsent = (link, name) => new IpcError('UNIMPLEMENTED', `${name} reads a stream, and a script cannot send one yet: ekko-ipc call ${link.name}.${name} can, from its standard input, and so can the library for Go`, {
    service: link.name, method: name, executed: 'no',
  });

  // callByName is $call, whose name is whatever the app says it is.
  const callByName = (link, name, args, options) => method(link, String(name), options)(...args);

  // streamByName is $stream, for a method of which no manifest says that it
  // streams.
  const streamByName = (link, name, args, options) => ekko.items(link, String(name), JSON.stringify(String(name)), args, options);

  // notify makes a call that is not answered.
  function notify(link, name, args) {
    while (args.length > 0 && args[args.length - 1] === undefined) args.pop();
    ekko.send('notify', link.id, JSON.stringify(name), args.length === 0 ? '' : JSON.stringify(args));
  }

  // will leaves an event with the service, or takes it back.
  async function will(link, event, data) {
    if (event !== null) ekko.checkName(event);
    await ekko.ask(link, undefined, 'will', link.id, JSON.stringify(event ?? ''), JSON.stringify(data) ?? 'null');
  }

  // batch makes many calls at once.
  function batch(link, calls, options) {
    ekko.check(Array.isArray(calls), 'the calls of a batch must be an array', calls);
    for (const call of calls) ekko.check(Array.isArray(call) && typeof call[0] === 'string', 'each call of a batch must be an array, [method, ...arguments]', call);
    return Promise.allSettled(calls.map(([name, ...args]) => callByName(link, name, args, options)));
  }

  // remote says whether the property key of a service stands for a method
  // that the manifest does not declare.
  const remote = (key) => typeof key === 'string' && !key.startsWith('$') && !never.has(key) && !(key in Object.prototype);

  function options(value) {
    ekko.check(Object(value) === value, 'the options must be an object', value);
    const { timeout, signal, idempotencyKey, ...rest } = value;
    for (const name of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(name)}: there are timeout, signal and idempotencyKey`);
    ekko.check(timeout === undefined || (typeof timeout === 'number' && timeout >= 0), 'timeout must be milliseconds, 0 for none', timeout);
    ekko.checkSignal(signal);
    ekko.check(idempotencyKey === undefined || typeof idempotencyKey === 'string', 'the idempotencyKey must be a string', idempotencyKey);
    if (idempotencyKey === '') throw new IpcError('INVALID_ARGUMENT', 'an idempotencyKey has 1 to 128 bytes, not 0', { executed: 'no' });
    return { timeout: timeout === Infinity ? 0 : timeout, signal, quotedKey: idempotencyKey === undefined ? undefined : JSON.stringify(idempotencyKey) };
  }

  // What a service is called when it is shown.
  class Service {}

  // service makes the object: declared methods are its own properties, so
  // that Object.keys and a debugger show them, and its prototype is a Proxy
  // that makes a call of everything else.
  function service(link) {
    const missed = new Map();
    const self = Object.create(new Proxy(Object.create(null, { constructor: { value: Service } }), {
      get(_, key, receiver) {
        if (key === Symbol.toStringTag) return `ipc:${link.name}`;
        if (!remote(key)) return Reflect.get(Object.prototype, key, receiver);
        if (!missed.has(key)) missed.set(key, method(link, key));
        return missed.get(key);
      },
    }));
    for (const name of link.methods) {
      if (never.has(name) || reserved.has(name)) continue;
      Object.defineProperty(self, name, { value: method(link, name), writable: true, configurable: true, enumerable: true });
    }
    const hidden = {
      subscribe: (pattern, listener, opts) => ekko.subscribe(link, pattern, listener, opts),
      on: (pattern, opts) => ekko.stream(link, pattern, opts),
      publish: (event, data, opts) => ekko.publish(link, event, data, opts),
      $call: (name, ...args) => callByName(link, name, args),
      $stream: (name, ...args) => streamByName(link, name, args),
      $will: (event, data) => will(link, event, data),
      $notify: (name, ...args) => notify(link, String(name), args),
      $batch: (calls) => batch(link, calls),
      $with: (opts) => view(link, self, options(opts)),
      $close: () => ekko.send('close', link.id),
    };
    for (const name of Object.keys(hidden)) ekko.define(self, name, hidden[name]);
    Object.defineProperty(self, '$manifest', { get: () => link.manifest });
    Object.defineProperty(self, '$address', { get: () => link.address });
    return self;
  }

  // view is the same service with options for each call.
  function view(link, self, opts) {
    const made = new Map();
    const signalled = (more) => (opts.signal === undefined ? more : { signal: opts.signal, ...more });
    return new Proxy(self, {
      get(_, key) {
        if (key === '$call') return (name, ...args) => callByName(link, name, args, opts);
        if (key === 'subscribe') return (pattern, listener, more) => self.subscribe(pattern, listener, signalled(more));
        if (key === 'on') return (pattern, more) => self.on(pattern, signalled(more));
        if (key === '$batch') return (calls) => batch(link, calls, opts);
        if (key === '$stream') return (name, ...args) => streamByName(link, name, args, opts);
        if (key === '$with') return (more) => view(link, self, { ...opts, ...Object.fromEntries(Object.entries(options(more)).filter(([, v]) => v !== undefined)) });
        const declared = typeof key === 'string' && link.methods.includes(key) && !never.has(key) && !reserved.has(key);
        if (!declared && (!remote(key) || Object.hasOwn(self, key))) return Reflect.get(self, key, self);
        if (!made.has(key)) made.set(key, method(link, key, opts));
        return made.get(key);
      },
    });
  }

  // One link and one object for each service, however it is imported.
  const links = new Map();

  // open gives the service that spec describes: name, address, methods and
  // manifest, as Go resolved them.
  ekko.open = (spec) => {
    let link = links.get(spec.name);
    if (link === undefined) {
      link = { kind: 'link', id: links.size + 1, methods: [], ...spec };
      link.service = service(link);
      links.set(spec.name, link);
      ekko.send('link', link.id, JSON.stringify(spec.name));
    }
    return link.service;
  };

  // bind is the function behind a named import.
  ekko.bind = (opened, name) => (Object.hasOwn(opened, name) && !reserved.has(name) ? opened[name] : (...args) => opened.$call(name, ...args));

  // fail is the body of a module that could not be found.
  ekko.fail = (error) => { throw ekko.fromWire(error, error.service); };

  // checkSignal lets undefined pass.
  ekko.checkSignal = (signal) => {
    ekko.check(signal === undefined || signal instanceof ekko.AbortSignal, 'the signal must be an AbortSignal', signal);
  };

  // whenAborted calls fn when the signal ends, and returns how to stop that.
  ekko.whenAborted = (signal, fn) => {
    signal.addEventListener('abort', fn, { once: true });
    return () => signal.removeEventListener('abort', fn);
  };

  // connect is import('ipc:name') as a function.
  ekko.connect = async (name, opts = {}) => {
    ekko.check(typeof name === 'string', 'connect takes the name of a service, or an address', name);
    ekko.check(Object(opts) === opts, 'the options must be an object', opts);
    for (const key of Object.keys(opts)) {
      if (['maxFrame', 'retries', 'manifest'].includes(key)) throw new IpcError('UNIMPLEMENTED', `connect takes no ${key} in the embedded runtime: run the app with --runtime node`, { executed: 'no' });
      if (key !== 'timeout') throw new TypeError(`there is no option ${JSON.stringify(key)}: there are timeout, maxFrame, retries and manifest`);
    }
    const { default: service } = await import(`ipc:${name}`);
    return opts.timeout === undefined ? service : service.$with({ timeout: opts.timeout });
  };

  // What @ekkojs/ipc exports.
  ekko.face = {
    IpcError,
    connect: ekko.connect,
    context: () => ekko.context(),
    serve: async (...args) => ekko.serve(...args),
  };
})
