// Mocks: services that tests put in the place of real ones (testing.js). They
// are looked up here, so that who is not tested loads no more than this.

// One table for all copies of the package in a process.
const KEY = Symbol.for('@ekkojs/ipc mocks');
const mocks = globalThis[KEY] ??= new Map(); // { methods, dial } by name

/** MOCKS is how the channel is called by which loaders hear of mocks that are on
    a thread of their own. */
export const MOCKS = '@ekkojs/ipc mocks';

const SCHEME = 'mock:';

/** putMock has imports and calls of a name lead to a mock: { methods, dial }. */
export function putMock(name, mock) {
  mocks.set(name, mock);
  tell(name, mock.methods);
}

/** removeMock gives a name back, if the mock still has it. */
export function removeMock(name, mock) {
  if (mocks.get(name) !== mock) return;
  mocks.delete(name);
  tell(name, undefined);
}

// What is told is with the loader before this returns.
function tell(name, methods) {
  const channel = new BroadcastChannel(MOCKS);
  channel.postMessage([name, methods]);
  channel.close();
}

/** hearMock takes what was told on another thread. */
export function hearMock(name, methods) {
  if (methods === undefined) mocks.delete(name);
  else mocks.set(name, { methods });
}

/** mockedMethods are those of the mock of a name; undefined if there is none. */
export const mockedMethods = (name) => mocks.get(name)?.methods;

/** mockAddress is where the mock of a name is; undefined if there is none. */
export const mockAddress = (name) => (mocks.has(name) ? SCHEME + name : undefined);

/** dialMock connects to a mock; undefined if the address is none of a mock's. */
export const dialMock = (address) => (address?.startsWith(SCHEME) ? mocks.get(address.slice(SCHEME.length))?.dial() : undefined);
