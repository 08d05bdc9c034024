// Serving: the functions of an object answer the calls of other processes.
import { Door, errorOf } from './door.js';
import { EventStream } from './eventstream.js';
import { Failure, IpcError, check, checkSignal, isObject, warn, whenAborted } from './error.js';
import { Host } from './host.js';
import { Manifest } from './manifest.js';
import { subscribe } from './listener.js';
import { checkName, closest } from './name.js';
import { socketPath } from './place.js';
import { publish } from './proxy.js';
import { addressesOf, manifestOf } from './registry.js';

export { context } from './request.js';

/** PATIENCE is how long a service that ends waits for the calls that run. */
const PATIENCE = 5000;

export class Service {
  name;
  addresses;

  #host;
  #door;
  #source;
  #forget = () => {};
  #closing;

  static async open(name, manifest, handlers, { signal, address, ...options }) {
    const service = new Service();
    service.name = name;
    service.#host = new Host(name, manifest, handlers, options);
    service.#source = sourceOf(service.#host, manifest);
    Object.defineProperty(service, 'manifest', { value: manifest?.source ?? { service: { name } } });
    const at = address ?? (manifest === undefined ? undefined : addressesOf(manifest.source)[0]) ?? `unix:${socketPath(name)}`;
    if (!at.startsWith('unix:')) throw new IpcError('UNIMPLEMENTED', `a service in JavaScript is served at a Unix socket, not at ${at}`, { service: name, executed: 'no' });
    service.#door = await Door.open(at.slice('unix:'.length), (socket) => service.#host.accept(socket));
    service.addresses = [at];
    if (signal !== undefined) {
      service.#forget = whenAborted(signal, () => { service.close(); });
      if (signal.aborted) {
        await service.close();
        throw signal.reason;
      }
    }
    watchSignals(service);
    return service;
  }

  get address() { return this.addresses[0]; }

