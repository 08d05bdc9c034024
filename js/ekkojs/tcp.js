// Connections by ekko:net, the sockets of the EkkoJS runtime: a number stands for
// each, bytes are read as arrays of numbers, and what is written blocks until the
// system has taken it.
import { tcp } from 'ekko:net';

import { LONGEST_FRAME } from '../frame.js';
import { Wire } from '../wire.js';

const LINE_FEED = 10;
const CHUNK = 65_536;

// A long text leaves in pieces, with a turn between them: the service may be
// writing to us, and would not read on before we do.
const PIECE = 16_384;

// A read that waits keeps the program running. So a connection that nobody waits
// for is closed after this many milliseconds, and made again by the next call.
const IDLE = 200;

export class TcpWire extends Wire {
  #handle;
  #over = false;
  #reading = [];
  #held = 0;
  #waiting = []; // { text, written }
  #size = 0; // characters in #waiting
  #pumping = false;
  #ending = false;
  #idle;

  constructor(host, port) {
    super();
    this.#begin(host, port);
  }

  async #begin(host, port) {
    try {
      this.#handle = await tcp.connect(host, port);
    } catch (error) {
      this.emit('error', error instanceof Error ? error : new Error(String(error)));
      this.emit('close');
      return;
    }
    if (this.#over) return tcp.close(this.#handle);
    this.emit('connect');
    await this.#read();
    this.destroy();
  }

  // read takes what comes until there is no more. What is read when the
  // connection breaks is what a break is.
  async #read() {
    while (!this.#over) {
      let chunk;
      try {
        chunk = await tcp.read(this.#handle, CHUNK);
      } catch (error) {
        if (!this.#over) this.emit('error', error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (!chunk || chunk.length === 0) return this.emit('end');
      this.#take(chunk instanceof Uint8Array ? chunk : Uint8Array.from(chunk));
    }
  }

  #take(bytes) {
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, from)) {
      this.#reading.push(bytes.subarray(from, at));
      from = at + 1;
      const line = new TextDecoder().decode(joined(this.#reading));
      this.#reading = [];
      this.#held = 0;
      if (line !== '') this.emit('data', line);
    }
    if (from === bytes.length) return;
    this.#reading.push(bytes.subarray(from));
    this.#held += bytes.length - from;
    if (this.#held > LONGEST_FRAME) this.destroy(new Error(`the service sent a frame of more than ${LONGEST_FRAME} bytes`));
  }

  get writableLength() { return this.#size; }

  write(text, written) {
    this.#waiting.push({ text, written });
    this.#size += text.length;
    if (!this.#pumping) this.#pump();
  }

  async #pump() {
    this.#pumping = true;
    while (this.#waiting.length > 0 && !this.#over) {
      const { text, written } = this.#waiting[0];
      for (let at = 0; at < text.length && !this.#over;) {
        const end = endOfPiece(text, at);
        tcp.write(this.#handle, text.slice(at, end));
        this.#size -= end - at;
        at = end;
        if (at < text.length) await new Promise((resolve) => { setTimeout(resolve, 0); });
      }
      this.#waiting.shift();
      written?.();
    }
    this.#pumping = false;
    if (this.#ending) this.destroy();
  }

  ref() {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    return this;
  }

  unref() {
    this.ref();
    if (!this.#over) this.#idle = setTimeout(() => this.#retire(), IDLE);
    return this;
  }

  /** end closes when what was written has left. */
  end() {
    this.#ending = true;
    if (!this.#pumping) this.destroy();
  }

  // retire closes what nobody waits for. It is said at once: a call that is made
  // in between would be lost with the connection.
  #retire() {
    this.#over = true;
    this.emit('close');
    if (this.#handle !== undefined) tcp.close(this.#handle);
  }

  destroy(error) {
    if (this.#over) return;
    this.#over = true;
    this.ref();
    if (this.#handle !== undefined) tcp.close(this.#handle);
    queueMicrotask(() => {
      if (error !== undefined && error !== null) this.emit('error', error);
      for (const { written } of this.#waiting.splice(0)) written?.();
      this.emit('close');
    });
  }
}

// endOfPiece does not part the halves of a surrogate pair.
function endOfPiece(text, at) {
  const end = Math.min(at + PIECE, text.length);
  return end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? end - 1 : end;
}

function joined(chunks) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
