// Groups: named places in a queue, with members who share what comes after.
// A message that one of them holds is settled by its word, or comes again.
import { Deadline } from './deadline.js';
import { framed } from './outlet.js';
import { dataOf, known } from './member.js';
import { refuse } from './refusal.js';

/** MOST_DELIVERIES is how often a message is delivered before it is given up. */
const MOST_DELIVERIES = 5;
const MOST_HELD = 1000; // by all members together
const MOST_HELD_BYTES = 8 << 20; // by one

// A Held is a message that was delivered and is not settled: a member holds it,
// or it waits to be delivered again.
class Held extends Deadline {
  member;
  deliveries = 0;

  constructor(group, record) {
    super();
    this.group = group;
    this.record = record;
  }

  expired() { this.group.expired(this); }
}

export class Group {
  members = [];
  counts = { delivered: 0, redelivered: 0, acked: 0, dead: 0, missing: 0 };

  #queue;
  #next; // seq of the first message that nobody has had
  #held = new Map(); // by seq, in the order of the first deliveries
  #again = []; // those of them that are to be delivered again, now
  #turn = 0; // the member whose turn it is
  #pending = 0; // of those that are held, by members

  constructor(queue, name, durable, next) {
    this.#queue = queue;
    this.name = name;
    this.durable = durable;
    this.#next = next;
  }

