// The client for the EkkoJS runtime, which ekko-ipc gen ekkojs writes beside a
// module for each service.
import { parseAddress } from '../address.js';
import { Link } from '../link.js';
import { proxy } from '../proxy.js';
import { TcpWire } from './tcp.js';

export { IpcError } from '../error.js';
export { bind } from '../proxy.js';

const open = new Map(); // services by name

/** service gives the service of that name at an address, with what its manifest
    promises. It connects with the first call. */
export function service(name, address, manifest) {
  let made = open.get(name);
  if (made === undefined || made.link.closed) {
    const { host, port } = parseAddress(address);
    const link = new Link(name, { manifest, address, locate: () => ({ addresses: [address] }), framing: 'line', dial: () => new TcpWire(host, port) });
    made = { link, proxy: proxy(link) };
    open.set(name, made);
  }
  return made.proxy;
}
