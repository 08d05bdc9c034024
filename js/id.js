// Ids and timestamps of messages.
/** uuid is a random one. */
export const uuid = () => globalThis.crypto.randomUUID?.() ?? ofRandomBytes(globalThis.crypto.getRandomValues(new Uint8Array(16)));

// A browser gives UUIDs to pages of secure origins only, and bytes to all.
function ofRandomBytes(bytes) {
  bytes[6] = 0x40 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// An id is the front of one UUID and a counter of twelve digits: a version 4
// UUID still. V8 keeps a table of all short strings that it meets in JSON, and
// to look a counter up there would double what a call costs; 36 characters are
// not looked up.
const front = uuid().slice(0, 24);
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