  /** floor is the seq before which everything is settled. */
  get floor() { return this.#held.keys().next().value ?? this.#next; }
  get #waiting() { return Math.max(0, this.#queue.log.next - Math.max(this.#next, this.#queue.log.first)); }

  /** stats is what an operator sees of it. */
  get stats() {
    return { name: this.name, durable: this.durable, members: this.members.length, waiting: this.#waiting, pending: this.#pending, again: this.#held.size - this.#pending, ...this.counts };
  }

  /** behind says whether anything stands before the message seq. */
  behind(seq) { return this.#next < seq || this.#again.length > 0; }

  /** pump gives the members what they can take. */
  pump() {
    while (this.members.length > 0 && (this.#giveAgain() || this.#giveNew()));
    this.#queue.settled();
  }

  // taker is who takes a message now: the next in turn who can.
  #taker(again, bytes) {
    if (this.#pending >= MOST_HELD) return undefined;
    const count = this.members.length;
    for (let i = 0; i < count; i++) {
      const member = this.members[(this.#turn + i) % count];
      if (!member.takes(again, bytes)) continue;
      this.#turn = (this.#turn + i + 1) % count;
      return member;
    }
    return undefined;
  }

  #giveAgain() {
    const held = this.#again[0];
    if (held === undefined) return false;
    const member = this.#taker(true, held.record.size);
    if (member === undefined) return false;
    this.#again.shift();
    this.#give(member, held);
    return true;
  }

  #giveNew() {
    const { log } = this.#queue;
    const lost = log.first - this.#next;
    const at = Math.max(this.#next, log.first);
    const record = log.get(at);
    if (record === undefined && !(lost > 0 && this.members.length > 0)) return false;
    const member = this.#taker(false, record?.size ?? 0);
    if (member === undefined) return false;
    if (lost > 0) {
      this.counts.missing += lost;
      member.miss(this.#queue.stream, this.#next, at - 1);
      this.#next = at;
    }
    if (record === undefined) return false;
    this.#next = at + 1;
    const isOthers = record.only !== undefined && record.only !== this.name;
    if (!isOthers && (member.filter === undefined || member.filter.matches(dataOf(record)))) {
      const held = new Held(this, record);
      this.#held.set(at, held);
      this.#give(member, held);
    }
    return true;
  }

  #give(member, held) {
    held.member = member;
    held.deliveries++;
    this.#pending++;
    this.counts.delivered++;
    if (held.deliveries > 1) this.counts.redelivered++;
    held.begin(member.ackWait);
    member.take(held);
  }

  /** expired takes a message from a member who has had it too long. */
  expired(held) {
    if (held.member === undefined) { // its delay is over
      this.#again.push(held);
      return this.pump();
    }
    held.member.silent = true;
    this.#release(held, 0, 'it was not acknowledged in time');
    this.pump();
  }

  // release takes a message from its holder. It is delivered again, unless it
  // was often enough.
  #release(held, delay, why) {
    this.#takeBack(held);
    if (held.deliveries >= MOST_DELIVERIES) this.#giveUp(held, `${why}, delivered ${held.deliveries} times`);
    else if (delay > 0) held.begin(delay);
    else this.#again.push(held);
  }

  #takeBack(held) {
    held.clear();
    held.member.drop(held);
    held.member = undefined;
    this.#pending--;
  }

  #giveUp(held, reason) {
    this.#held.delete(held.record.seq);
    this.counts.dead++;
    this.#queue.bury(held.record, this.name, held.deliveries, reason);
  }

  /** settle is what a member says of messages: verb is ack, nak or reject. It
      returns the seqs of those that it does not hold. */
  settle(member, verb, seqs, { delay = 0, reason = '' }) {
    const unknown = [];
    for (const seq of seqs) {
      const held = this.#held.get(seq);
      if (held?.member !== member) unknown.push(seq);
      else if (verb === 'nak') this.#release(held, delay, 'it was given back');
      else {
        this.#takeBack(held);
        if (verb === 'reject') this.#giveUp(held, reason === '' ? 'rejected' : reason);
        else {
          this.#held.delete(seq);
          this.counts.acked++;
        }
      }
    }
    member.silent = false;
    this.pump();
    return unknown;
  }

  /** remove takes a member out. What it held goes to others. */
  remove(member) {
    this.members = this.members.filter((other) => other !== member);
    for (const held of [...member.held]) this.#release(held, 0, 'its reader left');
    this.pump();
  }

  /** purged forgets what waited. What somebody holds can still be settled. */
  purged() {
    for (const [seq, held] of this.#held) {
      if (held.member !== undefined) continue;
      held.clear();
      this.#held.delete(seq);
    }
    this.#again = [];
  }

  /** close ends its timers. */
  close() { for (const held of this.#held.values()) held.clear(); }
}

/** A GroupMember is a subscription that takes messages of a group. */
export class GroupMember {
  held = new Set();
  /** silent says that it has let a message wait for too long, and said nothing since. */
  silent = false;

  #audience;
  #bytes = 0;
  #delivered = 0;
  #limit;
  #credit;

  constructor(audience, peer, id, { pattern, filter, credit, limit = Infinity, ackWait }, group) {
    this.#audience = audience;
    this.peer = peer;
    this.id = id;
    this.pattern = pattern;
    this.filter = filter;
    this.group = group;
    this.ackWait = ackWait;
    this.separate = true;
    this.#credit = credit;
    this.#limit = limit;
  }

  /** outlet is what a connection that can be written to again flushes. */
  get outlet() { return this; }
  flush() { this.group.pump(); }
  grant() {}

  /** takes says whether it can take a message of so many bytes. Who stands still
      while others do not gets one new message at a time (group.7). */
  takes(again, bytes) {
    if (this.silent && this.group.members.some(({ silent }) => !silent) && (again || this.held.size > 0)) return false;
    return this.peer.writable && this.held.size < this.#credit && this.#delivered < this.#limit && (this.held.size === 0 || this.#bytes + bytes <= MOST_HELD_BYTES);
  }

  take(held) {
    const { record, deliveries } = held;
    this.held.add(held);
    this.#bytes += record.size;
    this.#delivered++;
    const { head, tail } = framed(record, deliveries > 1 ? `,"redelivered":true,"deliveries":${deliveries}` : '');
    this.peer.send(`${head}"subscription":${JSON.stringify(this.id)},${tail}`);
  }

  drop(held) {
    if (this.held.delete(held)) this.#bytes -= held.record.size;
  }

  miss({ name, epoch }, from, to) {
    this.peer.event(`events.${name}`, `,"metadata":{"subscription":${JSON.stringify(this.id)},"epoch":"${epoch}","gap":{"from":${from},"to":${to},"reason":"expired"}}`);
  }

  left() { this.group.remove(this); }

  facts() {
    return { subscription: this.id, pattern: this.pattern.name, group: this.group.name, ...(this.group.durable ? { durable: true } : {}), ...known(this.peer), queued: 0, delivered: this.#delivered, dropped: 0 };
  }

  /** replaced ends it: another has taken over its name (group.10). */
  replaced() {
    this.peer.refuse(this.id, refuse('CONFLICT', `another subscriber of ${this.pattern.name} has taken over the name ${JSON.stringify(this.group.name)}`));
    this.#audience.leave(this);
  }
}
