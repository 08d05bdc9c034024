// Services that do harm, or whatever else a test has them do.
import net from 'node:net';
import path from 'node:path';

import { connect } from '../index.js';
import { FrameReader } from '../frame.js';

let count = 0;

/** harm serves a socket in a directory on which answer is called with each
    message, and makes a client of it. */
export async function harm(t, runtime, answer, options = { retries: 0 }) {
  const at = path.join(runtime, `h${++count}.sock`);
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    const reader = new FrameReader((text) => answer(socket, JSON.parse(text)));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => { server.listen(at, resolve); });
  const service = await connect(`unix:${at}`, options);
  t.after(() => {
    service.$close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { service, at };
}

/** responseTo writes an answer down. */
export const responseTo = ({ messageId }, more) => `${JSON.stringify({ type: 'response', correlationId: messageId, ...more })}\n`;
