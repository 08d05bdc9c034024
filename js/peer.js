// A Peer is one client of a service: what it sends is read strictly, and
// answered.
import { ClientCalls } from './callback.js';
import { isObject } from './error.js';
import { FrameReader, FrameTooLong, FrameWriter } from './frame.js';
import { nextId, timestamp } from './id.js';
import { UNKNOWN } from './identity.js';
import { JSONFault, parse } from './json.js';
import { Outlet } from './outlet.js';
import { refuse } from './refusal.js';

const MOST_FAULTS = 16; // messages that cannot be read (msg.3)
const MOST_WAITING = 8 << 20; // bytes for a peer that does not read (limit.2)
const MOST_AT_ALL = 64 << 20; // bytes for one that does, slower than is answered
const ENOUGH_WAITING = 256 << 10; // bytes behind which events wait in their outlets, and requests unread
const FRAME_TIME = 30_000; // from the first byte of a message to its last
const WRITE_TIME = 10_000; // in which something has to be read
const SHORT_WRITE_TIME = 1000; // the same, where more waits than may for one who does not read

const FIELDS = ['messageId', 'channel', 'action', 'correlationId'];
const META = {
  timeoutMs: Number.isInteger, seq: Number.isInteger, credit: Number.isInteger, deliveries: Number.isInteger,
  epoch: isText, stream: isText, subscription: isText, traceparent: isText, tracestate: isText, idempotencyKey: isText,
  snapshot: isBoolean, redelivered: isBoolean, confirm: isBoolean, more: isBoolean,
  gap: (v) => isObject(v) && Number.isInteger(v.from) && Number.isInteger(v.to),
};
function isText(value) { return typeof value === 'string'; }
function isBoolean(value) { return typeof value === 'boolean'; }

export class Peer {
  /** members are its subscriptions, by id. */
  members = new Map();
  /** running are its requests that are not answered, by id. */
  running = new Map();
  /** plain is where the events of its plain subscriptions wait. */
  plain;
  /** settling are the events that it has published and that wait for a place. */
  settling = new Set();
  /** calls are those that the service makes of the client. */
  calls = new ClientCalls(this);
  /** identity is who the kernel says it is, and caller what handlers know of that. */
  identity = UNKNOWN;
  caller = callerOf(UNKNOWN);
  will = undefined;
  closed = false;

  #host;
  #socket;
  #reader;
  #writer;
  #faults = 0;
  #slow; // timer of a message that is not whole
  #stalled; // timer of a write
  #later = []; // messages that are taken up when some of the answers have been read
  #ended = false; // the client has closed its sending side

