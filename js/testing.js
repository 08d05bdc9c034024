// Testing: mocks of services, for the tests of programs that import them.
//
//   const db = mock('database-service', { getUserById: async (id) => ({ id, name: 'Ada' }) });
//   const { greet } = await import('./greet.js');   // which imports ipc:database-service
//
// A mock is a service of this library, reached within the process: what it is
// sent and what it answers is checked by the manifest, as the real one would.
import { setImmediate } from 'node:timers';

import './register.js';
import { Failure, IpcError, check, isObject } from './error.js';
import { Host } from './host.js';
import { Manifest } from './manifest.js';
import { putMock, removeMock } from './mocks.js';
import { checkName, closest, eventName } from './name.js';
import { pair } from './pair.js';
import { manifestOf } from './registry.js';

// How much a mock remembers; of more the oldest is forgotten.
const MOST_REMEMBERED = 10_000;

const KEY = Symbol.for('@ekkojs/ipc open services');
const active = new Map(); // mocks by name

/** mock puts a service of these handlers in the place of the real one, for
    imports and calls alike, also of what is imported already. */
export function mock(name, handlers = {}, options = {}) {
  checkName(name);
  check(isObject(handlers), 'the handlers must be an object of functions', handlers);
  for (const method of Object.keys(handlers)) check(typeof handlers[method] === 'function', `the handler of ${method} must be a function`, handlers[method]);
  check(isObject(options), 'the options must be an object', options);
  const { manifest, ...rest } = options;
  for (const key of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(key)}: there is manifest`);
  check(manifest === undefined || manifest === null || isObject(manifest), 'the manifest must be an object, or null for none', manifest);
  const made = new Mock(name, handlers, promised(name, manifest));
  made.begin();
  return made;
}

/** restoreAll gives the names of all mocks back to the real services. */
export function restoreAll() {
  for (const each of [...active.values()]) each.restore();
}

// promised is what a mock is held to; undefined: nothing.
function promised(name, given) {
  if (given === null) return undefined;
  const source = given ?? manifestOf(name);
  if (source === undefined) return undefined;
  try {
    return new Manifest(inMemory(source));
  } catch (error) {
    error.message += `\nwithout checks: mock(${JSON.stringify(name)}, …, { manifest: null })`;
    throw error;
  }
}

// A mock keeps events in memory. Nobody who is tested can tell: what is gone when
// a test ends need not be on a disk.
function inMemory(manifest) {
  if (!isObject(manifest.channels)) return manifest;
  const channels = {};
  for (const [name, channel] of Object.entries(manifest.channels)) {
    const { persistent, ...rest } = channel;
    channels[name] = persistent ? { retention: { maxMessages: MOST_REMEMBERED }, ...rest } : rest;
  }
  return { ...manifest, channels };
}

/** A Mock is what tests hold of a service that they stand in for. */
class Mock {
  name;
  /** calls are those that were made: { method, args }, in order. */
  calls = [];
  /** published are the events that the program has published: { event, data }. */
  published = [];

  #host;
  #entry;
  #sockets = new Set();

  constructor(name, handlers, manifest) {
    this.name = name;
    const methods = [...new Set([...Object.keys(handlers), ...(manifest?.methods.keys() ?? [])])];
    if (manifest !== undefined) checkDeclared(manifest, handlers);
    this.#host = new MockHost(name, manifest, this.#recorded(methods, handlers), (event, data) => remember(this.published, { event, data }));
    this.#entry = { methods, dial: () => this.#accept() };
  }

  // recorded wraps the handlers, and has an answer for methods without one.
  #recorded(methods, handlers) {
    const mock = this;
    const all = Object.create(null);
    for (const method of methods) {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : () => { throw missing(mock.name, method); };
      all[method] = { [method](...args) {
        remember(mock.calls, { method, args });
        return Reflect.apply(handler, this, args);
      } }[method];
    }
    return all;
  }

  #accept() {
    const [client, server] = pair();
    this.#sockets.add(server);
    server.on('close', () => this.#sockets.delete(server));
    this.#host.accept(server);
    return client;
  }

  /** begin takes the name, from another mock if need be: whoever has subscribed
      comes over. */
  begin() {
    const before = active.get(this.name);
    active.set(this.name, this);
    putMock(this.name, this.#entry);
    clientOf(this.name)?.move();
    before?.#leave();
  }

  #leave() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** callsOf returns the arguments of each call of a method. */
  callsOf(method) { return this.calls.filter((call) => call.method === method).map(({ args }) => args); }

  /** emit publishes an event as the service. When it is done, who had subscribed
      before has been told. */
  async emit(event, data) {
    await turn();
    const receipt = await this.#host.audience.publish(event, { data: data ?? null, text: JSON.stringify(data) ?? '', ownWord: true });
    if (receipt instanceof Failure) throw receipt.error(this.name);
    await turn();
  }

  /** forget empties what is remembered. */
  forget() {
    this.calls.length = 0;
    this.published.length = 0;
  }

  /** restore gives the name back to the real service. Subscriptions end with the
      mock: they would look for the real service, and keep the test running. */
  restore() {
    if (active.get(this.name) === this) {
      active.delete(this.name);
      removeMock(this.name, this.#entry);
      clientOf(this.name)?.hush();
      clientOf(this.name)?.move();
    }
    this.#leave();
  }

  get [Symbol.toStringTag]() { return 'Mock'; }
}
if (Symbol.dispose) Mock.prototype[Symbol.dispose] = Mock.prototype.restore;

// MockHost notes what its clients publish.
class MockHost extends Host {
  #published;

  constructor(name, manifest, handlers, published) {
    super(name, manifest, handlers);
    this.#published = published;
  }

  take(peer, type, message) {
    const { channel, data } = message;
    const isEvent = type === 'event' && typeof channel === 'string' && !channel.startsWith('ipc.');
    if (isEvent && this.audience.verify(channel, data ?? null) === undefined) this.#published(eventName(channel), data);
    return super.take(peer, type, message);
  }
}

function checkDeclared(manifest, handlers) {
  for (const method of Object.keys(handlers)) {
    if (manifest.methods.has(method)) continue;
    const near = closest(method, [...manifest.methods.keys()]);
    throw new IpcError('INVALID_ARGUMENT', `mock: the manifest of ${manifest.name} declares no method ${JSON.stringify(method)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`, { service: manifest.name, executed: 'no' });
  }
}

const missing = (name, method) => new IpcError('UNIMPLEMENTED', `${name} is mocked, and its mock has no ${method}: add it, mock(${JSON.stringify(name)}, { ${method}: … })`, { executed: 'no' });

function remember(list, one) {
  list.push(one);
  if (list.length > MOST_REMEMBERED) list.shift();
}

// clientOf is what is behind the service's object in this process.
const clientOf = (name) => globalThis[KEY]?.get(name)?.link;

// turn waits until all has arrived that is on the way in this process.
const turn = () => new Promise((resolve) => { setImmediate(resolve); });
