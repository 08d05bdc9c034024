// Queues: channels whose messages are each done by one member of a group. They
// wait in memory, as long as the service runs.
import { Deadline } from './deadline.js';
import { Group, GroupMember } from './group.js';
import { timestamp } from './id.js';
import { sizeOf } from './log.js';
import { refuse } from './refusal.js';
import { placesOf } from './wish.js';

const MOST_GROUPS = 64;
const MOST_MEMBERS = 1000;
const MOST_BLOCKED = 4096;
const MOST_DEAD = 10_000;
const MOST_DEAD_BYTES = 16 << 20;
const DEFAULT_WAIT = 30_000; // for room, in ms
const LONGEST_WAIT = 600_000;

// A Blocked is a publisher who waits for room.
class Blocked extends Deadline {
  constructor(queue, args, resolve) {
    super();
    this.queue = queue;
    this.args = args;
    this.resolve = resolve;
  }

  expired() { this.queue.gaveUp(this); }
}

export class Queue {
  #channel;
  #groups = new Map(); // by name
  #lastDead = 0;
  #deadBytes = 0;
  #blocked = [];
  #settling = false;

  /** dead are the letters that nobody could do, oldest first. */
  dead = [];

  constructor(channel, stream) {
    this.#channel = channel;
    this.stream = stream;
    this.log = stream.log;
  }