  /** publish spreads an event. */
  publish(event, data, options) { return publish(this.#source, event, data, options); }
  /** subscribe and on are for the service's own events. */
  subscribe(pattern, listener, options) { return subscribe(this.#source, pattern, listener, options); }
  on(pattern, options) { return new EventStream(this.#source, pattern, options); }

  /** close stops accepting and waits for the calls that run. */
  close() {
    this.#forget();
    serving.delete(this);
    this.#closing ??= this.#host.leave(PATIENCE, () => this.#door.close());
    return this.#closing;
  }

  ref() { this.#door.ref(); this.#host.ref(true); return this; }
  unref() { this.#door.unref(); this.#host.ref(false); return this; }

  get [Symbol.toStringTag]() { return 'Service'; }
}
if (Symbol.asyncDispose) Service.prototype[Symbol.asyncDispose] = function dispose() { return this.close(); };

// sourceOf is a service as the events of its own process see it.
function sourceOf(host, manifest) {
  const { audience } = host;
  const spread = (event, text, id) => audience.publish(event, { data: text === '' ? null : JSON.parse(text), text, id, ownWord: true });
  return {
    name: host.name,
    manifest: manifest?.source,
    isQueue: () => false,
    keeps: (event) => audience.keeps(event),
    publish(event, text) {
      const outcome = spread(event, text);
      if (outcome instanceof Failure) {
        outcome.message = `publishing ${event} failed: ${outcome.code}: ${outcome.message}`;
        warn(`${host.name} ${event} ${outcome.code}`, outcome.error(host.name));
      }
    },
    confirmed: (event, text, id) => ({ send: async () => spread(event, text, id) }),
    failed: (_, failure) => failure,
    error: (failure) => failure.error(host.name),
    join: (subscription) => audience.join(subscription),
    leave: (subscription) => audience.leaveLocal(subscription),
  };
}

// A service ends in good order when its process is told to, unless the program
// sees to that itself.
const serving = new Set();
const SIGNALS = ['SIGINT', 'SIGTERM'];
let watching = false;

function watchSignals(service) {
  serving.add(service);
  if (watching) return;
  watching = true;
  for (const signal of SIGNALS) if (process.listenerCount(signal) === 0) process.on(signal, ended);
}

async function ended(signal) {
  for (const each of SIGNALS) process.off(each, ended);
  await Promise.all([...serving].map((service) => service.close()));
  raise(signal, TIMES); // and end as if nobody had listened
}

// raise sends this process a signal, which nobody listens to any more. Deno
// takes a moment to forget that somebody did; elsewhere once is enough, unless
// whoever started the process has the signal ignored.
function raise(signal, times) {
  process.kill(process.pid, signal);
  if (times > 1 && process.listenerCount(signal) === 0) setTimeout(raise, 50, signal, times - 1);
}
const TIMES = 20;

/** serve(name, handlers, options) or serve({ manifest, methods, … }) serves,
    and is fulfilled with the service when it can be called. */
export async function serve(target, handlers, options = {}) {
  let name = target;
  let source;
  if (typeof target !== 'string') {
    check(isObject(target), 'serve takes the name of a service, or { manifest, methods }', target);
    ({ manifest: source, methods: handlers, ...options } = target);
    check(isObject(source), 'the manifest must be an object', source);
    name = source.service?.name;
    check(typeof name === 'string', 'the manifest must name its service', name);
  }
  check(isObject(options), 'the options must be an object', options);
  checkOptions(options);
  checkHandlers(handlers);
  const { signal } = options;
  signal?.throwIfAborted();
  checkName(name);
  source ??= manifestOf(name);
  const manifest = source === undefined ? undefined : new Manifest(source);
  if (manifest !== undefined) checkDeclared(manifest, handlers);
  checkSnapshots(manifest, options.snapshots);
  try {
    return await Service.open(name, manifest, handlers, options);
  } catch (error) {
    throw errorOf(error, name);
  }
}

const isCount = (value) => value === undefined || (Number.isSafeInteger(value) && value > 0);

function checkOptions({ signal, address, maxFrame, maxQueued, maxConnections, maxHeld, snapshots, identify, ...rest }) {
  for (const key of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(key)}: there are signal, address, maxFrame, maxQueued, maxConnections, maxHeld, snapshots and identify`);
  checkSignal(signal);
  check(address === undefined || typeof address === 'string', 'the address must be a string', address);
  check(maxFrame === undefined || (Number.isInteger(maxFrame) && maxFrame >= 1024 && maxFrame < 2 ** 24), 'maxFrame must be 1,024 to 16,777,215 bytes', maxFrame);
  check(isCount(maxQueued), 'maxQueued must be how many requests may wait, 1 or more', maxQueued);
  check(isCount(maxConnections), 'maxConnections must be how many clients may connect, 1 or more', maxConnections);
  check(identify === undefined || typeof identify === 'boolean', 'identify must be true or false', identify);
  check(isCount(maxHeld), 'maxHeld must be how many bytes of events may wait for clients, 1 or more', maxHeld);
  check(snapshots === undefined || isObject(snapshots), 'snapshots must be an object of functions', snapshots);
}

function checkSnapshots(manifest, snapshots = {}) {
  for (const [name, state] of Object.entries(snapshots)) {
    check(typeof state === 'function', `the snapshot of ${name} must be a function`, state);
    if (manifest !== undefined && manifest.event(name) === undefined) throw new IpcError('INVALID_ARGUMENT', `the manifest of ${manifest.name} declares no event or channel ${JSON.stringify(name)} to have a snapshot of`, { service: manifest.name, executed: 'no' });
  }
}

function checkHandlers(handlers) {
  check(isObject(handlers), 'the handlers must be an object of functions', handlers);
  for (const method of Object.keys(handlers)) check(typeof handlers[method] === 'function', `the handler of ${method} must be a function`, handlers[method]);
}

function checkDeclared(manifest, handlers) {
  for (const method of Object.keys(handlers)) {
    if (manifest.methods.has(method)) continue;
    const near = closest(method, [...manifest.methods.keys()]);
    throw new IpcError('INVALID_ARGUMENT', `the manifest of ${manifest.name} declares no method ${JSON.stringify(method)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`, { service: manifest.name, executed: 'no' });
  }
}
