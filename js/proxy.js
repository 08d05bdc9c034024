// Services of other processes, as objects: what `import x from 'ipc:…'` gives.
import { byteLength } from './bytes.js';
import { Failure, IpcError, check, checkSignal, show, warn } from './error.js';
import { EventStream } from './eventstream.js';
import { uuid } from './id.js';
import { ItemStream, isStream, upload } from './itemstream.js';
import { subscribe } from './listener.js';
import { checkName } from './name.js';

// What tools and the language itself ask of any object must not become a
// call. A method of such a name is reached by $call.
const NEVER = new Set(['then', 'catch', 'finally', 'toJSON', 'asymmetricMatch', 'nodeType', '$$typeof', 'inspect', '__esModule']);
const RESERVED = new Set(['subscribe', 'publish', 'on']);

/** isCallable says whether a property of a service may be a method's. */
const isCallable = (key) => !NEVER.has(key) && !RESERVED.has(key) && !key.startsWith('$');

/** publish never throws for a peer's sake. It returns a promise of the receipt
    where there is one. source has publish, confirmed, failed, error, keeps and ask. */
export function publish(source, event, data, options = {}) {
  checkName(event);
  check(Object(options) === options, 'the options must be an object', options);
  const { confirm = false, id, ...rest } = options;
  for (const name of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(name)}: there are confirm and id`);
  check(typeof confirm === 'boolean', 'confirm must be true or false', confirm);
  check(id === undefined || (typeof id === 'string' && id !== ''), 'the id of an event must be a string', id);
  const text = JSON.stringify(data) ?? '';
  const send = (kept) => (confirm || id !== undefined || kept ? receipt(source, event, text, id ?? uuid(), kept) : source.publish(event, text));
  const kept = source.keeps(event);
  const sent = kept === undefined ? promised(source, event, text, send) : send(kept);
  return sent && lenient(sent, (error) => warn(`${source.name} ${event} ${error.code}`, error));
}

// promised sends an event when it is known what its channel promises.
async function promised(source, event, text, send) {
  const outcome = await new Promise((resolve) => {
    source.ask(event, text.length, (failure, kept) => resolve(failure ?? send(kept)));
  });
  if (outcome instanceof Failure) throw source.error(outcome, undefined);
  return outcome;
}

async function receipt(source, event, text, id, kept) {
  const call = source.confirmed(event, text, id, kept);
  let outcome = await call.send();
  if (outcome instanceof Failure) outcome = await source.failed(call, outcome);
  if (outcome instanceof Failure) throw source.error(outcome, undefined);
  return outcome;
}

// lenient makes a promise whose failure is only told where nobody waits for it.
function lenient(promise, tell) {
  let waited = false;
  promise.catch((error) => { if (!waited) tell(error); });
  return new Proxy(promise, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      waited = true;
      return value.bind(target);
    },
  });
}

// options checks those of $with.
function optionsOf(value) {
  check(Object(value) === value, 'the options must be an object', value);
  const { timeout, signal, idempotencyKey, ...rest } = value;
  for (const name of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(name)}: there are timeout, signal and idempotencyKey`);
  check(timeout === undefined || (typeof timeout === 'number' && timeout >= 0), 'timeout must be milliseconds, 0 for none', timeout);
  check(idempotencyKey === undefined || typeof idempotencyKey === 'string', 'an idempotencyKey must be a string', idempotencyKey);
  if (idempotencyKey === '' || byteLength(idempotencyKey ?? '') > 128) throw new IpcError('INVALID_ARGUMENT', `an idempotencyKey has 1 to 128 bytes, not ${byteLength(idempotencyKey)}`, { executed: 'no' });
  checkSignal(signal);
  const given = {};
  if (timeout !== undefined) given.timeout = timeout === Infinity ? 0 : timeout;
  if (signal !== undefined) given.signal = signal;
  if (idempotencyKey !== undefined) given.idempotencyKey = idempotencyKey;
  return given;
}

// method makes the function of a method, with its name. It is async, and what
// fails becomes an error behind its await: so the error's stack has the line of
// the caller, in all engines.
function method(link, name, options) {
  const route = link.route(name);
  switch (route.stream) {
    case 'server': return { [name]: (...args) => new ItemStream(link, route, args, options) }[name];
    case 'both': return { [name]: (...args) => new ItemStream(link, route, args, options, args.pop()) }[name];
    case 'client': return { [name]: (...args) => upload(link, route, args, streamIn(name, args), options) }[name];
  }
  return {
    async [name](...args) {
      if (args.length > 0 && isStream(args[args.length - 1])) return upload(link, route, args, args.pop(), options);
      const call = link.call(route, args, options);
      let outcome = await call.send();
      if (outcome instanceof Failure) outcome = await link.failed(call, outcome);
      if (outcome instanceof Failure) throw link.error(outcome, name);
      return outcome;
    },
  }[name];
}

