// Frames: how messages are cut out of what a socket brings, and joined into
// what it is given.
import { byteLength } from './bytes.js';

/** DEFAULT_FRAME is the longest frame in bytes unless a service allows another. */
export const DEFAULT_FRAME = 1 << 20;
/** LONGEST_FRAME is the most that any service may allow. */
export const LONGEST_FRAME = (1 << 24) - 1;

const LINE_FEED = 10;
const HEAD = 4;

/** FrameTooLong is thrown by FrameReader.push: the rest of the connection cannot be read. */
export class FrameTooLong extends Error {
  constructor(actual, limit) {
    super(`a frame of ${actual} bytes or more, and ${limit} are allowed`);
    this.details = { actual, limit };
  }
}

/** A FrameReader takes chunks and gives whole frames as text. What is not
    whole yet is kept as the list of its chunks and put together once: to join
    them with each chunk that comes would take quadratic time. */
export class FrameReader {
  #take;
  #max;
  #framing;
  #chunks = [];
  #held = 0; // bytes in #chunks
  #need = 0; // of a frame with a length: its bytes and those of its head; 0: not known yet
  #text;

  // framing is 'line', 'length', or undefined: then the first four bytes tell
  // (frame.3). take gets the text of each frame. strict has it throw for bytes
  // that are not UTF-8.
  constructor(take, { max = LONGEST_FRAME, framing = undefined, strict = false } = {}) {
    this.#take = take;
    this.#max = max;
    this.#framing = framing;
    const decoder = strict ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) : undefined;
    this.#text = strict ? (bytes, from, to) => decoder.decode(bytes.subarray(from, to)) : (bytes, from, to) => bytes.utf8Slice(from, to);
  }

  /** framing is what has been found out: 'line', 'length' or undefined. */
  get framing() { return this.#framing; }

  /** partial says whether part of a frame waits for the rest. */
  get partial() { return this.#held > 0; }

  push(chunk) {
    if (this.#framing === undefined) {
      chunk = this.#decide(chunk);
      if (chunk === undefined) return;
    }
    if (this.#framing === 'line') this.#lines(chunk);
    else this.#lengths(chunk);
  }

  /** end gives the last line, which may lack its line feed (frame.2). */
  end() {
    if (this.#framing === undefined) {
      if (this.#held === 0) return;
      this.#framing = 'line';
    }
    if (this.#framing !== 'line' || this.#held === 0) return;
    const rest = this.#join();
    this.#line(rest, 0, rest.length);
  }

  // decide returns what has come once there are four bytes of it.
  #decide(chunk) {
    this.#keep(chunk);
    if (this.#held < HEAD) return undefined;
    const head = this.#join();
    this.#framing = head[3] === 0 ? 'length' : 'line';
    return head;
  }

  #lines(chunk) {
    let from = 0;
    let at = chunk.indexOf(LINE_FEED);
    if (at >= 0 && this.#held > 0) {
      this.#limit(this.#held + at);
      this.#keep(chunk.subarray(0, at));
      const whole = this.#join();
      this.#line(whole, 0, whole.length);
      from = at + 1;
      at = chunk.indexOf(LINE_FEED, from);
    }
    while (at >= 0) {
      this.#limit(at - from);
      this.#line(chunk, from, at);
      from = at + 1;
      at = chunk.indexOf(LINE_FEED, from);
    }
    if (from === chunk.length) return;
    this.#limit(this.#held + chunk.length - from);
    this.#keep(from === 0 ? chunk : chunk.subarray(from));
  }

  #line(bytes, from, to) {
    if (to > from && bytes[to - 1] === 13) to--;
    if (to > from) this.#take(this.#text(bytes, from, to));
  }

  #lengths(chunk) {
    if (this.#held > 0) {
      if (this.#need === 0 && this.#held + chunk.length >= HEAD) {
        this.#keep(chunk);
        chunk = this.#join();
      } else {
        const missing = this.#need - this.#held;
        if (this.#need === 0 || chunk.length < missing) return this.#keep(chunk);
        this.#keep(chunk.subarray(0, missing));
        const whole = this.#join();
        this.#take(this.#text(whole, HEAD, whole.length));
        this.#need = 0;
        chunk = chunk.subarray(missing);
      }
    }
    let from = 0;
    this.#need = 0;
    while (chunk.length - from >= HEAD) {
      const length = chunk.readUInt32LE(from);
      this.#limit(length);
      const end = from + HEAD + length;
      if (end > chunk.length) {
        this.#need = HEAD + length;
        break;
      }
      this.#take(this.#text(chunk, from + HEAD, end));
      from = end;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  // A chunk is kept by reference: whoever sends a byte at a time must not be
  // able to hold much memory by little, so small pieces are put together.
  #keep(chunk) {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#chunks.length >= PIECES && this.#held < this.#chunks.length * SMALL) {
      this.#chunks = [Buffer.concat(this.#chunks, this.#held)];
    }
  }

  #join() {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#held);
    this.#chunks = [];
    this.#held = 0;
    return whole;
  }

  #limit(length) {
    if (length > this.#max) throw new FrameTooLong(length, this.#max);
  }
}
const PIECES = 1024;
const SMALL = 64;

/** A FrameWriter joins what is sent in one turn into one write: of all that can
    be done for speed, this counts most. A microtask ends the turn. */
export class FrameWriter {
  #write;
  #waiting = '';
  #count = 0;
  #size = 0; // characters
  #scheduled = false;
  #lengths = false; // each frame has its length in front
  #texts = [];
  #flush = () => this.flush();

  // write is given text or bytes, and how many messages they are.
  constructor(write, framing = 'line') {
    this.#write = write;
    this.#lengths = framing === 'length';
  }

  /** waiting is about how many bytes have not been written yet. */
  get waiting() { return this.#size; }

  push(text) {
    if (this.#lengths) this.#texts.push(text);
    else this.#waiting += text + '\n';
    this.#size += text.length;
    this.#count++;
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#flush);
  }

  flush() {
    this.#scheduled = false;
    if (this.#count === 0) return;
    const count = this.#count;
    const data = this.#lengths ? joinLengths(this.#texts) : this.#waiting;
    this.#count = 0;
    this.#size = 0;
    this.#waiting = '';
    this.#texts = [];
    this.#write(data, count);
  }
}

function joinLengths(texts) {
  if (texts.length === 1) return oneLength(texts[0]);
  let size = 0;
  for (const text of texts) size += HEAD + text.length * 3;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const text of texts) {
    const length = bytes.utf8Write(text, at + HEAD);
    bytes.writeUInt32LE(length, at);
    at += HEAD + length;
  }
  return bytes.subarray(0, at);
}

function oneLength(text) {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEAD + length);
  bytes.writeUInt32LE(length, 0);
  bytes.utf8Write(text, HEAD);
  return bytes;
}

/** dataBytes is how many bytes the value of "data" has in the text of a
    message, as it stands there: credit is counted in those. */
export function dataBytes(text) {
  const [from, to] = dataSpan(text);
  return from === to ? 0 : byteLength(text.slice(from, to));
}

// dataSpan finds the member "data" of the outermost object.
function dataSpan(text) {
  let i = text.indexOf('{') + 1;
  while (i > 0 && i < text.length) {
    i = skipSpace(text, i);
    if (text[i] !== '"') break;
    const name = i;
    i = skipString(text, i);
    const isData = i - name === 6 && text.startsWith('"data"', name);
    i = skipSpace(text, skipSpace(text, i) + 1);
    const from = i;
    i = skipValue(text, i);
    if (isData) return [from, i];
    i = skipSpace(text, i) + 1;
  }
  return [0, 0];
}

function skipSpace(text, i) {
  while (i < text.length && text.charCodeAt(i) <= 32) i++;
  return i;
}

function skipString(text, i) {
  for (;;) {
    i = text.indexOf('"', i + 1);
    if (i < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return i + 1;
  }
}

function skipValue(text, i) {
  let depth = 0;
  for (; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 34:
        i = skipString(text, i) - 1;
        break;
      case 91: case 123:
        depth++;
        break;
      case 93: case 125:
        if (depth === 0) return i;
        depth--;
        break;
      case 44:
        if (depth === 0) return i;
    }
  }
  return i;
}
