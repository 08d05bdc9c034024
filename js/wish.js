// Wishes: what a client asks for when it subscribes.
import { Failure, isObject } from './error.js';
import { parseFilter } from './filter.js';
import { Pattern } from './name.js';
import { refuse } from './refusal.js';

const MOST_WINDOW = 64 << 20;
const MOST_CREDIT = 1000;
const MOST_ACK_WAIT = 3_600_000; // ms
const DEFAULT_CREDIT = 100;
const DEFAULT_ACK_WAIT = 30_000; // ms

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const invalid = (what) => refuse('INVALID_ARGUMENT', what);
const isPlace = (value) => isObject(value) && typeof value.epoch === 'string' && Number.isSafeInteger(value.seq) && value.seq > 0;

/** wishOf reads the channel and the data of a subscribe message, or throws a
    Failure. Of from it makes { kind, … }. */
export function wishOf(channel, data) {
  if (!isObject(data)) throw invalid('the data of a subscribe is an object of options');
  const pattern = patternOf(channel);
  const { from, filter, group, durable, credit, limit, ackWaitMs, onSlow, window, plain, subscription } = data;
  if (onSlow !== undefined && onSlow !== 'drop-oldest' && onSlow !== 'disconnect') throw invalid(`"onSlow" of a subscription is "drop-oldest" or "disconnect", not ${JSON.stringify(onSlow)}`);
  if (subscription !== undefined && !isID(subscription)) throw invalid('"subscription" is an id of 1 to 64 letters, digits, "-" and "_"');
  if (plain !== undefined && typeof plain !== 'boolean') throw invalid('"plain" is true or false');
  const wish = {
    pattern, id: subscription, from: fromOf(from), filter: filterOf(filter), onSlow,
    window: count(window, 'window', MOST_WINDOW, 'bytes'),
    ...membershipOf(group, durable),
    credit: count(credit, 'credit', MOST_CREDIT, 'events') ?? DEFAULT_CREDIT,
    limit: count(limit, 'limit', Number.MAX_SAFE_INTEGER, 'events'),
    ackWait: count(ackWaitMs, 'ackWaitMs', MOST_ACK_WAIT, 'milliseconds') ?? DEFAULT_ACK_WAIT,
  };
  wish.plain = plain === true && wish.id !== undefined && wish.filter === undefined && wish.group === undefined;
  wish.separate = wish.id !== undefined || wish.from.kind !== 'new' || wish.filter !== undefined || wish.group !== undefined;
  return wish;
}

const isID = (value) => typeof value === 'string' && ID.test(value);

function patternOf(channel) {
  try {
    return new Pattern(channel);
  } catch (error) {
    throw refuse('INVALID_PATTERN', error.message);
  }
}

// count reads a number; 0 is as if nothing were said.
function count(value, name, most, unit) {
  if (value === undefined || value === 0) return undefined;
  if (!Number.isSafeInteger(value) || value < 0 || value > most) throw invalid(`"${name}" is 1 to ${most} ${unit}, not ${JSON.stringify(value)}`);
  return value;
}

function filterOf(text) {
  if (text === undefined || text === '') return undefined;
  if (typeof text !== 'string') throw invalid('"filter" is text');
  return parseFilter(text);
}

function membershipOf(group, durable) {
  if (group !== undefined && durable !== undefined) throw invalid('a subscription has a "group", whose members share the messages, or a "durable" name of its own, and not both');
  const name = group ?? durable;
  if (name !== undefined && !isID(name)) throw invalid(`the name of a group has 1 to 64 letters, digits, "-" and "_", and is not ${JSON.stringify(name)}`);
  return { group: name, durable: durable !== undefined };
}

function fromOf(from) {
  if (from == null || from === 'new') return { kind: 'new' };
  if (from === 'first' || from === 'last' || from === 'snapshot') return { kind: from };
  if (isPlace(from)) return { kind: 'place', place: from };
  if (isObject(from) && typeof from.time === 'string' && /^\d{4}-\d\d-\d\dT/.test(from.time) && !Number.isNaN(Date.parse(from.time))) return { kind: 'time', time: Date.parse(from.time) };
  if (isObject(from) && isObject(from.streams) && Object.values(from.streams).every(isPlace)) return { kind: 'streams', streams: new Map(Object.entries(from.streams)) };
  throw invalid(`"from" is "new", "first", "last", "snapshot", {"epoch":"…","seq":n}, {"time":"2026-11-25T12:00:00Z"} or {"streams":{"name":{"epoch":"…","seq":n}}}, not ${JSON.stringify(from).slice(0, 100)}`);
}

/** placesOf returns by stream where delivery begins, of those that a pattern
    reaches and where it is not the next event; or throws a Failure. */
export function placesOf(streams, { pattern, from }, wanted) {
  const at = new Map();
  for (const stream of streams) {
    const seq = placeIn(stream, pattern, from, wanted);
    if (seq !== stream.seq + 1) at.set(stream, seq);
  }
  return at;
}

function placeIn(stream, pattern, from, wanted) {
  const next = stream.seq + 1;
  const { log } = stream;
  switch (from.kind) {
    case 'new': case 'snapshot': return next;
    case 'place': return exactly(stream, pattern, from.place);
    case 'streams': return again(stream, from.streams.get(stream.name));
  }
  if (log === undefined) {
    if (from.kind === 'last' && stream.newest !== undefined) return Math.min(next, ...[...stream.newest.values()].filter(wanted).map(({ seq }) => seq));
    if (pattern.literal) throw invalid(`${pattern.name} keeps no events to begin with: its channel needs "retention" or "last" in the manifest`);
    return next;
  }
  if (from.kind === 'first') return log.first;
  return from.kind === 'time' ? log.at(from.time) : stream.last(wanted);
}

function exactly({ name, epoch, seq, log }, pattern, place) {
  if (!pattern.literal) throw invalid(`a place belongs to one stream, and ${pattern.name} is a pattern of many`);
  const next = seq + 1;
  const first = log?.first ?? next;
  if (place.epoch === epoch && place.seq >= first && place.seq <= next) return place.seq;
  const why = place.epoch !== epoch ? 'belongs to an earlier epoch' : place.seq > next ? 'has not been given to an event yet' : 'is not kept any more';
  throw new Failure('CURSOR_INVALID', `${name}: the place ${place.seq} in epoch ${JSON.stringify(place.epoch)} ${why}`, { executed: undefined, retryable: false, origin: 'service', epoch, firstAvailable: first, next });
}

// again goes on as near as can be to where a subscription stood (from.5).
function again({ epoch, seq, log }, place) {
  if (log === undefined || place === undefined) return seq + 1;
  if (place.epoch !== epoch) return log.first;
  return Math.min(Math.max(place.seq, log.first), seq + 1);
}
