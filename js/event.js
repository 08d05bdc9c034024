// Events that have to be acknowledged.
import { check } from './error.js';

const LONGEST_DELAY = 30_000;

/** A ReceivedEvent is an event of a group: it comes again, to somebody, until
    it is acknowledged. */
export class ReceivedEvent {
  #subscription;
  #connection;
  #settled = false;

  constructor(facts, { redelivered, deliveries }, subscription, connection) {
    for (const name of Object.keys(facts)) this[name] = facts[name];
    this.redelivered = redelivered === true;
    this.deliveries = deliveries ?? 1;
    this.#subscription = subscription;
    this.#connection = connection;
  }

  /** settled says whether it is known what became of the event. */
  get settled() { return this.#settled; }

  #settle(verb, more) {
    if (this.#settled) return Promise.resolve();
    this.#settled = true;
    return this.#subscription.settle(this.#connection, verb, { seq: this.seq, ...more });
  }

  /** ack says that it is done. */
  ack() { return this.#settle('ack'); }

  /** nak gives it back: it comes again, after delay milliseconds. */
  nak(delay = 0) {
    check(typeof delay === 'number' && delay >= 0, 'the delay must be milliseconds', delay);
    return this.#settle('nak', delay > 0 ? { delayMs: Math.round(delay) } : {});
  }

  /** reject says that nobody will be able to handle it. */
  reject(reason = '') { return this.#settle('reject', { reason: String(reason) }); }

  /** failed gives it back: at once, then after longer and longer. */
  failed() {
    return this.nak(this.deliveries < 2 ? 0 : Math.min(1000 * 2 ** (this.deliveries - 2), LONGEST_DELAY));
  }
}
