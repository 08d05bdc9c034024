// Event streams: events for a loop. They wait here until the loop takes them,
// up to a limit.
import { Failure, check } from './error.js';
import { ReceivedEvent } from './event.js';
import { noteGap, takeGap } from './gap.js';
import { checkAck } from './listener.js';
import { Subscription } from './subscription.js';

const DEFAULT_LIMIT = 1024;
const MOST_BYTES = 8 << 20;
const OVERFLOWS = ['drop-oldest', 'drop-newest', 'error'];

/** An EventStream is what `on` returns. Its next is written by hand: an async
    generator would cost three promises for each event. */
export class EventStream {
  /** dropped is how many events were lost: here or on the way. */
  dropped = 0;

  #subscription;
  #service;
  #events = [];
  #costs = [];
  #head = 0;
  #bytes = 0;
  #waiting = [];
  #gaps = new Map(); // before the oldest event that waits
  #limit;
  #overflow;
  #auto;
  #taken; // the event that the loop is at, if it is acknowledged by going on
  #done = false;
  #error; // { error } until somebody was told

  constructor(link, pattern, options = {}) {
    check(Object(options) === options, 'the options must be an object', options);
    const { limit = DEFAULT_LIMIT, overflow = 'drop-oldest', ack = 'auto', ...rest } = options;
    check(Number.isInteger(limit) && limit > 0, 'the limit must be a positive integer', limit);
    check(OVERFLOWS.includes(overflow), `overflow must be one of '${OVERFLOWS.join("', '")}'`, overflow);
    checkAck(ack);
    this.#limit = limit;
    this.#overflow = overflow;
    this.#auto = ack === 'auto';
    this.#service = link.name;
    this.#subscription = new Subscription(link, pattern, rest, {
      event: (event, cost) => this.#take(event, cost),
      lost: (count) => { this.dropped += count; },
      end: (failure, aborted) => this.#ended(failure, aborted),
    }, { events: limit, bytes: MOST_BYTES });
    if (options.signal?.aborted) this.#ended(options.signal.reason, true);
  }

  get #length() { return this.#events.length - this.#head; }

  #take(event, cost) {
    if (this.#waiting.length > 0) {
      this.#waiting.shift().resolve({ value: this.#give(event, cost), done: false });
      return;
    }
    // Of what is to be acknowledged no more comes than there is credit for.
    const full = this.#length >= this.#limit || (this.#length > 0 && this.#bytes + cost > MOST_BYTES);
    if (full && !(event instanceof ReceivedEvent) && !this.#makeRoom(event, cost)) return;
    this.#events.push(event);
    this.#costs.push(cost);
    this.#bytes += cost;
  }

  // makeRoom reports whether there is room for the event now.
  #makeRoom(event, cost) {
    if (this.#overflow === 'error') {
      const details = { dropped: ++this.dropped, limit: this.#limit };
      this.#subscription.finish(new Failure('SLOW_CONSUMER', `more than ${this.#limit} events of ${this.#subscription.pattern.name} wait to be taken`, { ...details, executed: 'no', origin: 'client' }));
      return false;
    }
    if (this.#overflow === 'drop-newest') {
      this.#drop(event, (stream, gap) => this.#subscription.miss(stream, gap));
      return false;
    }
    while (this.#length > 0 && (this.#length >= this.#limit || this.#bytes + cost > MOST_BYTES)) {
      this.#drop(this.#shift(), (stream, gap) => noteGap(this.#gaps, stream, gap));
    }
    return true;
  }

  #drop(event, note) {
    this.dropped++;
    if (event.gap !== undefined) note(event.stream, event.gap);
    if (event.seq !== undefined) note(event.stream, { from: event.seq, to: event.seq, reason: 'slow-consumer', count: 1 });
  }

  #shift() {
    const at = this.#head++;
    const event = this.#events[at];
    this.#bytes -= this.#costs[at];
    this.#events[at] = undefined;
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#costs = [];
      this.#head = 0;
    } else if (this.#head > 512 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#costs = this.#costs.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  // give is called for what the loop gets.
  #give(event, cost) {
    if (this.#gaps.size > 0) takeGap(this.#gaps, event);
    if (event instanceof ReceivedEvent) this.#taken = event;
    else this.#subscription?.read(cost);
    return event;
  }

  // An abort is meant, so what waits is thrown away. Other ends come after it.
  #ended(failure, aborted) {
    if (this.#done) return;
    this.#done = true;
    if (aborted) this.#clear();
    if (failure !== undefined) this.#error = { error: failure instanceof Failure ? failure.error(this.#service) : failure };
    for (const { resolve, reject } of this.#waiting.splice(0)) this.#last().then(resolve, reject);
  }

  #clear() {
    this.#events = [];
    this.#costs = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #last() {
    const failed = this.#error;
    this.#error = undefined;
    return failed === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(failed.error);
  }

  /** next is fulfilled with the next event. */
  next() {
    if (this.#taken !== undefined) this.#acknowledge();
    if (this.#length > 0) {
      const cost = this.#costs[this.#head];
      return Promise.resolve({ value: this.#give(this.#shift(), cost), done: false });
    }
    if (this.#done) return this.#last();
    return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
  }

  // A loop that goes on is through with the event before. One that is left
  // may have failed, so it has to say itself that it has not.
  #acknowledge() {
    const event = this.#taken;
    this.#taken = undefined;
    if (this.#auto && !event.settled) event.ack();
  }

  /** return ends it: the loop was left. */
  return(value) {
    this.#clear();
    this.#subscription.finish(undefined);
    this.#error = undefined;
    return Promise.resolve({ value, done: true });
  }

  throw(error) {
    this.return();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator]() { return this; }
  get [Symbol.toStringTag]() { return 'EventStream'; }
}
if (Symbol.asyncDispose) EventStream.prototype[Symbol.asyncDispose] = async function dispose() { await this.return(); };
