// A Call is one message that is answered: a request, a subscribe message, or
// an event whose publisher wants a receipt.
import { Deadline } from './deadline.js';
import { Failure, fromWire, local } from './error.js';
import { nextId, timestamp } from './id.js';

/** An Aborted call ends with the reason of its signal, and not with an IpcError. */
export class Aborted extends Failure {
  constructor(reason) {
    super('CANCELLED', 'the call was aborted', { executed: 'maybe' });
    this.reason = reason;
  }
  error() { return this.reason; }
}

/** LONGEST_TIMEOUT is what a service is told of a call without a timeout. */
const LONGEST_TIMEOUT = 600_000;

/** metadataOf is the end of a message that says how long is waited, and under
    which key the call may be repeated. */
export function metadataOf(timeout, key, more = '') {
  let text = more;
  if (timeout !== undefined) text += `${text && ','}"timeoutMs":${timeout === 0 ? LONGEST_TIMEOUT : Math.max(1, Math.round(timeout))}`;
  if (key !== undefined) text += `${text && ','}"idempotencyKey":${JSON.stringify(key)}`;
  return text === '' ? '}' : `,"metadata":{${text}}}`;
}

/** encode writes the arguments of a call down. What the app does to them later
    changes nothing. */
export function encode(args) {
  let n = args.length;
  while (n > 0 && args[n - 1] === undefined) n--;
  return n === 0 ? '' : JSON.stringify(n === args.length ? args : args.slice(0, n));
}

export class Call extends Deadline {
  id = nextId();
  /** connection is where it waits for its answer; undefined while it waits for its turn. */
  connection = undefined;
  signal = undefined;
  forget = undefined;
  /** key is the one under which the service executes it once. */
  key = undefined;
  /** repeatable says that the service knows a repetition without a key. */
  repeatable = false;

  // route says what is asked: open and head are its message around the id.
  // timeout is in milliseconds, 0 for none; metadata is the end of the message.
  constructor(link, route, data, timeout, metadata) {
    super();
    this.link = link;
    this.route = route;
    this.data = data;
    this.timeout = timeout;
    this.metadata = metadata;
  }

  /** again is the same call once more, with less time. */
  again(timeout) {
    const call = new Call(this.link, this.route, this.data, timeout, metadataOf(timeout, this.key, this.route.more));
    call.signal = this.signal;
    return call;
  }

  /** text is the message. */
  text() {
    const { route, data } = this;
    return data === '' ? `${route.open}${this.id}${route.head},"timestamp":"${timestamp()}"${this.metadata}`
      : `${route.open}${this.id}${route.head},"data":${data},"timestamp":"${timestamp()}"${this.metadata}`;
  }

  /** send makes the call. The promise is fulfilled in any case: with the
      result or with a Failure. */
  send() {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.link.dispatch(this);
    });
  }
  resolve = undefined;

  /** answered takes a response. */
  answered(message) {
    if (message.error != null) this.settle(fromWire(message.error));
    else if (message.metadata?.more === true) {
      this.cancel();
      this.settle(local('PROTOCOL_ERROR', `${this.route.name} streams: take it by a loop, for await (const item of service.$stream(${JSON.stringify(this.route.name)}, …))`, { executed: 'maybe' }));
    } else {
      this.settle(message.data ?? null);
    }
  }

  /** settle ends the call, once. */
  settle(outcome) {
    const { resolve, connection } = this;
    if (resolve === undefined) return;
    this.resolve = undefined;
    this.clear();
    if (this.forget !== undefined) this.forget();
    if (connection !== undefined) {
      connection.pending.remove(this);
      connection.release();
      this.link.next();
    }
    resolve(outcome);
  }

  /** cancel tells the service that nobody waits any more. */
  cancel() {
    if (this.connection === undefined || this.connection.closed) return;
    this.connection.send(`{"type":"event","messageId":"${nextId()}","channel":"ipc.cancel","timestamp":"${timestamp()}","correlationId":"${this.id}"}`);
  }

  expired() {
    const sent = this.connection !== undefined && this.connection.opened;
    this.cancel();
    this.settle(local('DEADLINE_EXCEEDED', `${this.route.name} was not answered within ${this.timeout} ms`, { executed: sent ? 'maybe' : 'no', retryable: false, stage: sent ? 'dispatched' : 'queued' }));
  }

  aborted() {
    this.cancel();
    this.settle(new Aborted(this.signal.reason));
  }
}
