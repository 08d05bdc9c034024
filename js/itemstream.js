// Item streams: methods that answer with many values, or take many.
import { byteLength } from './bytes.js';
import { Aborted, Call, metadataOf } from './call.js';
import { Failure, fromWire, local } from './error.js';
import { dataBytes } from './frame.js';
import { nextId, timestamp } from './id.js';

/** WINDOW is how many bytes of items a service may send before it is told that
    some have been taken. */
const WINDOW = 256 << 10;
/** FIRST_CREDIT is what a client may send before it is told (stream.4). */
const FIRST_CREDIT = 64 << 10;
const ITEM_COST = 256;

/** isStream says whether an argument is a stream of values for the service. */
export const isStream = (value) => typeof value === 'object' && value !== null && typeof value[Symbol.asyncIterator] === 'function';

// A StreamCall is a call whose response is not all of it.
class StreamCall extends Call {
  #source; // of values to send
  #credit = FIRST_CREDIT;
  #wake;
  begun = false; // items have come
  onItem; // (value, cost); undefined where the service answers once

  constructor(link, route, data, timeout, source, credits) {
    const more = credits ? `"credit":${WINDOW}` : '';
    super(link, route, data, timeout, metadataOf(timeout === 0 ? undefined : timeout, undefined, more));
    this.#source = source;
  }

  answered(message, text) {
    if (message.error == null && message.metadata?.more === true && this.onItem !== undefined) {
      this.begun = true;
      const bytes = text === undefined ? byteLength(JSON.stringify(message.data) ?? '') : dataBytes(text);
      return this.onItem(message.data, Math.max(bytes, ITEM_COST));
    }
    if (message.error != null) return this.settle(fromWire(message.error));
    super.answered(message, text);
  }

  granted(credit) {
    this.#credit += credit;
    if (this.#credit > 0) this.#wake?.();
  }

  settle(outcome) {
    // What has brought items had begun.
    if (this.begun && outcome instanceof Failure && outcome.executed === 'no') {
      outcome = new Failure(outcome.code, outcome.message, { ...outcome.details, executed: 'maybe', retryable: false });
    }
    super.settle(outcome);
    this.#wake?.();
  }

  /** pump sends what the program gives, as fast as the service takes it. */
  async pump() {
    const iterator = this.#source[Symbol.asyncIterator]();
    try {
      for (;;) {
        while (this.#credit <= 0 && this.resolve !== undefined) await new Promise((resolve) => { this.#wake = resolve; });
        if (this.resolve === undefined) return void iterator.return?.();
        const { value, done } = await iterator.next();
        if (this.resolve === undefined) return void (done || iterator.return?.());
        if (done) return this.#item('');
        const data = JSON.stringify(value) ?? 'null';
        const bytes = byteLength(data);
        this.link.checkItem(bytes, this.route.name);
        this.#credit -= Math.max(bytes, ITEM_COST);
        this.#item(`,"data":${data}`);
      }
    } catch (error) {
      this.cancel();
      this.settle(new Aborted(error)); // it is the program's own
    }
  }

  #item(data) {
    if (this.connection === undefined || this.connection.closed) return;
    this.connection.send(`{"type":"event","messageId":"${nextId()}","channel":"ipc.stream"${data},"timestamp":"${timestamp()}","correlationId":"${this.id}"}`);
  }

  /** grant lets the service send more. */
  grant(credit) {
    if (this.connection === undefined || this.connection.closed || this.resolve === undefined) return;
    this.connection.send(`{"type":"event","messageId":"${nextId()}","channel":"ipc.stream","timestamp":"${timestamp()}","correlationId":"${this.id}","metadata":{"credit":${credit}}}`);
  }
}

// A stream has no deadline unless it is given one (stream.9).
function streamCall(link, route, args, options, source, credits) {
  let n = args.length;
  while (n > 0 && args[n - 1] === undefined) n--;
  link.checkRoute(route);
  const call = new StreamCall(link, route, n === 0 ? '' : JSON.stringify(args.slice(0, n)), options?.timeout ?? 0, source, credits);
  call.signal = options?.signal;
  return call;
}

/** upload calls a method that takes a stream and answers once. */
export async function upload(link, route, args, source, options) {
  const call = streamCall(link, route, args, options, source, false);
  const answer = call.send();
  call.pump();
  const outcome = await answer;
  if (outcome instanceof Failure) throw link.error(outcome, route.name);
  return outcome;
}

/** An ItemStream is one call whose answers are taken by a loop. It is made
    when the loop begins, and the service is told to stop when the loop is left. */
export class ItemStream {
  #link;
  #route;
  #make;
  #call;
  #source;
  #items = [];
  #costs = [];
  #head = 0;
  #taken = 0; // bytes that the service has not been told of
  #held = 0;
  #waiting = [];
  #done = false;
  #failure;

  constructor(link, route, args, options, source = undefined) {
    this.#link = link;
    this.#route = route;
    this.#source = source;
    const call = streamCall(link, route, args, options, source, true); // what the app does to its arguments later changes nothing
    call.onItem = (value, cost) => this.#item(value, cost);
    this.#make = call;
  }

  #begin() {
    this.#call = this.#make;
    this.#call.send().then((outcome) => this.#end(outcome instanceof Failure ? outcome : undefined));
    if (this.#source !== undefined) this.#call.pump();
  }

  #item(value, cost) {
    if (this.#done) return;
    if (this.#waiting.length > 0) {
      this.#took(cost);
      this.#waiting.shift().resolve({ value, done: false });
      return;
    }
    // A service that sends what it was not given room for would have us hold
    // whatever it likes (stream.6).
    if (this.#held > 2 * WINDOW + cost) {
      this.#call.cancel();
      return this.#call.settle(local('PROTOCOL_ERROR', `${this.#route.name} sends more than it was given room for`, { executed: 'maybe' }));
    }
    this.#held += cost;
    this.#items.push(value);
    this.#costs.push(cost);
  }

  // took makes room for more, not for each item by itself.
  #took(cost) {
    this.#taken += cost;
    if (this.#taken < WINDOW / 2) return;
    this.#call.grant(this.#taken);
    this.#taken = 0;
  }

  #end(failure) {
    if (this.#done) return;
    this.#done = true;
    this.#failure = failure;
    for (const { resolve, reject } of this.#waiting.splice(0)) this.#last().then(resolve, reject);
  }

  async #last() {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw this.#link.error(failure, this.#route.name);
    return { value: undefined, done: true };
  }

  /** next is fulfilled with the next value. */
  next() {
    if (this.#call === undefined && !this.#done) this.#begin();
    if (this.#items.length > this.#head) {
      const at = this.#head++;
      const value = this.#items[at];
      const cost = this.#costs[at];
      this.#held -= cost;
      this.#items[at] = undefined;
      if (this.#head === this.#items.length) {
        this.#items = [];
        this.#costs = [];
        this.#head = 0;
      }
      if (!this.#done) this.#took(cost);
      return Promise.resolve({ value, done: false });
    }
    if (this.#done) return this.#last();
    return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
  }

  /** return ends it: the loop was left. */
  return(value) {
    this.#items = [];
    this.#costs = [];
    this.#head = 0;
    const call = this.#call;
    if (!this.#done) {
      this.#end(undefined);
      call?.cancel();
      call?.settle(null);
    }
    this.#failure = undefined;
    return Promise.resolve({ value, done: true });
  }

  throw(error) {
    this.return();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator]() { return this; }
  get [Symbol.toStringTag]() { return 'ItemStream'; }
}
if (Symbol.asyncDispose) ItemStream.prototype[Symbol.asyncDispose] = async function dispose() { await this.return(); };
