// A Request is one call that a service answers.
import { Failure, IpcError } from './error.js';
import { Deadline } from './deadline.js';
import { Items } from './items.js';
import { isWellFormed } from './json.js';
import { bind, refusal } from './manifest.js';
import { refuse } from './refusal.js';
import { FRAME_REST, failureOf, tellOfBug } from './thrown.js';

const DEFAULT_TIMEOUT = 30_000;
const LONGEST_TIMEOUT = 600_000;
const ITEM_COST = 256;
const TURN = 128; // items that are sent before others have their turn

let current;

/** context is the `this` of the handler that runs, for arrow functions. It has
    to be asked for before the handler's first await. */
export function context() {
  if (current === undefined) throw new TypeError('context() is for handlers of a service, before their first await');
  return current;
}

export class Request extends Deadline {
  /** began says that the handler has. */
  began = false;
  ended = false;

  #host;
  #peer;
  #id;
  #data;
  #method;
  #key;
  #done;
  #stopped; // the IpcError for which it was stopped
  #controller;
  #credit; // for items; undefined: without end
  #wake;
  #items; // that the client sends

  // done is called once, with { text } or { failure }.
  constructor(host, peer, id, method, message, done) {
    super();
    this.#host = host;
    this.#peer = peer;
    this.#id = id;
    this.#method = method;
    this.#data = message.data;
    this.#credit = message.metadata?.credit > 0 ? message.metadata.credit : undefined;
    this.#done = done;
    this.timeout = timeoutOf(method, message.metadata?.timeoutMs);
    this.deadline = this.timeout === 0 ? undefined : new Date(Date.now() + this.timeout);
    if (this.timeout > 0) this.begin(this.timeout);
  }

