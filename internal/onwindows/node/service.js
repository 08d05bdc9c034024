// Serves a pipe: answers each request with what it came with, each frame with
// its length before it. Usage: node service.js \\.\pipe\NAME
import { createServer } from 'node:net';

const server = createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const end = 4 + rest.readUInt32LE(0);
      answer(socket, JSON.parse(rest.subarray(4, end)));
      rest = rest.subarray(end);
    }
  });
  socket.on('error', () => {});
});

function answer(socket, { messageId, data }) {
  const text = Buffer.from(JSON.stringify({
    messageId: `answer-${messageId}`, type: 'response', correlationId: messageId, timestamp: new Date().toISOString(), data: data ?? null,
  }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  socket.write(Buffer.concat([length, text]));
}

server.listen(process.argv[2], () => console.log('listening'));
