// Locals: subscriptions of the service's own process to its events.
import { IpcError } from './error.js';
import { dataOf } from './member.js';
import { PRESENCE } from './outlet.js';
import { placesOf, wishOf } from './wish.js';

/** A Local gets its events as they are published, and those that it begins
    with in the next turn, before them. */
export class Local {
  #wish;
  #waiting; // events of before, and what was published meanwhile

  constructor(streams, subscription) {
    this.subscription = subscription;
    const { group, durable, onSlow, ...asked } = subscription.wish;
    const { pattern } = subscription;
    const reached = streams.reached(pattern);
    if (group !== undefined || durable !== undefined || reached.some(({ queue }) => queue)) throw unfit(`${pattern.name}: a member of a group is a client: connect to the service`);
    if (asked.from === 'snapshot') throw unfit(`${pattern.name}: the service knows its own state`);
    this.#wish = wishOf(pattern.name, asked);
    const before = [];
    for (const [stream, from] of placesOf(reached, this.#wish, (record) => this.#wants(record))) {
      if (stream.log === undefined) before.push(...stream.newest.values());
      else for (let seq = from; seq <= stream.seq; seq++) before.push(stream.log.get(seq));
    }
    if (before.length === 0) return;
    this.#waiting = before.sort((a, b) => a.at - b.at || a.seq - b.seq);
    queueMicrotask(() => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      for (const record of waiting) this.offer(record);
    });
  }

  #wants(record) {
    const { pattern, filter } = this.#wish;
    return record.name !== PRESENCE && (pattern.name === record.stream || pattern.matches(record.name)) && (filter === undefined || filter.matches(dataOf(record)));
  }

  /** offer takes an event, if it is for it. */
  offer(record) {
    if (this.#waiting !== undefined) this.#waiting.push(record);
    else if (this.#wants(record)) {
      const { id, name, stream, text, time, epoch, seq } = record;
      this.subscription.offer({ data: text === '' ? undefined : JSON.parse(text), messageId: id, timestamp: time, metadata: { seq, epoch, ...(stream === name ? {} : { stream }) } }, name, undefined);
    }
  }
}

const unfit = (text) => new IpcError('INVALID_ARGUMENT', text, { executed: 'no' });