  constructor(host, socket) {
    this.#host = host;
    this.#socket = socket;
    this.plain = new Outlet(this, host.audience.budget);
    this.#reader = new FrameReader((text) => this.#frame(text), { max: host.maxFrame, strict: true });
    socket.on('data', (chunk) => this.#data(chunk));
    socket.on('end', () => this.#halfClosed());
    socket.on('error', () => {});
    socket.on('drain', () => this.#drained());
    socket.on('close', () => this.#gone());
  }

  /** writable says that events need not wait in their outlets. */
  get writable() { return !this.closed && this.#socket.writableLength + (this.#writer?.waiting ?? 0) < ENOUGH_WAITING; }

  #data(chunk) {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      return this.#unreadable(error);
    }
    if (this.#reader.partial && this.#later.length === 0) {
      this.#slow ??= setTimeout(() => this.#socket.destroy(), FRAME_TIME).unref();
    } else if (this.#slow !== undefined) {
      clearTimeout(this.#slow);
      this.#slow = undefined;
    }
  }

  // What is not whole when a frame is too long cannot be skipped (frame.6).
  #unreadable(error) {
    if (error instanceof FrameTooLong) this.#fail(undefined, refuse('MESSAGE_TOO_LARGE', error.message, { limit: this.#host.maxFrame }));
    else this.#malformed(undefined, 'MALFORMED_MESSAGE', 'it is not UTF-8');
    if (error instanceof FrameTooLong || error instanceof TypeError) this.end();
  }

  #halfClosed() {
    this.#ended = true;
    try {
      this.#reader.end();
    } catch (error) {
      return this.#unreadable(error);
    }
    this.calls.lost(); // it will answer no more
    this.finished();
  }

  /** finished closes a connection whose client has closed its sending side and
      has all its answers (frame.9). */
  finished() {
    if (this.#ended && this.running.size === 0 && this.#later.length === 0) this.end();
  }

  // Who does not read the answers is not asked for more questions.
  #frame(text) {
    if (this.closed) return;
    if (this.writable && this.#later.length === 0) return this.#read(text);
    this.#later.push(text);
    this.#socket.pause();
  }

  #goOn() {
    if (this.#later.length === 0) return;
    const later = this.#later;
    this.#later = [];
    for (const [i, text] of later.entries()) {
      if (this.closed) return;
      if (!this.writable) {
        this.#later = later.slice(i);
        return;
      }
      this.#read(text);
    }
    this.#socket.resume();
  }

  #read(text) {
    let message;
    try {
      message = parse(text, true);
    } catch (error) {
      if (!(error instanceof JSONFault)) throw error;
      return this.#malformed(/^\s*\[/.test(text) ? undefined : idIn(text), error.code, error.message);
    }
    if (!Array.isArray(message)) return this.#message(message);
    if (message.length === 0) return this.#malformed(undefined, 'MALFORMED_MESSAGE', 'a batch of nothing');
    for (const one of message) this.#message(one);
  }

  #message(message) {
    const why = faultIn(message);
    if (why !== undefined) return this.#malformed(idOf(message), 'MALFORMED_MESSAGE', why);
    const type = message.type.toLowerCase();
    if (!this.#host.take(this, type, message)) this.#fail(idOf(message), refuse('PROTOCOL_ERROR', `there is no type of message ${JSON.stringify(message.type)}`));
  }

  #malformed(id, code, why) {
    if (++this.#faults > MOST_FAULTS) return this.end();
    this.#fail(id, refuse(code, why));
  }

  #fail(id, failure) {
    this.#say(id, `"error":${errorText(failure)}`);
  }

  /** answer answers a message, if it has an id: text is data as JSON. */
  answer(id, text) {
    if (id !== undefined) this.#say(id, `"data":${text}`);
  }

  /** refuse answers it with a failure. */
  refuse(id, failure) {
    if (id !== undefined) this.#fail(id, failure);
  }

  /** item is one answer of several. */
  item(id, text) {
    this.#say(id, `"data":${text}`, ',"metadata":{"more":true}');
  }

  #say(id, body, more = '') {
    const whose = id === undefined ? '' : `,"correlationId":${JSON.stringify(id)}`;
    this.send(`{"type":"response","messageId":"${nextId()}",${body},"timestamp":"${timestamp()}"${whose}${more}}`);
  }

  /** event sends an event that is about the connection itself. */
  event(channel, more = '') {
    this.send(`{"type":"event","messageId":"${nextId()}","channel":"${channel}","timestamp":"${timestamp()}"${more}}`);
  }

  send(text) {
    if (this.closed) return;
    this.#writer ??= new FrameWriter((data) => this.#write(data), this.#reader.framing ?? 'length');
    this.#writer.push(text);
    if (this.#writer.waiting >= ENOUGH_WAITING) this.#writer.flush();
  }

  #write(data) {
    if (this.closed) return;
    const socket = this.#socket;
    socket.write(data, 'utf8');
    if (socket.writableLength > MOST_AT_ALL) return socket.destroy();
    if (socket.writableLength > 0) this.#watch();
  }

