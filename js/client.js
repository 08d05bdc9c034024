// The client's side of the package, which is all that an import of a service
// loads.
import { dial } from './dial.js';
import { Link } from './link.js';
import { check } from './error.js';
import { mockAddress, mockedMethods } from './mocks.js';
import { addressesOf, resolve } from './registry.js';
import { bind, proxy } from './proxy.js';

// One connection for each service in a process, even where the package is
// there twice.
const OPEN = Symbol.for('@ekkojs/ipc open services');
const open = globalThis[OPEN] ??= new Map();

/** service is what a generated module imports: the object of a service that
    has been found. What a bundler has found says no addresses: they are those of
    where the program runs. */
export function service(name, found) {
  let made = open.get(name);
  if (made === undefined || made.link.closed) {
    const link = new Link(name, { manifest: found.manifest, locate: locator(name, found), address: addressesIn(found)[0], dial });
    made = { link, proxy: proxy(link) };
    open.set(name, made);
  }
  return made.proxy;
}

// locator looks again each time, since a service may have moved. What cannot be
// found any more is tried where it was.
function locator(name, found) {
  let last = { addresses: addressesIn(found), manifest: found.manifest };
  return () => {
    const mock = mockAddress(name);
    if (mock !== undefined) return { addresses: [mock] };
    try {
      last = resolve(name);
    } catch (error) {
      if (last.addresses.length === 0) throw error;
    }
    return last;
  };
}

function addressesIn({ addresses, manifest }) {
  if (addresses !== undefined) return addresses;
  try {
    return manifest === undefined ? [] : addressesOf(manifest);
  } catch {
    return []; // whoever connects is told why
  }
}

// find resolves a name. What only a mock stands for is found, too.
function find(name) {
  try {
    return resolve(name);
  } catch (error) {
    if (mockedMethods(name) === undefined) throw error;
    return { manifest: undefined, addresses: [] };
  }
}

export { bind };

/** connect is import('ipc:name') as a function; it takes an address, too. With
    options the service is an object of its own, with a connection of its own. */
export async function connect(name, options = undefined) {
  check(typeof name === 'string', 'connect takes the name of a service, or an address', name);
  check(options === undefined || Object(options) === options, 'the options must be an object', options);
  const { timeout, maxFrame, retries, manifest, ...rest } = options ?? {};
  for (const key of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(key)}: there are timeout, maxFrame, retries and manifest`);
  check(timeout === undefined || (typeof timeout === 'number' && timeout >= 0), 'timeout must be milliseconds, 0 for none', timeout);
  check(maxFrame === undefined || (Number.isInteger(maxFrame) && maxFrame > 0 && maxFrame < 2 ** 24), 'maxFrame must be bytes, 16,777,215 at most', maxFrame);
  check(retries === undefined || (Number.isInteger(retries) && retries >= 0), 'retries must be a number of attempts, 0 for none', retries);
  if (/^[a-z]{2,}:/.test(name)) {
    // By its address alone a service is not known by name (req.1).
    const link = new Link(manifest?.service?.name, { manifest, locate: () => ({ addresses: [name], manifest }), address: name, dial, timeout, maxFrame, retries });
    return proxy(link);
  }
  const found = manifest === undefined ? find(name) : { manifest, addresses: addressesOf(manifest) };
  if (options === undefined) return service(name, found);
  const link = new Link(name, { manifest: found.manifest, locate: () => (mockAddress(name) === undefined ? found : { addresses: [mockAddress(name)] }), address: found.addresses[0], dial, timeout, maxFrame, retries });
  return proxy(link);
}
