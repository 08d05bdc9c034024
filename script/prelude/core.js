// The loop's side in JavaScript: what goes to Go and what comes from it, one
// string a turn in each direction.
(function (ekko) {
  'use strict';

  // The engine has no explicit resource management: the bundler turns `using`
  // into calls of these.
  for (const name of ['dispose', 'asyncDispose']) {
    if (!Symbol[name]) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
  }

  // Go's functions are taken off the global object: an app cannot reach them.
  const host = Object.create(null);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!name.startsWith('__ekko_')) continue;
    host[name.slice(7)] = globalThis[name];
    delete globalThis[name];
  }
  ekko.host = host;

  // A field never holds a control character: it is a number or JSON text.
  const FIELD = '\x1f';
  const OP = '\x1e';
  let ops = [];
  ekko.send = (...fields) => { ops.push(fields.join(FIELD)); };
  ekko.sendText = (op) => { ops.push(op); }; // joined already, where speed counts

  // What keeps the process alive: calls, subscriptions, services, requests.
  let refs = 0;
  ekko.ref = () => { refs++; };
  ekko.unref = () => { refs--; };

  // again asks for another turn at once.
  let again = false;
  ekko.again = () => { again = true; };

  // Each kind of message from Go has one function. A message is an array
  // that begins with its kind.
  const kinds = Object.create(null);
  ekko.on = (kind, handle) => { kinds[kind] = handle; };

  // guard runs code of the app as the outermost call of a task.
  ekko.guard = (fn, ...args) => {
    try {
      return fn(...args);
    } catch (error) {
      ekko.uncaught(error);
    }
  };

  // step runs one task: the messages that have come, or else one timer.
  ekko.step = (inbox) => {
    if (inbox === '') {
      ekko.checkRejections(); // of the task before
      return ekko.tick();
    }
    const messages = JSON.parse(inbox);
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i];
      try {
        kinds[message[0]](message);
      } catch (error) {
        ekko.uncaught(error);
      }
    }
  };

  // collect ends a turn, after its microtasks.
  ekko.collect = () => {
    ekko.checkRejections();
    const { delay, alive } = ekko.nextTimer();
    const left = refs + alive;
    const head = (again ? 0 : delay) + FIELD + left;
    again = false;
    if (ops.length === 0) return head;
    const batch = head + OP + ops.join(OP);
    ops = [];
    return batch;
  };

  // The app as a module: pending, done, or failed.
  let state = 'pending';
  ekko.start = () => {
    import('ekko:app').then(
      () => { state = 'done'; },
      (error) => {
        state = 'failed';
        ekko.forgive(error);
        ekko.uncaught(error);
      },
    );
  };
  ekko.idle = () => {
    ekko.guard(() => ekko.process.emit('beforeExit', ekko.process.exitCode ?? 0));
    return state;
  };

  // What was given to globalThis for the start is taken back.
  ekko.seal = () => {
    delete globalThis.__ekko;
    delete globalThis.__ekko_track;
  };

  // lazy announces what a file gives to ekko: it is read when one of the
  // names is first used. Most apps use little of the prelude, and to compile
  // all of it would double the time they take to start.
  ekko.lazy = (file, names) => {
    for (const name of names) {
      Object.defineProperty(ekko, name, {
        configurable: true,
        get() {
          for (const each of names) delete ekko[each];
          (0, eval)(`(${host.source(file)}\n)`)(ekko);
          return ekko[name];
        },
      });
    }
  };

  // lazyGlobals does the same and makes globals of them. Assigning to one
  // replaces it, as with any global.
  ekko.lazyGlobals = (file, names) => {
    ekko.lazy(file, names);
    for (const name of names) {
      Object.defineProperty(globalThis, name, {
        configurable: true,
        get() {
          const value = ekko[name];
          ekko.define(globalThis, name, value);
          return value;
        },
        set(value) { ekko.define(globalThis, name, value); },
      });
    }
  };
  ekko.define = (target, name, value) => {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  };
  ekko.globals = (members) => {
    for (const name of Object.keys(members)) ekko.define(globalThis, name, members[name]);
  };

  // bytes is a view of what a buffer or a view of one holds.
  ekko.bytes = (source) => {
    if (source instanceof ArrayBuffer) return new Uint8Array(source);
    ekko.check(ArrayBuffer.isView(source), 'bytes must be an ArrayBuffer or a view of one', source);
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  };

  // check throws the TypeError that a wrong argument deserves.
  ekko.check = (ok, what, value) => {
    if (!ok) throw new TypeError(`${what}, got ${ekko.show(value)}`);
  };
  ekko.show = (value) => {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'function') return 'a function';
    if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
    return String(value);
  };
})
