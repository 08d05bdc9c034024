// Pending calls, by id. A Map would do, but for what V8 makes of one that is
// filled and emptied all the time: each table that it has outgrown points to
// the next. Once one of them is old the garbage collector keeps all that come
// after it, with the calls that were in them, and each call costs a quarter more.

const LEAST = 64;

/** Pending is an open table: a call stands at the place that its id says, or
    at the next one that is free. */
export class Pending {
  /** size is how many calls there are. */
  size = 0;

  #slots = new Array(LEAST).fill(undefined);

  /** get returns the call of that id, if it is here. */
  get(id) { return typeof id === 'string' ? this.#slots[this.#find(id)] : undefined; }

  // find returns where the call is, or else where it would be.
  #find(id) {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let i = placeOf(id) & mask;
    while (slots[i] !== undefined && slots[i].id !== id) i = (i + 1) & mask;
    return i;
  }

  /** add takes a call in. */
  add(call) {
    if (2 * this.size >= this.#slots.length) this.#grow();
    this.size++;
    this.#slots[this.#find(call.id)] = call;
  }

  #grow() {
    const calls = this.all();
    this.#slots = new Array(2 * this.#slots.length).fill(undefined);
    for (const call of calls) this.#slots[this.#find(call.id)] = call;
  }

  /** remove takes a call out that is here. */
  remove({ id }) {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let free = this.#find(id);
    if (slots[free] === undefined) return;
    this.size--;
    slots[free] = undefined;
    // Whoever stands behind because it was taken moves up.
    for (let i = (free + 1) & mask; slots[i] !== undefined; i = (i + 1) & mask) {
      const away = (i - placeOf(slots[i].id)) & mask;
      if (away < ((i - free) & mask)) continue;
      slots[free] = slots[i];
      slots[i] = undefined;
      free = i;
    }
  }

  /** all returns the calls. */
  all() { return this.#slots.filter((call) => call !== undefined); }
}

// placeOf reads the last four digits of an id, which is a number in hex; what
// somebody else has made up may be anything. Ids are counted: neighbours are
// scattered, or to take one out would mean to look at all the others.
function placeOf(id) {
  let place = 0;
  for (let i = id.length - 4; i < id.length; i++) {
    const c = id.charCodeAt(i);
    place = (place << 4) | ((c & 15) + (c >> 6) * 9);
  }
  return Math.imul(place, 0x9e3779b1) >>> 16;
}