  get members() { return [...this.#groups.values()].flatMap(({ members }) => members); }

  /** publish gives a message its place: now, when there is room, or never. */
  publish(name, text, id, timeout, only) {
    if (this.#blocked.length === 0 && this.#makeRoom(name, text, id)) return this.#add(name, text, id, only);
    if (this.#channel.onFull !== 'block') return refuse('STORAGE_FULL', `the log is full: ${this.log.length} messages of ${this.log.bytes} bytes are still needed`);
    if (this.#blocked.length >= MOST_BLOCKED) return refuse('OVERLOADED', `${MOST_BLOCKED} publishers wait for room in ${this.#channel.name} already`, { retryable: true, retryAfterMs: 100 });
    return new Promise((resolve) => {
      const blocked = new Blocked(this, [name, text, id, only], resolve);
      this.#blocked.push(blocked);
      blocked.begin(timeout > 0 ? Math.min(timeout, LONGEST_WAIT) : DEFAULT_WAIT);
    });
  }

  #makeRoom(name, text, id = '') {
    return this.#channel.onFull === 'drop-oldest' || this.log.hasRoom(sizeOf({ name, text, id }));
  }

  #add(name, text, id, only) {
    const { seq, epoch, stream } = this.stream.add(name, text, id, only === undefined ? {} : { only });
    const heard = [...this.#groups.values()].filter(({ members }) => members.length > 0);
    const behind = heard.filter((group) => group.behind(seq)).length;
    this.pump();
    return { stream, epoch, seq, receivers: heard.length, behind };
  }

  /** gaveUp is for a publisher who has waited long enough. */
  gaveUp(blocked) {
    this.#blocked.splice(this.#blocked.indexOf(blocked), 1);
    blocked.resolve(refuse('DEADLINE_EXCEEDED', `no room came free in ${this.#channel.name} in time`));
  }

  /** pump gives the members of all groups what they can take. */
  pump() { for (const group of this.#groups.values()) group.pump(); }

  /** settled removes what all groups are through with, and lets publishers in
      who wait for the room. */
  settled() {
    if (this.#settling) return; // who is let in leads back here
    this.#settling = true;
    do {
      if (this.#groups.size > 0) this.log.removeBefore(Math.min(...[...this.#groups.values()].map(({ floor }) => floor)));
    } while (this.#letIn());
    this.#settling = false;
  }

  #letIn() {
    const [blocked] = this.#blocked;
    if (blocked === undefined || !this.#makeRoom(...blocked.args)) return false;
    this.#blocked.shift();
    blocked.clear();
    blocked.resolve(this.#add(...blocked.args));
    return true;
  }

  /** bury sets aside what nobody could do. */
  bury(record, group, deliveries, reason) {
    const { name, text, seq, epoch } = record;
    const letter = { seq: ++this.#lastDead, time: timestamp(), id: `${epoch}/${seq}/${group}`, name, text, group, deliveries, reason, from: seq };
    letter.size = sizeOf(letter) + Buffer.byteLength(reason);
    this.dead.push(letter);
    this.#deadBytes += letter.size;
    while (this.dead.length > MOST_DEAD || (this.dead.length > 1 && this.#deadBytes > MOST_DEAD_BYTES)) this.#deadBytes -= this.dead.shift().size;
  }

  /** replaces says whether a subscriber would take the place of another. */
  replaces({ group, durable }) {
    return durable && this.#groups.get(group)?.durable === true && this.#groups.get(group).members.length > 0;
  }

  /** join makes a member of a group, and the group if there is none: { member,
      from }. It throws a Failure. */
  join(audience, peer, id, wish) {
    const { group: name = 'default', durable } = wish;
    let group = this.#groups.get(name);
    if (group !== undefined && group.durable !== durable) throw refuse('CONFLICT', `${this.#channel.name} has a group and not a durable subscription, or the other way around, of the name ${JSON.stringify(name)}`);
    if (group === undefined) {
      if (this.#groups.size >= MOST_GROUPS) throw refuse('QUOTA_EXCEEDED', `${this.#channel.name} has ${MOST_GROUPS} groups already`, { resource: 'groups', limit: MOST_GROUPS });
      const at = wish.from.kind === 'new' ? this.log.first : placesOf([this.stream], wish, () => true).get(this.stream) ?? this.stream.seq + 1;
      this.#groups.set(name, group = new Group(this, name, durable, at));
    }
    if (durable) for (const other of group.members) other.replaced();
    if (group.members.length >= MOST_MEMBERS) throw refuse('QUOTA_EXCEEDED', `the group ${name} has ${MOST_MEMBERS} members already`, { resource: 'members', limit: MOST_MEMBERS });
    const member = new GroupMember(audience, peer, id, wish, group);
    group.members.push(member);
    return { member, from: { epoch: this.stream.epoch, seq: group.floor } };
  }

  /** purge removes all messages, and returns how many. */
  purge() {
    for (const group of this.#groups.values()) group.purged();
    const removed = this.log.removeBefore(this.log.next);
    this.settled();
    return removed;
  }

  /** takeDead removes dead letters, those of seqs or all, and returns them. */
  takeDead(seqs) {
    const taken = this.dead.filter(({ seq }) => seqs === undefined || seqs.includes(seq));
    this.dead = this.dead.filter((letter) => !taken.includes(letter));
    this.#deadBytes = this.dead.reduce((sum, { size }) => sum + size, 0);
    return taken;
  }

  /** redrive publishes dead letters again, each for its group alone, and returns
      how many. */
  redrive(seqs) {
    const letters = this.takeDead(seqs);
    for (const { seq, name, text, group } of letters) this.#add(name, text, `redriven/${this.stream.epoch}/${seq}`, group);
    return letters.length;
  }

  /** forget removes a group, or returns a Failure. */
  forget(name) {
    const group = this.#groups.get(name);
    if (group === undefined) return refuse('NOT_FOUND', `${this.#channel.name} has no group ${JSON.stringify(name)}`);
    if (group.members.length > 0) return refuse('CONFLICT', `the group ${JSON.stringify(name)} of ${this.#channel.name} has ${group.members.length} members; it can be removed when they have left`);
    group.close();
    this.#groups.delete(name);
    this.settled();
    return null;
  }

  get stats() { return { dead: this.dead.length, blocked: this.#blocked.length, groups: [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ stats }) => stats) }; }

  /** close ends what waits for a time. */
  close() {
    for (const group of this.#groups.values()) group.close();
    for (const blocked of this.#blocked.splice(0)) {
      blocked.clear();
      blocked.resolve(refuse('SHUTTING_DOWN', 'the service is shutting down', { retryable: true }));
    }
  }
}
