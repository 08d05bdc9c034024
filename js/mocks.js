// Mocks: services that tests put in the place of real ones (testing.js). They
// are looked up here, so that who is not tested loads no more than this.

// One table for all copies of the package in a process.
const KEY = Symbol.for('@ekkojs/ipc mocks');
const table = globalThis[KEY] ??= { mocks: new Map(), tell: () => {} };

const SCHEME = 'mock:';

/** putMock has imports and calls of a name lead to a mock: { methods, dial }. */
export function putMock(name, mock) {
  table.mocks.set(name, mock);
  table.tell(name, mock.methods);
}

/** removeMock gives a name back, if the mock still has it. */
export function removeMock(name, mock) {
  if (table.mocks.get(name) !== mock) return;
  table.mocks.delete(name);
  table.tell(name, undefined);
}

/** tellMocks has fn told of each mock that comes or goes: (name, methods). It is
    for loaders on a thread of their own. */
export function tellMocks(fn) {
  table.tell = fn;
  for (const [name, { methods }] of table.mocks) fn(name, methods);
}

/** hearMock takes what fn was told on the other thread. */
export function hearMock(name, methods) {
  if (methods === undefined) table.mocks.delete(name);
  else table.mocks.set(name, { methods });
}

/** mockedMethods are those of the mock of a name; undefined if there is none. */
export const mockedMethods = (name) => table.mocks.get(name)?.methods;

/** mockAddress is where the mock of a name is; undefined if there is none. */
export const mockAddress = (name) => (table.mocks.has(name) ? SCHEME + name : undefined);

/** dialMock connects to a mock; undefined if the address is none of a mock's. */
export const dialMock = (address) => (address?.startsWith(SCHEME) ? table.mocks.get(address.slice(SCHEME.length))?.dial() : undefined);