  get method() { return this.#method.name; }

  /** expired and cancel tell the handler to stop. One that has not begun never will. */
  expired() { this.#stop('DEADLINE_EXCEEDED', `${this.#method.name} was not done within ${this.timeout} ms`); }
  cancel() { this.#stop('CANCELLED', 'the caller gave up'); }

  #stop(code, message) {
    if (this.ended || this.#stopped !== undefined) return;
    this.#stopped = new IpcError(code, message, { executed: this.began ? 'maybe' : 'no' });
    if (!this.began) return this.#end({ failure: refuse(code, message, { stage: 'queued', retryable: code === 'DEADLINE_EXCEEDED' }) });
    this.#controller?.abort(this.#stopped);
    this.#items?.fail(this.#stopped);
    this.#wake?.();
  }

  #signal() {
    this.#controller ??= new AbortController();
    if (this.#stopped !== undefined) this.#controller.abort(this.#stopped);
    return this.#controller.signal;
  }

  /** check brings the arguments in order, or says what is wrong with them. */
  check() {
    this.args = bind(this.#method, this.#data);
    return this.args instanceof Failure ? this.args : undefined;
  }

  /** refuse ends it before the handler has begun. */
  refuse(failure) { this.#end({ failure }); }

  /** run calls the handler. */
  run(handlers, self) {
    if (this.ended) return;
    this.began = true;
    const handler = Object.hasOwn(handlers, this.#method.name) ? handlers[this.#method.name] : undefined;
    if (handler === undefined) return this.#end({ failure: refuse('UNIMPLEMENTED', `${this.#host.name} declares ${this.#method.name} but does not implement it`) });
    const me = this.#context(self);
    const before = current;
    current = me;
    try {
      const result = Reflect.apply(handler, me, this.#arguments());
      current = before;
      if (this.#method.stream === 'server' || this.#method.stream === 'both') this.#stream(result);
      else if (typeof result?.then === 'function') result.then((value) => this.#answered(value), (error) => this.#failed(error));
      else this.#answered(result);
    } catch (error) {
      this.#failed(error);
    } finally {
      current = before;
    }
  }

  #arguments() {
    if (this.#method.stream !== 'client' && this.#method.stream !== 'both') return this.args;
    this.#items = new Items((credit) => this.#peer.event('ipc.stream', `,"correlationId":${JSON.stringify(this.#id)},"metadata":{"credit":${credit}}`));
    const args = [...this.args];
    while (args.length < (this.#method.parameters?.length ?? 0)) args.push(undefined);
    return [...args, this.#items];
  }

  // context is what a handler finds in `this`: the object it belongs to, and
  // what is known of the call.
  #context(self) {
    const request = this;
    return Object.create(self, {
      caller: { value: this.#peer.caller },
      method: { value: this.#method.name },
      service: { value: this.#host.name },
      deadline: { value: this.deadline },
      client: { get() { return request.#client(); } },
      signal: { get() { return request.#signal(); } },
    });
  }

  // client is who calls, to be called back.
  #client() {
    return { $call: (method, ...args) => this.#peer.calls.call(method, args, this.timeout > 0 ? this.at - performance.now() : 0, this.#signal()) };
  }

  #answered(value) {
    const outcome = this.#outcome(value, 'result');
    this.#end(outcome);
  }

  // outcome checks what the handler answers, and writes it down.
  #outcome(value, root) {
    let text;
    try {
      text = JSON.stringify(value) ?? 'null';
      if (!isWellFormed(text)) throw new TypeError(`what ${this.#method.name} answers has a text that is no Unicode: half of a surrogate pair`);
    } catch (error) {
      return { failure: this.#describe(error) };
    }
    const { returns } = this.#method;
    if (returns !== undefined && !(value === undefined && returns.nullable)) {
      // What the caller gets is what was written down: a Date is text by then.
      const bad = returns.check(isPlain(value) ? value : JSON.parse(text));
      if (bad !== undefined) return { failure: refusal('RESPONSE_SCHEMA_MISMATCH', root, bad) };
    }
    const most = this.#host.maxFrame - FRAME_REST;
    if (text.length * 3 > most && Buffer.byteLength(text) > most) {
      return { failure: new Failure('MESSAGE_TOO_LARGE', `the result of ${this.#method.name} does not fit into a frame of ${this.#host.maxFrame} bytes`, { executed: 'yes', retryable: false, origin: 'service', limit: this.#host.maxFrame, direction: 'response' }) };
    }
    return { text };
  }

  #failed(error) {
    this.#end({ failure: this.#describe(error) });
  }

  #describe(error) { return failureOf(error, this.#method.name, this.#stopped, this.#host.maxFrame); }

  // stream sends what a generator gives, as fast as the client takes it.
  async #stream(result) {
    let iterator;
    try {
      const source = await result;
      iterator = source?.[Symbol.asyncIterator]?.() ?? source?.[Symbol.iterator]?.();
      if (iterator === undefined) throw new TypeError(`${this.#method.name} streams: its handler must be a generator, or return what a for await takes`);
      for (let items = 1; ; items++) {
        await this.#room();
        if (items % TURN === 0) await new Promise((resolve) => { setImmediate(resolve); });
        if (this.#isOver) break;
        const step = await iterator.next();
        if (this.#isOver) break;
        if (Object(step) !== step) throw new TypeError(`${this.#method.name} streams: its iterator must give objects`);
        if (step.done) return this.#end({ text: 'null' });
        const { text, failure } = this.#outcome(step.value, 'result');
        if (failure !== undefined) {
          this.#end({ failure });
          break;
        }
        if (this.#credit !== undefined) this.#credit -= Math.max(Buffer.byteLength(text), ITEM_COST);
        this.#peer.item(this.#id, text);
      }
    } catch (error) {
      return this.#failed(error);
    }
    if (!this.ended) this.#failed(this.#stopped);
    this.#leaveLoop(iterator);
  }

  get #isOver() { return this.ended || this.#stopped !== undefined; }

  // leaveLoop tells a generator that no more is wanted, as a loop does that is
  // left. Its answer nobody waits for.
  async #leaveLoop(iterator) {
    try {
      await iterator.return?.();
    } catch (error) {
      tellOfBug(this.#method.name, error);
    }
  }

  async #room() {
    while (!this.ended && this.#stopped === undefined && (this.#credit <= 0 || !this.#peer.writable)) {
      await new Promise((resolve) => {
        this.#wake = resolve;
        if (!this.#peer.writable && !this.#peer.closed) setTimeout(resolve, 20);
      });
    }
  }

  /** granted lets more items be sent. */
  granted(credit) {
    if (this.#credit === undefined) return;
    this.#credit += credit;
    this.#wake?.();
  }

  /** item takes one of the client's. */
  item(message) {
    if (this.#items === undefined || this.ended) return;
    if (message.data === undefined) return this.#items.end();
    const bad = this.#method.items?.check(message.data);
    if (bad !== undefined) return this.#abandon(refusal('SCHEMA_MISMATCH', 'an item', { ...bad }));
    if (!this.#items.push(message.data)) this.#abandon(refuse('PROTOCOL_ERROR', 'an item was sent without credit', { executed: 'maybe' }));
  }

  // abandon ends a stream whose client breaks the rules.
  #abandon(failure) {
    failure.executed = failure.details.executed = 'maybe';
    this.#items.fail(failure.error(this.#host.name, this.#method.name));
    this.#stopped ??= new IpcError(failure.code, failure.message, { executed: 'maybe' });
    this.#controller?.abort(this.#stopped);
    this.#end({ failure });
  }

  #end(outcome) {
    if (this.ended) return;
    this.ended = true;
    this.clear();
    this.#wake?.();
    this.#done(outcome);
  }
}

const isPlain = (value) => typeof value !== 'object' || value === null;

// timeoutOf is how long a request may take (time.1, stream.9); 0: without end.
function timeoutOf({ stream, timeout }, given) {
  if (stream !== undefined) return given > 0 ? given : 0;
  return Math.min(given > 0 ? given : timeout ?? DEFAULT_TIMEOUT, timeout ?? LONGEST_TIMEOUT, LONGEST_TIMEOUT);
}
