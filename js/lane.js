// Lanes: methods of which only so many requests may run at once. Further ones
// wait in order. One is refused when it comes, while that is cheap, and not
// once it waits: because nobody else may wait, because it would not be answered
// in its own time, or because more comes than is done.
import { refuse } from './refusal.js';

const ALLOWED_WAIT = 1000; // ms that may be waited for in a queue that stands
const ALLOWED_TURNS = 4; // the same, in runs of the handler
const STANDING = 500; // ms that a queue stands before anybody is refused for it
const WEIGHT = 1 / 8; // of the newest turn in their mean
const LONGEST_RETRY = 5000;
const UNKNOWN_RETRY = 50;

export class Lane {
  #most;
  #mostWaiting;
  #running = new Map(); // by request: since when
  #waiting = [];
  #pace; // ms from one departure to the next while others wait; undefined: not known
  #run; // ms that a handler takes
  #departed = 0; // when the last one left while others waited
  #standing; // since when more has to be waited for than is allowed

  constructor(most, mostWaiting) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  get waiting() { return this.#waiting.length; }

  /** enter runs a request, or has it wait; or it returns a Failure. */
  enter(request, run) {
    if (this.#running.size < this.#most && this.#waiting.length === 0) return this.#begin({ request, run });
    const refused = this.#refusal(request);
    if (refused !== undefined) return refused;
    if (this.#waiting.length === 0) this.#departed = performance.now();
    this.#waiting.push({ request, run, since: performance.now() });
    return undefined;
  }

  #begin({ request, run }) {
    this.#running.set(request, performance.now());
    run();
  }

  // expected is how long one more would wait: how many wait times how often a
  // place becomes free, or as long as the first has waited already.
  #expected(now) {
    const first = this.#waiting[0];
    return Math.max((this.#waiting.length + 1) * (this.#pace ?? 0), first === undefined ? 0 : now - first.since);
  }

  #refusal(request) {
    const now = performance.now();
    const depth = this.#waiting.length;
    const expected = this.#expected(now);
    const busy = `${request.method} takes ${this.#most} at once, and ${depth} wait already`;
    const no = (code, why) => refuse(code, `${busy}${why}`, { retryable: true, depth, limit: this.#mostWaiting, retryAfterMs: this.#pace === undefined ? UNKNOWN_RETRY : Math.ceil(Math.min(Math.max(expected, 1), LONGEST_RETRY)) });
    if (depth >= this.#mostWaiting) return no('QUEUE_FULL', ', as many as may');
    if (depth === 0) return undefined; // who is the first to wait is never refused
    const left = request.timeout > 0 ? request.at - now : Infinity;
    if (expected > left / 2 || expected + (this.#run ?? 0) > left) return no('OVERLOADED', ': the answer would come too late');
    return this.#stands(now, expected) ? no('OVERLOADED', ': more comes than is done') : undefined;
  }

  // stands says whether the queue has been too long for a while.
  #stands(now, expected) {
    const allowed = Math.max(ALLOWED_WAIT, ALLOWED_TURNS * (this.#run ?? 0));
    if (expected < (this.#standing === undefined ? allowed : allowed / 2)) {
      this.#standing = undefined;
      return false;
    }
    this.#standing ??= now;
    return now - this.#standing >= Math.max(STANDING, allowed) && expected >= allowed;
  }

  /** leave makes a request's place free, or takes it out of the queue. */
  leave(request) {
    const began = this.#running.get(request);
    if (this.#running.delete(request)) this.#left(began);
    else this.#waiting = this.#waiting.filter((each) => each.request !== request);
    while (this.#running.size < this.#most && this.#waiting.length > 0) this.#begin(this.#waiting.shift());
  }

  #left(began) {
    const now = performance.now();
    this.#run = mean(this.#run, now - began);
    if (this.#waiting.length > 0) this.#pace = mean(this.#pace, now - this.#departed);
    this.#departed = now;
  }
}

const mean = (before, value) => (before === undefined ? value : before + WEIGHT * (value - before));
