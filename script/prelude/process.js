// process, as far as it has a meaning here.
(function (ekko) {
  'use strict';
  const { host } = ekko;
  const facts = JSON.parse(host.facts());

  const listeners = new Map();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

  // watch tells Go whether the app wants to hear of a signal itself.
  const watch = (name) => {
    if (signals.includes(name)) host.watch(name, listeners.has(name));
  };

  function add(name, listener, once, first = false) {
    ekko.check(typeof listener === 'function', 'the listener must be a function', listener);
    const list = listeners.get(name) ?? [];
    const entry = { listener, once };
    listeners.set(name, first ? [entry, ...list] : [...list, entry]);
    watch(name);
    return process;
  }

  function remove(name, listener) {
    const rest = (listeners.get(name) ?? []).filter((entry) => entry.listener !== listener);
    if (rest.length > 0) listeners.set(name, rest);
    else listeners.delete(name);
    watch(name);
    return process;
  }

  function emit(name, ...args) {
    const list = listeners.get(name);
    if (list === undefined) return false;
    for (const { listener, once } of list) {
      if (once) remove(name, listener);
      listener.apply(process, args);
    }
    return true;
  }

  const exitCode = (value) => {
    if (value === undefined || value === null) return 0;
    const number = Number(value);
    ekko.check(Number.isInteger(number), 'the exit code must be an integer', value);
    return number & 0xff;
  };

  // farewell tells the app once that it ends. It may still change the code.
  ekko.leaving = false;
  const farewell = () => {
    if (!ekko.leaving) {
      ekko.leaving = true;
      ekko.guard(() => emit('exit', exitCode(code)));
    }
    return exitCode(code);
  };

  // leave is the end of an app that has nothing left to do.
  ekko.leave = () => String(farewell());

  // exit never returns: Go ends the turn when the host function is through.
  ekko.exit = (status) => {
    code = status;
    host.exit(farewell());
  };

  class Output {
    #fd;
    constructor(fd) { this.#fd = fd; }
    get fd() { return this.#fd; }
    get isTTY() { return facts.columns[this.#fd] > 0; }
    get columns() { return facts.columns[this.#fd] || undefined; }
    get writable() { return true; }
    hasColors() { return facts.colors[this.#fd]; }
    write(chunk, encoding, callback = encoding) {
      if (typeof chunk === 'string') host.write(this.#fd, chunk);
      else host.writeBytes(this.#fd, ekko.bytes(chunk).toBase64());
      if (typeof callback === 'function') queueMicrotask(callback);
      return true;
    }
    end(chunk) { if (chunk !== undefined) this.write(chunk); }
    on() { return this; }
    once() { return this; }
  }

  // stdin gives text, in the pieces in which it comes.
  let waiting = [];
  ekko.on('stdin', ([, text, error]) => {
    ekko.unref();
    const { resolve, reject } = waiting.shift();
    if (error !== undefined) reject(new Error(error));
    else resolve(text === null ? { done: true, value: undefined } : { done: false, value: text });
  });
  const stdin = {
    fd: 0,
    get isTTY() { return facts.columns[0] > 0; },
    next() {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        ekko.ref();
        ekko.send('stdin');
      });
    },
    return: async () => ({ done: true, value: undefined }),
    [Symbol.asyncIterator]() { return this; },
    setEncoding() { return this; },
  };

  const started = host.now();
  const hrtime = ([seconds, nanos] = [0, 0]) => {
    const now = host.now() * 1e6 - seconds * 1e9 - nanos;
    return [Math.floor(now / 1e9), Math.floor(now % 1e9)];
  };
  hrtime.bigint = () => BigInt(Math.round(host.now() * 1e6));

  let code;
  const process = {
    title: 'ekko-ipc',
    version: facts.version,
    versions: { 'ekko-ipc': facts.version.slice(1), quickjs: facts.quickjs },
    release: { name: 'ekko-ipc' },
    argv: facts.argv,
    argv0: facts.argv[0],
    execPath: facts.argv[0],
    execArgv: [],
    env: Object.assign(Object.create(null), facts.env),
    pid: facts.pid,
    ppid: facts.ppid,
    platform: facts.platform,
    arch: facts.arch,
    stdout: new Output(1),
    stderr: new Output(2),
    stdin,
    get exitCode() { return code; },
    set exitCode(value) { code = value === undefined ? undefined : exitCode(value); },
    cwd: () => facts.dir,
    exit: (status = code) => ekko.exit(exitCode(status)),
    abort: () => ekko.exit(134),
    uptime: () => (host.now() - started) / 1000,
    hrtime,
    nextTick(callback, ...args) {
      ekko.check(typeof callback === 'function', 'the callback must be a function', callback);
      queueMicrotask(() => callback(...args));
    },
    emitWarning(warning) {
      const { name = 'Warning', message = warning } = warning instanceof Error ? warning : {};
      if (!emit('warning', warning)) host.write(2, `(ekko-ipc:${facts.pid}) ${name}: ${message}\n`);
    },
    on: (name, listener) => add(name, listener, false),
    addListener: (name, listener) => add(name, listener, false),
    once: (name, listener) => add(name, listener, true),
    prependListener: (name, listener) => add(name, listener, false, true),
    off: remove,
    removeListener: remove,
    removeAllListeners(name) {
      for (const each of name === undefined ? [...listeners.keys()] : [name]) {
        listeners.delete(each);
        watch(each);
      }
      return process;
    },
    emit,
    listeners: (name) => (listeners.get(name) ?? []).map((entry) => entry.listener),
    listenerCount: (name) => listeners.get(name)?.length ?? 0,
    get [Symbol.toStringTag]() { return 'process'; },
  };

  ekko.on('signal', ([, name]) => { emit(name, name); });
  ekko.process = process;
  ekko.globals({ process });
})
