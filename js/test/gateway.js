// A gateway, as small as can be: a WebSocket that carries one frame a message,
// and a service at a Unix socket behind each.
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // of the handshake (RFC 6455)
const CLOSE = 8;

// frame writes one WebSocket frame of a server.
function frame(payload, opcode = 1) {
  const bytes = Buffer.from(payload);
  const head = bytes.length < 126 ? Buffer.from([0x80 | opcode, bytes.length])
    : bytes.length < 65536 ? Buffer.from([0x80 | opcode, 126, bytes.length >> 8, bytes.length & 255])
      : Buffer.concat([Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0]), Buffer.from(Uint32Array.of(bytes.length).buffer).reverse()]);
  return Buffer.concat([head, bytes]);
}

// Unframer reads the frames of a client, which are masked.
class Unframer {
  #held = Buffer.alloc(0);
  #parts = [];

  *push(chunk) {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (let one = this.#one(); one !== undefined; one = this.#one()) {
      this.#parts.push(one.payload);
      if (!one.final) continue;
      yield { opcode: one.opcode, text: Buffer.concat(this.#parts.splice(0)).toString() };
    }
  }

  #one() {
    const held = this.#held;
    if (held.length < 2) return undefined;
    const short = held[1] & 127;
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0;
    const at = 2 + wide + 4;
    if (held.length < at) return undefined;
    const length = wide === 2 ? held.readUInt16BE(2) : wide === 8 ? Number(held.readBigUInt64BE(2)) : short;
    if (held.length < at + length) return undefined;
    const payload = Buffer.from(held.subarray(at, at + length));
    for (let i = 0; i < length; i++) payload[i] ^= held[at - 4 + (i & 3)];
    this.#held = held.subarray(at + length);
    return { final: (held[0] & 0x80) !== 0, opcode: held[0] & 15, payload };
  }
}

/** gateway serves the socket at a path, and is fulfilled with { url, sockets,
    say, close }: sockets are the connections that there are, and say sends a
    frame to all. */
export async function gateway(path) {
  const server = http.createServer();
  const sockets = new Set();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    sockets.add(socket);
    lead(socket, net.connect({ path }));
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `ws://127.0.0.1:${server.address().port}/ipc`,
    sockets,
    say(payload, opcode) { for (const socket of sockets) socket.write(frame(payload, opcode)); },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

// lead carries each message of a WebSocket to a service as a line, and back.
function lead(socket, service) {
  const unframer = new Unframer();
  let rest = '';
  socket.on('data', (chunk) => {
    for (const { opcode, text } of unframer.push(chunk)) {
      if (opcode === 1) service.write(`${text}\n`);
      else if (opcode === CLOSE) socket.end(frame(Buffer.from([3, 232]), CLOSE)); // code 1000
    }
  });
  service.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) socket.write(frame(line));
  });
  for (const [one, other] of [[socket, service], [service, socket]]) one.on('error', () => {}).on('close', () => other.destroy());
}
