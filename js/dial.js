// Dialling: how Node reaches the address of a service.
import net from 'node:net';

import { parseAddress } from './address.js';
import { dialMock } from './mocks.js';
import { checkServer } from './place.js';

/** dial returns a socket that will be connected, or throws why there will be none. */
export function dial(address) {
  const mock = dialMock(address);
  if (mock !== undefined) return mock;
  const where = parseAddress(address);
  if (where.path !== undefined) checkServer(where.path);
  return net.connect(where);
}
