// Retries: which calls are made again by themselves, when, and how many of
// them at most.
import { Aborted } from './call.js';
import { Failure, whenAborted } from './error.js';
import { uuid } from './id.js';

/** FIRST and LONGEST bound the wait before the first repetition, and any, in ms. */
export const FIRST = 100;
export const LONGEST = 30_000;

// All calls together earn a tenth of a retry each, so that failures do not
// multiply the load of a service that is in trouble already; and whoever calls
// rarely has ten, of which one comes back each second.
const PER_CALL = 0.1;
const SAVED = 1000;
const FREE = 10;

export class RetryBudget {
  #saved = FREE;
  #at = performance.now();
  /** calls made since the last take. */
  calls = 0;

  take() {
    const now = performance.now();
    if (this.#saved < FREE) this.#saved = Math.min(FREE, this.#saved + (now - this.#at) / 1000);
    this.#saved = Math.min(SAVED, this.#saved + PER_CALL * this.calls);
    this.#at = now;
    this.calls = 0;
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}

/** newKey is an idempotency key. */
export const newKey = uuid;

// pause returns how long to wait before the call is made again; undefined if
// it is not to be. A call that may have run is repeated only if the service
// would know.
function pause(failure, known, n) {
  const { code, executed, retryable, details } = failure;
  if (code === 'DEADLINE_EXCEEDED' || code === 'CANCELLED') return undefined;
  if (!(executed === 'no' && retryable) && !(known && (code === 'CONNECTION_LOST' || code === 'SERVICE_DIED'))) return undefined;
  const after = details.retryAfterMs ?? 0;
  const bound = Math.min(after > 0 ? after : FIRST, LONGEST) * 2 ** n;
  return after + Math.random() * bound;
}

// wait waits, or until the signal ends.
function wait(time, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, time);
    const forget = signal === undefined ? () => {} : whenAborted(signal, done);
    function done() {
      clearTimeout(timer);
      forget();
      resolve();
    }
  });
}

/** again goes on with a call that has failed, and returns what that comes to: a
    result or a Failure. */
export async function again(call, failure) {
  const { link, timeout, signal } = call;
  const known = call.repeatable || call.key !== undefined;
  const end = timeout === 0 ? Infinity : call.at;
  let maybe = false;
  // A service that goes has said that it did not take this up: whoever takes
  // its place may.
  if (failure.code === 'SHUTTING_DOWN' && failure.executed === 'no' && !link.closed) {
    const outcome = await call.again(timeout === 0 ? 0 : Math.max(1, end - performance.now())).send();
    if (!(outcome instanceof Failure) || outcome instanceof Aborted) return outcome;
    failure = outcome;
  }
  for (let n = 0; n < link.retries; n++) {
    const time = pause(failure, known, n);
    if (time === undefined || link.closed || performance.now() + time >= end || !link.budget.take()) break;
    maybe ||= failure.executed !== 'no';
    await wait(time, signal);
    if (signal?.aborted) return new Aborted(signal.reason);
    const outcome = await call.again(timeout === 0 ? 0 : Math.max(1, end - performance.now())).send();
    if (!(outcome instanceof Failure) || outcome instanceof Aborted) return outcome;
    failure = outcome;
  }
  if (maybe && failure.executed === 'no') {
    failure.executed = 'maybe'; // because of an attempt before
    failure.retryable = false;
  }
  return failure;
}
