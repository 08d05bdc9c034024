// A Connection is one socket to a service: what is sent and received on it,
// who waits for an answer, and whether it keeps the process alive.
import { Failure, fromWire, isObject, local } from './error.js';
import { FrameReader, FrameTooLong, FrameWriter } from './frame.js';
import { nextId, timestamp } from './id.js';
import { eventName } from './name.js';
import { Pending } from './pending.js';
import { UsualReader } from './usual.js';

/** MOST_PENDING is how many calls a service lets one connection have (limit.1). */
export const MOST_PENDING = 1024;

// A silent peer of which something is expected is asked; two questions without
// a word from it, and the connection is given up (ping.1).
const SILENCE = 30_000;
const MOST_PINGS = 2;

const MOST_FAULTS = 16;

export class Connection {
  /** pending are the calls that wait for an answer. */
  pending = new Pending();
  /** separate are the subscriptions whose events carry an id, by that. */
  separate = new Map();
  /** placed are all subscriptions that the service knows, by its id for them. */
  placed = new Map();
  /** plain are the subscriptions that share their events. */
  plain = new Set();
  /** opened says that the service has been reached. */
  opened = false;
  /** closed says that nothing comes any more. */
  closed = false;
  /** leaving says that the service takes no more requests; left, that what has
      no answer was not carried out (bye.1). */
  leaving = false;
  left = false;

  #owner;
  #socket;
  #reader;
  #usual = new UsualReader();
  #writer;
  #early = [];
  #earlyBytes = 0;
  #cause; // of the end
  #refs = 0;
  #keep = false; // what waits to be written keeps the process alive
  #keepEarly = false;
  #routes = new Map(); // plain subscriptions by channel and stream
  #frames = 0;
  #heard = 0;
  #pings = 0;
  #watch;
  #faults = 0;

  // owner dials, and is told of messages that are no answer to a call, and of
  // the end: event(connection, message, text), stray(connection, failure, id),
  // farewell(connection) and lost(connection, failure).
  // locate returns the addresses, or throws why there are none. max is the
  // longest frame that is read.
  constructor(owner, locate, max) {
    this.#owner = owner;
    // What comes is framed as what is sent, but for the word of a service that
    // does not want us and has not seen our framing (bye.2).
    this.#reader = new FrameReader((text) => this.#frame(text), { max });
    this.#writer = new FrameWriter((data) => this.#write(data), owner.framing);
    let addresses;
    try {
      addresses = locate();
    } catch (error) {
      this.#refusedLater([], 0, error);
      return;
    }
    this.#try(addresses, 0);
  }

