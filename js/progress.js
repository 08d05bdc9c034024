// Progress: where a subscription stands in each stream. It tells what has come
// before, and after a lost connection where to go on and what is missing.
import { gapAfter } from './gap.js';

/** MOST_STREAMS bounds the streams of which it is known. */
const MOST_STREAMS = 4096;

export class Progress {
  #last = new Map(); // by stream: { epoch, seq } of the last event that has come
  #recent; // the stream of the last event
  #stands; // the place in that

  /** now is a copy of all places, by stream. */
  now() { return new Map([...this.#last].map(([stream, at]) => [stream, { ...at }])); }

  /** advance notes an event, and reports false if it has come before. */
  advance(stream, { epoch, seq }) {
    let last = this.#stands;
    if (last === undefined || stream !== this.#recent) {
      last = this.#last.get(stream);
      if (last === undefined) {
        if (this.#last.size >= MOST_STREAMS) return true;
        this.#last.set(stream, last = { epoch, seq: 0 });
      }
      this.#recent = stream;
      this.#stands = last;
    }
    if (last.epoch !== epoch) {
      last.epoch = epoch;
      last.seq = 0;
    }
    if (seq <= last.seq) return false;
    last.seq = seq;
    return true;
  }

  /** skip notes that nothing before these places is to come any more. */
  skip(places) {
    for (const [stream, { epoch, seq }] of places) {
      const last = this.#last.get(stream);
      if (last === undefined) {
        if (this.#last.size < MOST_STREAMS) this.#last.set(stream, { epoch, seq: seq - 1 });
      } else if (last.epoch !== epoch) {
        last.epoch = epoch;
        last.seq = seq - 1;
      } else {
        last.seq = Math.max(last.seq, seq - 1);
      }
    }
  }

  /** missing is what of a gap has not come all the same; undefined if nothing. */
  missing(stream, epoch, gap) {
    const last = this.#last.get(stream);
    return last === undefined || last.epoch !== epoch ? gap : gapAfter(gap, last.seq);
  }
}
