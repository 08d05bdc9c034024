// Pairs: two sockets in one process that are connected to each other. What is
// written to one arrives at the other before the process waits for anything
// else, so that nobody has to wait for time.
import { EventEmitter } from 'node:events';

class End extends EventEmitter {
  writableLength = 0; // nothing ever waits
  #other;
  #ended = false;
  #closed = false;

  join(other) { this.#other = other; }

  write(data, ...rest) {
    const written = rest.at(-1);
    queueMicrotask(() => {
      if (!this.#closed) this.#other.#take('data', Buffer.isBuffer(data) ? data : Buffer.from(data));
      if (typeof written === 'function') written();
    });
    return true;
  }

  // take is how something arrives: nothing does after the end.
  #take(event, value) {
    if (!this.#closed) this.emit(event, value);
  }

  end() {
    if (this.#ended) return;
    this.#ended = true;
    queueMicrotask(() => {
      this.#other.#take('end');
      if (this.#other.#ended) this.destroy();
    });
  }

  destroy(error) {
    if (this.#closed) return;
    this.#ended = true;
    queueMicrotask(() => {
      if (this.#closed) return;
      this.#closed = true;
      if (error !== undefined && error !== null) this.emit('error', error);
      this.emit('close');
      this.#other.destroy();
    });
  }

  // Neither keeps the process alive: who waits for a test waits for the test.
  ref() { return this; }
  unref() { return this; }
}

/** pair returns two sockets. The first is a client's, which is told when it is
    connected. */
export function pair() {
  const [client, server] = [new End(), new End()];
  client.join(server);
  server.join(client);
  queueMicrotask(() => client.emit('connect'));
  return [client, server];
}