  // try reaches for one address after the other.
  #try(addresses, i) {
    let socket;
    try {
      socket = this.#owner.dial(addresses[i]);
    } catch (error) {
      return this.#refusedLater(addresses, i, error);
    }
    this.#socket = socket;
    socket.on('error', (error) => { this.#cause = error; });
    socket.on('connect', () => this.#connected(socket));
    socket.on('data', (chunk) => this.#data(chunk));
    socket.on('end', () => this.#ended());
    socket.on('close', () => {
      if (this.opened || this.closed) return this.#end();
      this.#refused(addresses, i, local('SERVICE_UNAVAILABLE', `${this.#owner.name} does not answer at ${addresses[i]}: ${this.#cause?.message ?? 'the connection was closed'}`, { executed: 'no' }));
    });
  }

  // Nobody expects to be told before the call that asked has returned.
  #refusedLater(addresses, i, error) {
    const failure = error instanceof Failure ? error : new Failure(typeof error.code === 'string' ? error.code : 'INTERNAL', error.message, { ...error.details, executed: 'no' }, error);
    queueMicrotask(() => this.#refused(addresses, i, failure));
  }

  #refused(addresses, i, failure) {
    if (!this.closed && i + 1 < addresses.length && failure.code === 'SERVICE_UNAVAILABLE') return this.#try(addresses, i + 1);
    this.#failure ??= failure;
    this.#end();
  }
  #failure;

  #connected(socket) {
    this.opened = true;
    if (socket.setNoDelay && socket.remotePort) socket.setNoDelay(true);
    if (this.#early.length > 0) this.#socket.write(joined(this.#early), this.#keepEarly ? () => this.release() : undefined);
    this.#early = [];
    this.#earlyBytes = 0;
    if (this.#refs === 0) socket.unref();
  }

  #ended() {
    try {
      this.#reader.end();
    } catch { /* what is cut off was not sent (frame.8) */ }
  }

  /** backlog is about how many bytes have not left yet. */
  get backlog() { return this.#writer.waiting + this.#earlyBytes + (this.#socket?.writableLength ?? 0); }

  /** send sends a message, with all others of this turn. keep has it keep the
      process alive until it has left. */
  send(text, keep = false) {
    if (keep && !this.#keep) {
      this.#keep = true;
      this.hold();
    }
    this.#writer.push(text);
  }

  #write(data) {
    const keep = this.#keep;
    this.#keep = false;
    if (this.closed) {
      if (keep) this.release();
    } else if (this.opened) {
      this.#socket.write(data, keep ? () => this.release() : undefined);
    } else {
      this.#early.push(data);
      this.#earlyBytes += data.length;
      if (keep && this.#keepEarly) this.release();
      this.#keepEarly ||= keep;
    }
  }

  /** hold keeps the process alive until as many releases. */
  hold() {
    if (++this.#refs > 1) return;
    this.#socket?.ref();
    this.#expect();
  }

  release() {
    if (--this.#refs === 0) this.#socket?.unref();
  }

  // expect has the peer asked when it is silent for long.
  #expect() {
    if (this.#watch !== undefined) return;
    this.#heard = this.#frames;
    this.#pings = 0;
    this.#watch = setInterval(() => this.#tick(), SILENCE);
    this.#watch.unref?.();
  }

  #tick() {
    if (this.#refs === 0 || this.closed) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    } else if (this.#heard !== this.#frames) {
      this.#heard = this.#frames;
      this.#pings = 0;
    } else if (this.#pings >= MOST_PINGS) {
      this.fail(new Error('the service has stopped answering'));
    } else {
      this.#pings++;
      this.send(`{"type":"request","messageId":"${nextId()}","channel":"ipc.ping"}`);
    }
  }

  /** fail ends the connection because of what the peer has done. */
  fail(error) {
    this.#cause ??= error;
    this.#socket?.destroy();
  }

  /** close ends it when what was sent has left. */
  close() {
    this.#writer.flush();
    if (!this.opened) this.#socket?.destroy();
    else this.#socket.end();
    this.#end();
  }

  #end() {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.#watch);
    this.#owner.lost(this, this.#why());
  }

  // why says what the end means for calls without an answer.
  #why() {
    if (!this.opened) return this.#failure ?? local('SERVICE_UNAVAILABLE', `${this.#owner.name} cannot be reached`, { executed: 'no' });
    if (this.#failure !== undefined) return this.#failure;
    if (this.left) return local('SHUTTING_DOWN', `${this.#owner.name} has gone, and did not take this up`, { executed: 'no', retryable: true });
    const why = this.#cause === undefined ? 'it was closed' : this.#cause.message;
    return new Failure('CONNECTION_LOST', `the connection to ${this.#owner.name} was lost: ${why}`, { executed: 'maybe', origin: 'client' }, this.#cause);
  }

  // A text is a whole message already: not all that carries us carries bytes.
  #data(chunk) {
    if (typeof chunk === 'string') return this.#frame(chunk);
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (error instanceof FrameTooLong) this.#tooLong(error);
      this.fail(error);
    }
  }

  // What follows a frame that is too long cannot be read, and the service is
  // told why nobody listens any more (frame.6).
  #tooLong({ message, details }) {
    this.send(JSON.stringify({ type: 'response', messageId: nextId(), error: { code: 'MESSAGE_TOO_LARGE', message, details: { executed: 'no', retryable: false, origin: 'client', direction: 'receive', ...details } }, timestamp: timestamp() }));
    this.#writer.flush();
  }

  #frame(text) {
    this.#frames++;
    if (this.closed) return;
    let message;
    try {
      message = this.#usual.read(text);
    } catch {
      return this.fail(new Error('the service sent what is not JSON'));
    }
    if (!Array.isArray(message)) return this.#message(message, text);
    for (const one of message) this.#message(one, undefined);
  }

  #message(message, text) {
    if (!isObject(message) || typeof message.type !== 'string') return this.#fault('no message');
    switch (message.type) {
      case 'response': return this.#response(message, text);
      case 'event': return this.#event(message, text);
      case 'request': return this.#request(message);
      default: {
        const type = message.type.toLowerCase();
        if (type !== message.type) return this.#message({ ...message, type }, text);
        this.#answer(message, { error: { code: 'PROTOCOL_ERROR', message: `there is no type of message ${JSON.stringify(type)}`, details: { executed: 'no', retryable: false, origin: 'client' } } });
      }
    }
  }

