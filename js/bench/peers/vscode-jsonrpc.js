// The peer is vscode-jsonrpc over a Unix socket, as language servers use it.
import net from 'node:net';
import path from 'node:path';

import rpc from 'vscode-jsonrpc/node';

import { checkObject } from '../../../bench/node/payload.js';

export const packageName = 'vscode-jsonrpc';

const connectionOf = (socket) => rpc.createMessageConnection(new rpc.SocketMessageReader(socket), new rpc.SocketMessageWriter(socket));

export function serve(dir) {
  const at = path.join(dir, 'vscode-jsonrpc.sock');
  const server = net.createServer((socket) => {
    const connection = connectionOf(socket);
    connection.onRequest('echo', (value) => value);
    connection.listen();
  });
  return new Promise((resolve) => { server.listen(at, () => resolve(at)); });
}

export async function dial(address) {
  const socket = net.connect(address);
  await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
  const connection = connectionOf(socket);
  connection.listen();
  return {
    prepare: JSON.parse,
    call: async (sent) => checkObject(sent, await connection.sendRequest('echo', sent)),
  };
}