function streamIn(name, args) {
  const source = args.pop();
  check(isStream(source), `the last argument of ${name} must be what a for await takes`, source);
  return source;
}

// What a service is called when it is shown.
class Service {}

/** proxy makes the object of a service. Declared methods are its own
    properties, so that Object.keys and a debugger show them and a call costs
    nothing more; its prototype makes a call of everything else. */
export function proxy(link) {
  const missed = new Map();
  const self = Object.create(new Proxy(Object.create(null, { constructor: { value: Service } }), {
    get(_, key, receiver) {
      if (key === Symbol.toStringTag) return `ipc:${link.name}`;
      if (typeof key !== 'string' || !isCallable(key) || key in Object.prototype) return Reflect.get(Object.prototype, key, receiver);
      let made = missed.get(key);
      if (made === undefined) {
        if (missed.size >= MOST_MISSED) missed.clear();
        missed.set(key, made = method(link, key));
      }
      return made;
    },
    set: (_, key, value, receiver) => Reflect.defineProperty(receiver, key, { value, writable: true, configurable: true, enumerable: true }),
  }));
  for (const name of link.methods) {
    if (isCallable(name)) Object.defineProperty(self, name, { value: method(link, name), writable: true, configurable: true, enumerable: true });
  }
  for (const [name, value] of Object.entries(builtins(link))) Object.defineProperty(self, name, { value, configurable: true, writable: true });
  Object.defineProperty(self, '$manifest', { get: () => link.manifest });
  Object.defineProperty(self, '$address', { get: () => link.address });
  return self;
}
const MOST_MISSED = 4096;

// builtins are what a service has besides its methods. options are those of
// $with.
function builtins(link, options = {}) {
  const named = (name) => {
    check(typeof name === 'string', 'the name of a method must be a string', name);
    return name;
  };
  return {
    subscribe: (pattern, listener, opts) => subscribe(link, pattern, listener, options.signal === undefined ? opts : { signal: options.signal, ...opts }),
    on: (pattern, opts) => new EventStream(link, pattern, options.signal === undefined ? opts : { signal: options.signal, ...opts }),
    publish: (event, data, opts) => publish(link, event, data, opts),
    $call: (name, ...args) => method(link, named(name), options)(...args),
    $stream: (name, ...args) => {
      const source = isStream(args[args.length - 1]) ? args.pop() : undefined;
      return new ItemStream(link, link.route(named(name)), args, options, source);
    },
    $notify: (name, ...args) => link.notify(link.route(named(name)), args),
    $batch: (calls) => batch(link, calls, options),
    $will: (event, data) => will(link, event, data, options),
    $with: (more) => view(link, { ...options, ...optionsOf(more) }),
    $close: () => link.close(),
  };
}

// will leaves an event with the service, or takes it back.
async function will(link, event, data, options) {
  if (event !== null) checkName(event);
  const failure = await link.will.set(event === null ? null : { event, data }, options);
  if (failure !== undefined) throw link.error(failure, undefined);
}

// batch makes many calls at once. What is sent in one turn leaves in one
// write, so they need no message of their own kind.
function batch(link, calls, options) {
  check(Array.isArray(calls), 'the calls of a batch must be an array', calls);
  const made = calls.map((call) => {
    check(Array.isArray(call) && typeof call[0] === 'string', 'each call of a batch must be an array, [method, ...arguments]', call);
    return method(link, call[0], options);
  });
  return Promise.allSettled(made.map((fn, i) => fn(...calls[i].slice(1))));
}

// view is the same service with options for each call.
function view(link, options) {
  const own = new Map(Object.entries(builtins(link, options)));
  return new Proxy(proxy(link), {
    get(target, key) {
      if (typeof key !== 'string') return Reflect.get(target, key, target);
      let made = own.get(key);
      if (made === undefined) {
        const declared = Object.hasOwn(target, key) && isCallable(key);
        if (!declared && (!isCallable(key) || key in Object.prototype)) return Reflect.get(target, key, target);
        if (own.size >= MOST_MISSED) own.clear();
        own.set(key, made = method(link, key, options));
      }
      return made;
    },
  });
}

/** bind is the function behind a named import. */
export function bind(service, name) {
  if (typeof name !== 'string') throw new TypeError(`the name of a method must be a string, got ${show(name)}`);
  return Object.hasOwn(service, name) && isCallable(name) ? service[name] : (...args) => service.$call(name, ...args);
}
