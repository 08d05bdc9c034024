// Mending: what stood at the service when its connection was lost is brought
// back, the will first and then the subscriptions in the order in which they
// were made, until all is there or nobody wants it any more.
import { FIRST, LONGEST } from './retry.js';

/** PATIENCE is how long the service may say that it has no room for what comes
    back: it may notice later than we do that the connection is lost, and count
    what stood there. */
const PATIENCE = 60_000;

// AWAY are the codes that mean that there is no service to ask.
const AWAY = new Set(['CONNECTION_LOST', 'SHUTTING_DOWN', 'DEADLINE_EXCEEDED', 'SERVICE_UNAVAILABLE', 'SERVICE_NOT_FOUND']);

/** isAway says of a failure that another attempt may find the service. */
export const isAway = ({ code }) => AWAY.has(code);

export class Mending {
  #link;
  #running = false;
  #backoff = FIRST;
  #ended = -Infinity; // when all was there
  #refused = new Map(); // by the last attempt, since when
  #timer;

  // link has closed, current(), wanted and will.
  constructor(link) { this.#link = link; }

  /** start begins, unless it goes on. */
  start() {
    if (this.#running || this.#absent(NOTHING) === undefined) return;
    this.#running = true;
    // A service that takes us and drops us at once is not asked faster and faster.
    const soon = performance.now() - this.#ended > this.#backoff;
    if (soon) this.#backoff = FIRST;
    this.#run(soon ? 0 : this.#nextWait());
  }

  async #run(wait) {
    if (wait > 0) await this.#pause(wait);
    while (this.#running) {
      await this.#attempt();
      if (this.#running) await this.#pause(this.#patience(this.#nextWait()));
    }
    this.#ended = performance.now();
  }

  #nextWait() {
    const wait = 1 + Math.random() * this.#backoff;
    this.#backoff = Math.min(2 * this.#backoff, LONGEST);
    return wait;
  }

  // patience is a wait that nobody's patience ends before.
  #patience(wait) {
    const now = performance.now();
    for (const since of this.#refused.values()) wait = Math.min(wait, Math.max(since + PATIENCE - now, 1));
    return wait;
  }

  // A will alone does not keep the process alive.
  #pause(wait) {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, wait);
      if (this.#link.wanted.size === 0) this.#timer.unref?.();
    });
  }

  // absent is what the service does not know any more, but for what has been tried.
  #absent(tried) {
    if (this.#link.closed) return undefined;
    const { will, wanted } = this.#link;
    if (will.gone && !tried.has(will)) return will;
    for (const subscription of wanted) if (subscription.gone && !tried.has(subscription)) return subscription;
    return undefined;
  }

  // attempt tries once to bring back all that is absent.
  async #attempt() {
    const before = this.#refused;
    const refused = this.#refused = new Map();
    for (let one = this.#absent(refused); one !== undefined; one = this.#absent(refused)) {
      const failure = await one.enrol(this.#link.current(), true);
      if (failure === undefined) continue;
      if (isAway(failure)) return refused.clear();
      const since = before.get(one) ?? performance.now();
      const mayPass = failure.code === 'QUOTA_EXCEEDED' || failure.retryable;
      if (mayPass && performance.now() - since < PATIENCE) refused.set(one, since);
      else one.finish(failure); // the service does not want it any more
    }
    this.#running = refused.size > 0 && !this.#link.closed;
  }

  /** stop ends it for good. */
  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }
}
const NOTHING = new Set();
