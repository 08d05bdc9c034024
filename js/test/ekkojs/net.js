// ekko:net, as far as a client needs it, with the shapes of the EkkoJS runtime: a
// number for each connection, arrays of numbers for what is read, an empty one at
// the end, nothing said of what could not be written; and a read that waits keeps
// the program running, as nothing else of a connection does.
import net from 'node:net';

const connections = new Map();
let last = 0;

class Connection {
  #socket;
  #chunks = [];
  #readers = [];
  #ended = false;

  constructor(socket) {
    this.#socket = socket.unref();
    socket.on('data', (chunk) => { this.#chunks.push(chunk); this.#serve(); });
    socket.on('close', () => { this.#ended = true; this.#serve(); });
    socket.on('error', () => {});
  }

  read(max) {
    return new Promise((resolve, reject) => {
      this.#readers.push({ max, resolve, reject });
      this.#socket.ref();
      this.#serve();
    });
  }

  #serve() {
    while (this.#readers.length > 0 && (this.#chunks.length > 0 || this.#ended)) {
      const { max, resolve } = this.#readers.shift();
      const chunk = this.#chunks.shift() ?? [];
      if (chunk.length > max) this.#chunks.unshift(chunk.subarray(max));
      resolve(Array.from(chunk.slice(0, max)));
    }
    if (this.#readers.length === 0) this.#socket.unref();
  }

  write(data) { this.#socket.write(data); }

  close() {
    this.#ended = true;
    for (const { reject } of this.#readers.splice(0)) reject(new Error('the connection was closed'));
    this.#socket.end();
  }
}

export const tcp = {
  connect: (host, port) => new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    socket.once('error', (error) => reject(new Error(error.message)));
    socket.once('connect', () => {
      connections.set(++last, new Connection(socket));
      resolve(last);
    });
  }),
  read: (handle, max = 4096) => (connections.has(handle) ? connections.get(handle).read(max) : Promise.reject(new Error('no such connection'))),
  write(handle, data) { connections.get(handle)?.write(data); },
  close(handle) {
    connections.get(handle)?.close();
    connections.delete(handle);
  },
};
