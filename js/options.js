// Options: what a program asks of a subscription, and how the protocol has it.
import { check, isObject } from './error.js';

/** isPlace says whether a value is a place in a stream: { epoch, seq }. */
export const isPlace = (value) => isObject(value) && typeof value.epoch === 'string' && Number.isSafeInteger(value.seq);

const WORDS = new Set(['new', 'first', 'last', 'snapshot']);

// fromOf is where to begin as the protocol has it.
function fromOf(from) {
  if (from === undefined || from === 'new') return undefined;
  if (from instanceof Date) return { time: from.toISOString() };
  check(WORDS.has(from) || isPlace(from) || typeof from?.time === 'string', "from must be 'new', 'first', 'last', 'snapshot', a Date or { epoch, seq }", from);
  return WORDS.has(from) ? from : from.time === undefined ? { epoch: from.epoch, seq: from.seq } : { time: from.time };
}

/** wishOf makes of a program's options those of a subscribe message. */
export function wishOf({ signal, from, filter, group, durable, credit, ackWait, onSlow, ...rest }) {
  for (const name of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(name)} of a subscription`);
  const wish = {};
  for (const [name, value] of [['filter', filter], ['group', group], ['durable', durable]]) {
    check(value === undefined || typeof value === 'string', `${name} must be a string`, value);
    if (value !== undefined) wish[name] = value;
  }
  const begin = fromOf(from);
  if (begin !== undefined) wish.from = begin;
  check(credit === undefined || (Number.isInteger(credit) && credit > 0), 'credit must be a positive integer', credit);
  if (credit !== undefined) wish.credit = credit;
  check(ackWait === undefined || (typeof ackWait === 'number' && ackWait > 0), 'ackWait must be milliseconds', ackWait);
  if (ackWait !== undefined) wish.ackWaitMs = Math.round(ackWait);
  check(onSlow === undefined || onSlow === 'drop-oldest' || onSlow === 'disconnect', "onSlow must be 'drop-oldest' or 'disconnect'", onSlow);
  if (onSlow !== undefined) wish.onSlow = onSlow;
  return wish;
}