  // watch ends a connection whose client has read nothing for a while.
  #watch() {
    if (this.#stalled !== undefined) return;
    const socket = this.#socket;
    const sent = () => socket.bytesWritten - socket.writableLength;
    const before = sent();
    this.#stalled = setTimeout(() => {
      this.#stalled = undefined;
      if (sent() === before) socket.destroy();
      else if (socket.writableLength > 0) this.#watch();
    }, socket.writableLength > MOST_WAITING ? SHORT_WRITE_TIME : WRITE_TIME).unref();
  }

  #drained() {
    clearTimeout(this.#stalled);
    this.#stalled = undefined;
    this.plain.flush();
    for (const { separate, outlet } of this.members.values()) if (separate) outlet.flush();
    this.#goOn();
  }

  /** tooSlow ends a subscription that would lose an event. */
  tooSlow(member, waiting) {
    this.#host.audience.leave(member);
    this.#fail(member.id, refuse('SLOW_CONSUMER', `${waiting} events of ${member.pattern.name} waited`, { executed: undefined, dropped: waiting }));
  }
  allTooSlow(waiting) {
    for (const member of [...this.members.values()]) if (!member.separate) this.tooSlow(member, waiting);
    this.plain.close();
    this.plain = new Outlet(this, this.#host.audience.budget);
  }

  /** refuseAll tells a client that it is not taken (bye.2). */
  refuseAll(failure) {
    this.#fail(undefined, failure);
    this.end();
  }

  /** farewell says that the service goes: at first that it takes no more, then
      that what has no answer will not be carried out (bye.1). */
  farewell(more) {
    if (this.#ended) return;
    if (this.#reader.framing === undefined) {
      if (more) this.#fail(undefined, refuse('SHUTTING_DOWN', 'the service is shutting down', { retryable: true }));
      return;
    }
    this.event('ipc.goodbye', more ? ',"metadata":{"more":true}' : '');
  }

  /** end closes the connection when what was said has left. */
  end() {
    if (this.closed) return;
    this.#writer?.flush();
    this.#socket.end();
    this.#gone();
    setTimeout(() => this.#socket.destroy(), WRITE_TIME).unref();
  }

  /** await reads nothing of it until its identity is known. */
  async await(identity) {
    this.#socket.pause();
    this.identity = await identity;
    this.caller = callerOf(this.identity);
    this.#socket.resume();
  }

  ref() { this.#socket.ref(); }
  unref() { this.#socket.unref(); }

  #gone() {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.#slow);
    clearTimeout(this.#stalled);
    this.plain.close();
    this.calls.lost();
    this.#host.gone(this);
  }
}

const NO_ROLES = Object.freeze([]);
const callerOf = (identity) => Object.freeze({ ...identity, roles: NO_ROLES });

const errorText = ({ code, message, details, executed, retryable }) => JSON.stringify({ code, message, details: { executed, retryable, origin: 'service', ...details } });

// faultIn says why a value is no message, if it is none (msg.4, msg.6, meta.1).
function faultIn(message) {
  if (!isObject(message)) return 'a message must be an object';
  if (typeof message.type !== 'string') return message.type == null ? 'a message needs a type' : 'type must be text';
  for (const field of FIELDS) if (message[field] != null && typeof message[field] !== 'string') return `${field} must be text`;
  if (message.error != null && !isObject(message.error)) return 'error must be an object';
  const { metadata } = message;
  if (metadata == null) return undefined;
  if (!isObject(metadata)) return 'metadata must be an object';
  for (const name of Object.keys(metadata)) {
    if (metadata[name] !== null && Object.hasOwn(META, name) && !META[name](metadata[name])) return `metadata.${name} is of the wrong type`;
  }
  return undefined;
}

/** idOf is the id that an answer refers to (resp.2). */
export function idOf(message) {
  const id = message?.correlationId ?? message?.messageId;
  return typeof id === 'string' ? id : undefined;
}

// idIn looks for the id in a text that cannot be read otherwise (msg.2).
function idIn(text) {
  for (const field of ['correlationId', 'messageId']) {
    const [, id] = new RegExp(`"${field}"\\s*:\\s*("(?:[^"\\\\\\u0000-\\u001f]|\\\\.){0,255}")`).exec(text) ?? [];
    try {
      if (id !== undefined) return JSON.parse(id);
    } catch { /* it is not readable either */ }
  }
  return undefined;
}