  // A peer that goes on sending what means nothing is not a service.
  #fault(what) {
    if (++this.#faults > MOST_FAULTS) this.fail(new Error(`the service sent ${what}, again and again`));
  }

  #response(message, text) {
    const id = message.correlationId;
    const call = this.pending.get(id);
    if (call !== undefined) return call.answered(message, text);
    if (message.error == null) return;
    const failure = fromWire(message.error);
    // Before it closes a connection that it does not want, a service says so
    // to nobody in particular: nothing was carried out (bye.2).
    if (id == null && this.#frames === 1 && (failure.code === 'QUOTA_EXCEEDED' || failure.code === 'SHUTTING_DOWN')) {
      this.#failure = new Failure(failure.code, failure.message, { ...failure.details, executed: 'no' });
      return;
    }
    this.#owner.stray(this, failure, id);
  }

  #event(message, text) {
    if (typeof message.channel !== 'string') return this.#fault('an event without a channel');
    switch (message.channel) {
      case 'ipc.goodbye':
        if (message.metadata?.more === true) {
          this.leaving = true;
          this.#owner.farewell(this);
        } else {
          this.left = true;
          this.fail(undefined);
          this.#end();
        }
        return;
      case 'ipc.stream': {
        const call = this.pending.get(message.correlationId);
        const credit = message.metadata?.credit;
        if (call?.granted !== undefined && Number.isSafeInteger(credit) && credit > 0) call.granted(credit);
        return;
      }
      case 'ipc.cancel':
        return; // of a request of the service's, which are answered at once
    }
    this.#owner.event(this, message, text);
  }

  // A service may ask its client. There is nothing to ask for but a ping.
  #request(message) {
    this.#answer(message, message.channel === 'ipc.ping' ? { data: message.data ?? null }
      : { error: { code: 'METHOD_NOT_FOUND', message: 'this client offers no methods', details: { executed: 'no', retryable: false, origin: 'client' } } });
  }

  #answer({ messageId, correlationId }, answer) {
    const id = correlationId ?? messageId;
    if (typeof id === 'string' && this.backlog < MOST_BACKLOG) this.send(JSON.stringify({ type: 'response', messageId: nextId(), correlationId: id, ...answer }));
  }

  /** route returns the plain subscriptions that an event is for (sub.10), and
      its name: { name, found }. Most are like the one before. */
  route(channel, stream) {
    const recent = this.#recent;
    if (recent !== undefined && recent.channel === channel && recent.stream === stream) return recent;
    const key = stream === undefined ? channel : `${channel} ${stream}`;
    let route = this.#routes.get(key);
    if (route === undefined) {
      const name = eventName(channel);
      const own = name.startsWith('ipc.');
      const found = [...this.plain].filter(({ pattern }) => (own ? pattern.name === name : pattern.matches(name) || (stream !== undefined && pattern.name === stream)));
      route = { channel, stream, name, found };
      if (this.#routes.size >= MOST_ROUTES) this.#routes.clear();
      this.#routes.set(key, route);
    }
    return this.#recent = route;
  }
  #recent;

  /** reroute is called when the plain subscriptions have changed. */
  reroute() {
    this.#routes.clear();
    this.#recent = undefined;
  }
}
const MOST_ROUTES = 4096;

const joined = (chunks) => (typeof chunks[0] === 'string' ? chunks.join('') : Buffer.concat(chunks));

/** MOST_BACKLOG bounds the bytes that wait for a service which does not read. */
export const MOST_BACKLOG = 8 << 20;
