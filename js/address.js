// Addresses of services.
import { local } from './error.js';

/** parseAddress reads "unix:/path" and "tcp:host:port". */
export function parseAddress(address) {
  const [, scheme, rest] = /^([a-z]+):(.*)$/s.exec(address) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { path: rest };
  const tcp = scheme === 'tcp' ? /^(?:\[([0-9a-f:]+)\]|([^:]+)):(\d+)$/i.exec(rest) : null;
  if (tcp === null) throw local('INVALID_ARGUMENT', `${JSON.stringify(address)} is no address: unix:/path/of/socket, or tcp:127.0.0.1:port`, { executed: 'no' }).error();
  const host = tcp[1] ?? tcp[2];
  if (!/^(127\.\d+\.\d+\.\d+|::1|localhost)$/i.test(host)) {
    throw local('TRANSPORT_UNSUPPORTED', `${address} is not on this machine, and tcp is not encrypted`, { executed: 'no' }).error();
  }
  return { host: host === 'localhost' ? '127.0.0.1' : host, port: Number(tcp[3]) };
}
