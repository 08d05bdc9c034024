// Names, and patterns of names.
import { Failure } from './error.js';

const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const PATTERN = /^(?:[A-Za-z0-9_-]+|\*)(?:\.(?:[A-Za-z0-9_-]+|\*))*(?:\.\*\*)?$|^\*\*$/;
const RESERVED = new Set(['ipc', 'ekko', 'events', 'broadcast']);
const MOST_BYTES = 255;
const MOST_TOKENS = 16;
const MOST_WILDCARDS = 4;

const fits = (text) => text.length <= MOST_BYTES && text.split('.').length <= MOST_TOKENS;

/** isName says whether text is a name. */
export const isName = (text) => typeof text === 'string' && NAME.test(text) && fits(text);

/** checkName throws INVALID_NAME. */
export function checkName(text) {
  if (!isName(text)) {
    throw new Failure('INVALID_NAME', `${JSON.stringify(text)} is no name: letters, digits, _ and -, in up to 16 words joined by dots, 255 bytes at most`, { executed: 'no', origin: 'client' }).error();
  }
}

/** isReserved says whether a name may not be a service's or an event's. */
export const isReserved = (name) => RESERVED.has(name.split('.', 1)[0]);

/** eventName is the name of the event on a channel: what follows "events.". */
export const eventName = (channel) => (channel.startsWith('events.') ? channel.slice(7) : channel);

/** split takes a channel apart: the last token is the method. */
export function split(channel) {
  const at = channel.lastIndexOf('.');
  return at < 0 ? [channel, ''] : [channel.slice(0, at), channel.slice(at + 1)];
}

const isPattern = (text) => PATTERN.test(text) && fits(text) && text.split('.').filter((token) => token === '*').length <= MOST_WILDCARDS;

/** A Pattern is what a subscription asks for. */
export class Pattern {
  #fixed;
  #many;

  // The text may have "events." in front.
  constructor(text) {
    const name = typeof text === 'string' ? eventName(text) : text;
    if (typeof name !== 'string' || !isPattern(name)) {
      throw new Failure('INVALID_PATTERN', `${JSON.stringify(text)} is no pattern: a name, in which a whole word may be * and the last one **`, { executed: 'no', origin: 'client' }).error();
    }
    this.name = name;
    this.literal = !name.includes('*');
    const tokens = name.split('.');
    this.#many = tokens.at(-1) === '**';
    this.#fixed = this.#many ? tokens.slice(0, -1) : tokens;
  }

  /** matches says whether an event of that name is meant. */
  matches(name) {
    if (this.literal) return name === this.name;
    if (name === '') return false;
    const tokens = name.split('.');
    const fixed = this.#fixed;
    if (this.#many ? tokens.length <= fixed.length : tokens.length !== fixed.length) return false;
    return fixed.every((token, i) => (token === '*' ? tokens[i] !== '' : token === tokens[i])) && tokens.at(-1) !== '';
  }
}

/** closest finds what a misspelt name was meant to be; undefined if nothing is near. */
export function closest(name, names) {
  const most = Math.min(Math.max(1, Math.floor(name.length / 3)), 3);
  let best;
  let least = most + 1;
  for (const candidate of names) {
    if (candidate === '' || candidate === name || Math.abs(candidate.length - name.length) > most) continue;
    const d = distance(name.toLowerCase(), candidate.toLowerCase());
    if (d < least && d < Math.max(candidate.length, name.length)) [best, least] = [candidate, d];
  }
  return best;
}

// distance counts the letters to add, leave out, change or swap.
function distance(a, b) {
  let above;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], above[j - 2] + 1);
    }
    [above, row] = [row, next];
  }
  return row[b.length];
}
