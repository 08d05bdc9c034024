// Upkeep: what members say of their messages, and what operators do with what
// is kept.
import { Failure, isObject } from './error.js';
import { refuse } from './refusal.js';

const MOST_SEQS = 1000;
const MOST_DELAY = 24 * 3_600_000; // ms
const MOST_REASON = 1024; // bytes
const MOST_MESSAGES = 1000;
const MOST_BYTES = 256 << 10; // of messages in one answer

const isSeq = (value) => Number.isSafeInteger(value) && value >= 0;

/** settle carries out ipc.ack, ipc.nak and ipc.reject. It returns null, or a
    Failure. */
export function settle(peer, verb, asked) {
  const { subscription, seq, seqs = seq === undefined ? undefined : [seq], delayMs = 0, reason = '' } = Object(asked);
  if (typeof subscription !== 'string' || !Array.isArray(seqs) || seqs.length === 0 || !seqs.every(isSeq)) {
    return refuse('SCHEMA_MISMATCH', 'an acknowledgement is {"subscription":"…","seq":n}, or with "seqs":[…] of several');
  }
  if (seqs.length > MOST_SEQS) return refuse('INVALID_ARGUMENT', `"seqs" has ${seqs.length} numbers, and ${MOST_SEQS} are allowed`);
  if (!isSeq(delayMs) || delayMs > MOST_DELAY) return refuse('INVALID_ARGUMENT', `"delayMs" is at most ${MOST_DELAY}, not ${JSON.stringify(delayMs)}`);
  if (typeof reason !== 'string') return refuse('INVALID_ARGUMENT', '"reason" is text');
  const member = peer.members.get(subscription);
  if (member === undefined) return refuse('NOT_FOUND', `there is no subscription ${JSON.stringify(subscription)} on this connection`);
  if (member.group === undefined) return refuse('INVALID_ARGUMENT', `subscription ${JSON.stringify(subscription)} is not one of a group: its events are not acknowledged`);
  const unknown = member.group.settle(member, verb, seqs, { delay: delayMs, reason: shortened(reason) });
  if (unknown.length === 0) return null;
  return new Failure('NOT_FOUND', `message ${unknown.join(', ')} is not this subscriber's to settle: it never was, it is settled, or it was given to another when its time was up`, {
    executed: unknown.length < seqs.length ? 'yes' : 'no', retryable: false, origin: 'service', seqs: unknown,
  });
}

// shortened keeps as many bytes of a reason as there is room for.
const shortened = (reason) => Buffer.from(reason).subarray(0, MOST_REASON).toString().replace(/\ufffd$/, '');

/** queues lists the channels that keep events. */
export function queues(audience) {
  return audience.kept.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, queue, epoch, log }) => ({
    channel: name, queue, persistent: false, epoch, first: log.first, next: log.next, messages: log.length, bytes: log.bytes,
    dead: 0, blocked: 0, groups: [], ...audience.queue(name)?.stats,
  }));
}

/** maintain carries out ipc.messages, ipc.purge, ipc.redrive and ipc.forget. */
export function maintain(audience, verb, asked) {
  const { channel, dead = false, from = 0, max = 100, seqs, group } = Object(asked);
  if (!isObject(asked) || typeof channel !== 'string' || typeof dead !== 'boolean' || !isSeq(from) || !isSeq(max) || (seqs !== undefined && !(Array.isArray(seqs) && seqs.every(isSeq)))) {
    return refuse('INVALID_ARGUMENT', `ipc.${verb} takes an object with a channel, and what else docs/events.md says`);
  }
  const stream = audience.kept.find(({ name }) => name === channel);
  if (stream === undefined) return refuse('NOT_FOUND', `no channel ${JSON.stringify(channel)} keeps its events`);
  const queue = audience.queue(channel);
  switch (verb) {
    case 'messages': return listed(dead ? letters(queue, from) : records(stream.log, from), Math.min(max || 100, MOST_MESSAGES));
    case 'purge': return dead ? queue?.takeDead().length ?? 0 : queue?.purge() ?? stream.log.removeBefore(stream.log.next);
    case 'redrive': return queue?.redrive(seqs) ?? 0;
  }
  if (typeof group !== 'string') return refuse('INVALID_ARGUMENT', 'ipc.forget takes an object with a channel and a group');
  return queue?.forget(group) ?? (queue === undefined ? refuse('NOT_FOUND', `${channel} has no group ${JSON.stringify(group)}`) : null);
}

function* records(log, from) {
  for (let seq = Math.max(from, log.first); seq < log.next; seq++) yield log.get(seq);
}

const letters = (queue, from) => (queue?.dead ?? []).filter(({ seq }) => seq >= from);

function listed(source, max) {
  const list = [];
  let bytes = 0;
  for (const { seq, time, id, name, text, group, deliveries, reason, from, size } of source) {
    bytes += size;
    if (list.length >= max || (list.length > 0 && bytes > MOST_BYTES)) break;
    list.push({ seq, time, id, name, ...(text === '' ? {} : { data: JSON.parse(text) }), ...(group === undefined ? {} : { group, deliveries, reason, from }) });
  }
  return list;
}
