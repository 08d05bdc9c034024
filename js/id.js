// Ids and timestamps of messages.
import { randomUUID } from 'node:crypto';

// An id is the front of one UUID and a counter of twelve digits: a version 4
// UUID still. V8 keeps a table of all short strings that it meets in JSON, and
// to look a counter up there would double what a call costs; 36 characters are
// not looked up.
const front = randomUUID().slice(0, 24);
let last = Math.floor(Math.random() * 2 ** 32);

/** nextId returns an id that no other message has. */
export const nextId = () => front + (++last).toString(16).padStart(12, '0');

let stamped = 0;
let text = '';

/** timestamp is the time as ISO 8601, made anew once a millisecond. */
export function timestamp() {
  const now = Date.now();
  if (now !== stamped) {
    stamped = now;
    text = new Date(now).toISOString();
  }
  return text;
}
