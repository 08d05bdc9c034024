// Streams: how the events of a service are numbered, and what is kept of them.
import { randomBytes } from 'node:crypto';

import { nextId, timestamp } from './id.js';
import { Log, sizeOf } from './log.js';

const MOST_STREAMS = 4096;
const MOST_STARTS = 1000;
const MOST_LOOKED_AT = 4096; // for the newest that somebody wants (from.1)

const newEpoch = () => randomBytes(6).toString('hex');

/** A Stream is a channel with all that it carries, or an event that no channel
    carries. */
class Stream {
  seq = 0;
  /** log has what is kept; undefined: nothing is. */
  log;
  /** newest has the newest event of each name, where the channel says `last`
      and keeps no more. */
  newest;

  constructor(name, epoch, channel) {
    this.name = name;
    this.epoch = epoch;
    this.queue = channel?.queue === true;
    if (channel?.retention !== undefined) this.log = new Log(channel.retention);
    else if (channel?.last === true) this.newest = new Map();
  }

  get next() { return { epoch: this.epoch, seq: this.seq + 1 }; }

  /** add gives an event its place. id is its publisher's, and counts where it
      is kept (pub.3). */
  add(name, text, id, more) {
    const kept = this.log !== undefined;
    const record = {
      name, text, stream: this.name, epoch: this.epoch, seq: ++this.seq, id: (kept ? id : undefined) ?? nextId(),
      time: timestamp(), at: Date.now(), size: 0, ...more,
    };
    if (kept) {
      record.size = sizeOf(record);
      this.log.append(record);
    } else this.newest?.set(name, record);
    return record;
  }

  /** last is the seq of the newest record that is wanted, or of the next event. */
  last(wanted) {
    const { log } = this;
    const end = Math.max(log.first, log.next - MOST_LOOKED_AT);
    for (let seq = log.next - 1; seq >= end; seq--) if (wanted(log.get(seq))) return seq;
    return log.next;
  }
}

export class Streams {
  #manifest;
  #epoch = newEpoch();
  #streams = new Map();
  #plain = 0; // how many keep nothing

  constructor(manifest) {
    this.#manifest = manifest;
    for (const channel of manifest?.channels ?? []) {
      if (channel.retention !== undefined) this.#streams.set(channel.name, new Stream(channel.name, newEpoch(), channel));
    }
  }

  /** of returns a stream by its name, and begins it if need be. */
  of(name) {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      if (this.#plain >= MOST_STREAMS) this.#startAnew();
      stream = new Stream(name, this.#epoch, this.#manifest?.channel(name));
      this.#streams.set(name, stream);
      this.#plain++;
    }
    return stream;
  }

  // More streams than are remembered: those that keep nothing begin anew, and
  // everybody is told so by the epoch.
  #startAnew() {
    this.#epoch = newEpoch();
    this.#plain = 0;
    for (const [name, { log }] of this.#streams) if (log === undefined) this.#streams.delete(name);
  }

  /** kept are those that have a log. */
  get kept() { return [...this.#streams.values()].filter(({ log }) => log !== undefined); }

  // home is the stream of an event or channel, which need not have begun: who
  // listens to a name that nobody uses takes no place.
  #home(event) {
    const name = this.#manifest?.event(event)?.stream ?? event;
    return this.#streams.get(name) ?? new Stream(name, this.#epoch, this.#manifest?.channel(name));
  }

  /** reached are the streams that a pattern may hear something of. */
  reached(pattern) {
    if (pattern.literal) return [this.#home(pattern.name)];
    const reaches = ({ name, queue }) => !queue && !name.startsWith('ipc.') && (pattern.matches(name) || (this.#manifest?.carried(name) ?? []).some((event) => pattern.matches(event)));
    return [...this.#streams.values()].filter(reaches);
  }

  /** starts is what the answer to a subscription says of where it begins:
      at has by stream the places that are not those of the next events. */
  starts(pattern, at = new Map()) {
    const place = (stream) => ({ epoch: stream.epoch, seq: at.get(stream) ?? stream.seq + 1 });
    const streams = this.reached(pattern);
    if (pattern.literal) {
      const [stream] = streams;
      return { from: place(stream), ...(stream.name === pattern.name ? {} : { stream: stream.name }) };
    }
    // What keeps something has an epoch of its own, which has to be told.
    const told = streams.filter(({ log, seq }) => log !== undefined || seq > 0).slice(0, MOST_STARTS);
    const channels = Object.create(null);
    for (const stream of told) channels[stream.name] = place(stream);
    return { from: { epoch: this.#epoch, seq: 1 }, ...(told.length === 0 ? {} : { channels }) };
  }
}
