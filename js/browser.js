// @ekkojs/ipc/browser: the same client over a WebSocket, which a gateway leads
// to a service.
//
//   const db = await connect('database-service', { url: 'wss://example.com/ipc' });
//   await db.getUserById(123);
import { check, isObject } from './error.js';
import { LONGEST_FRAME } from './frame.js';
import { Link } from './link.js';
import { checkName } from './name.js';
import { proxy } from './proxy.js';
import { WebSocketWire } from './websocket.js';

export { IpcError } from './error.js';

/** connect gives the service of that name, behind a gateway. It connects with
    the first call. */
export async function connect(name, options) {
  checkName(name);
  check(isObject(options), 'the options must be an object, with the url of a gateway', options);
  const { url, protocols, manifest, timeout, maxFrame, retries, ...rest } = options;
  for (const key of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(key)}: there are url, protocols, manifest, timeout, maxFrame and retries`);
  const address = addressOf(url);
  check(manifest === undefined || isObject(manifest), 'the manifest must be an object', manifest);
  check(timeout === undefined || (typeof timeout === 'number' && timeout >= 0), 'timeout must be milliseconds, 0 for none', timeout);
  check(maxFrame === undefined || (Number.isInteger(maxFrame) && maxFrame > 0 && maxFrame <= LONGEST_FRAME), `maxFrame must be bytes, ${LONGEST_FRAME} at most`, maxFrame);
  check(retries === undefined || (Number.isInteger(retries) && retries >= 0), 'retries must be a number of attempts, 0 for none', retries);
  return proxy(new Link(name, {
    manifest, address, locate: () => ({ addresses: [address] }), timeout, maxFrame, retries,
    framing: 'line', dial: (to) => new WebSocketWire(to, protocols),
  }));
}

// addressOf makes the url absolute; of a page it may be relative.
function addressOf(url) {
  check(typeof url === 'string' || url instanceof URL, 'the url of the gateway must be text, such as wss://example.com/ipc', url);
  const absolute = new URL(url, globalThis.location?.href);
  absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
  check(absolute.protocol === 'ws:' || absolute.protocol === 'wss:', 'the url of the gateway must begin with ws:, wss:, http: or https:', String(url));
  return absolute.href;
}
