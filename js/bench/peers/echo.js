// The peer is a plain echo, what a socket of Node's can do with nothing on top
// of it: lines as long as the messages of ours. Either end splits what it reads
// into lines, and writes each by itself.
import net from 'node:net';
import path from 'node:path';

const LENGTH = 250;
const LINE = Buffer.from(`${'x'.repeat(LENGTH - 1)}\n`);

export const serve = (dir) => listen(dir, eachLine);
export const dial = (address) => exchange(address, (socket) => () => socket.write(LINE));

/** listen serves an echo. answering says what it makes of a chunk. */
export function listen(dir, answering) {
  const at = path.join(dir, 'echo.sock');
  const server = net.createServer((socket) => socket.on('data', answering(socket)).on('error', () => {}));
  return new Promise((resolve) => { server.listen(at, () => resolve(at)); });
}

function eachLine(socket) {
  let rest;
  return (chunk) => {
    if (rest !== undefined) chunk = Buffer.concat([rest, chunk]);
    let from = 0;
    for (; chunk.length - from >= LENGTH; from += LENGTH) socket.write(chunk.subarray(from, from + LENGTH));
    rest = from < chunk.length ? chunk.subarray(from) : undefined;
  };
}

/** exchange connects. writing says how a line is written to a socket. */
export async function exchange(address, writing) {
  const socket = net.connect(address);
  await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
  const write = writing(socket);
  const waiting = [];
  let held = 0;
  socket.on('data', (chunk) => {
    for (held += chunk.length; held >= LENGTH; held -= LENGTH) waiting.shift()();
  });
  return {
    prepare: () => LINE,
    call: () => new Promise((resolve) => {
      waiting.push(resolve);
      write();
    }),
  };
}

/** joined writes the lines of one turn together. */
export function joined(socket) {
  let count = 0;
  const flush = () => {
    socket.write(count === 1 ? LINE : Buffer.concat(Array(count).fill(LINE)));
    count = 0;
  };
  return () => { if (count++ === 0) queueMicrotask(flush); };
}
