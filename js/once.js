// Once: requests that are repeated under a key are executed once, as long as
// their outcome is remembered.
import { Deadline } from './deadline.js';
import { Failure } from './error.js';

const MOST = 10_000;
const MOST_BYTES = 16 << 20;
const MOST_WAITING = 64;
const REMEMBERED = 120_000; // ms

// A Waiter is a request that waits for the outcome of another, as long as its
// own time allows.
class Waiter extends Deadline {
  #waiting;

  constructor(run, answer, waiting) {
    super();
    this.run = run;
    this.answer = answer;
    this.#waiting = waiting;
  }

  expired() {
    this.#waiting.splice(this.#waiting.indexOf(this), 1);
    this.answer({ failure: new Failure('DEADLINE_EXCEEDED', 'the deadline passed, and another request with the same idempotencyKey has begun', { executed: 'maybe', retryable: false, origin: 'service', stage: 'dispatched' }) });
  }
}

export class Once {
  #known = new Map(); // by key, oldest first
  #bytes = 0;

  /** enter takes a request with a key. It returns a Failure, or undefined and
      then calls answer with the outcome; or it calls run, which is to call
      done with the outcome: { text } or { failure }. */
  enter(key, method, data, timeout, run, answer) {
    this.#forget();
    const known = this.#known.get(key);
    if (known === undefined) return this.#begin(key, { method, data, waiting: [], outcome: undefined, bytes: 0, at: 0 }, run, answer);
    if (known.method !== method || known.data !== data) {
      return answer({ failure: new Failure('CONFLICT', 'the idempotencyKey belongs to another call', { executed: 'no', retryable: false, origin: 'service' }) });
    }
    if (known.outcome !== undefined) return answer(known.outcome);
    if (known.waiting.length >= MOST_WAITING) {
      return answer({ failure: new Failure('QUEUE_FULL', `${MOST_WAITING} requests wait for the outcome of this one already`, { executed: 'no', retryable: true, retryAfterMs: 100, origin: 'service' }) });
    }
    const waiter = new Waiter(run, answer, known.waiting);
    known.waiting.push(waiter);
    waiter.begin(timeout);
  }

  #begin(key, entry, run, answer) {
    this.#known.set(key, entry);
    run((outcome) => {
      answer(outcome);
      this.#ended(key, entry, outcome);
    });
  }

  // An outcome is a result, or an error of work that was done. Otherwise the
  // next who waits is executed (once.3).
  #ended(key, entry, outcome) {
    if (outcome.failure === undefined || outcome.failure.executed === 'yes') {
      entry.outcome = outcome;
      entry.at = performance.now();
      entry.bytes = key.length + entry.data.length + (outcome.text?.length ?? 256);
      this.#bytes += entry.bytes;
      for (const waiter of entry.waiting.splice(0)) {
        waiter.clear();
        waiter.answer(outcome);
      }
      this.#forget();
      return;
    }
    const next = entry.waiting.shift();
    if (next === undefined) this.#known.delete(key);
    else {
      next.clear();
      next.run((later) => {
        next.answer(later);
        this.#ended(key, entry, later);
      });
    }
  }

  // What runs is never forgotten.
  #forget() {
    const now = performance.now();
    for (const [key, entry] of this.#known) {
      if (entry.outcome === undefined) continue;
      if (this.#known.size <= MOST && this.#bytes <= MOST_BYTES && now - entry.at < REMEMBERED) return;
      this.#known.delete(key);
      this.#bytes -= entry.bytes;
    }
  }
}
