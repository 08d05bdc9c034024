// Usual events: those that are written as the one before are read by where
// their parts stand, which takes half the time of reading them as JSON. What
// is unusual in any way is left to JSON.parse, and so is the data of all.
// (Answers have been tried, too: it made no difference to a call.)

const EVENT = '{"type":"event","messageId":"';
const TIME = ',"timestamp":"';
const ID = 36; // characters of an id
const STAMP = 24; // and of a timestamp

/** MOST_PAUSE is how many events pass at most before a form is learned again
    where none was of use. */
const MOST_PAUSE = 1024;

const TEXTS = new Set(['epoch', 'stream', 'subscription']);

/** A UsualReader reads the messages of one connection. */
export class UsualReader {
  #form; // of the last event: what stands around its id, data, timestamp and seq
  #pause = 1;
  #wait = 0;

  /** read returns what JSON.parse does. */
  read(text) {
    if (!text.startsWith(EVENT)) return JSON.parse(text);
    let message = this.#event(text);
    if (message === undefined) {
      message = JSON.parse(text);
      if (--this.#wait < 0) this.#learn(message);
    }
    return message;
  }

  #event(text) {
    const form = this.#form;
    const from = EVENT.length + ID;
    if (form === undefined || !text.startsWith(form.head, from) || !text.endsWith(form.end)) return undefined;
    let at = text.length - form.end.length;
    let seq = 0;
    let scale = 1;
    for (let c = text.charCodeAt(at - 1); c >= 48 && c <= 57 && scale < 1e15; c = text.charCodeAt(at - 1)) {
      seq += (c - 48) * scale;
      scale *= 10;
      at--;
    }
    if (scale === 1 || text.charCodeAt(at) === 48) return undefined;
    const end = at - form.front.length;
    const time = end - STAMP;
    if (!text.startsWith(form.front, end) || !text.startsWith(TIME, time - TIME.length) || !endsAt(text, EVENT.length, from) || !endsAt(text, time, end) || text.includes('\\')) return undefined;
    const data = dataIn(text, from + form.head.length, time - TIME.length);
    if (data === undefined) return undefined;
    this.#pause = 1;
    this.#wait = 0;
    const { channel, epoch, stream, subscription } = form;
    return { type: 'event', messageId: text.slice(EVENT.length, from), channel, data, timestamp: text.slice(time, end), metadata: { epoch, seq, stream, subscription } };
  }

  // learn writes down what an event like this one looks like.
  #learn({ channel, metadata }) {
    this.#wait = this.#pause;
    this.#pause = Math.min(2 * this.#pause, MOST_PAUSE);
    if (typeof channel !== 'string' || !Number.isSafeInteger(metadata?.seq) || !Object.keys(metadata).every((key) => key === 'seq' || (TEXTS.has(key) && typeof metadata[key] === 'string'))) return;
    const { epoch, stream, subscription } = metadata;
    const [front, end] = JSON.stringify({ ...metadata, seq: 0 }).split('"seq":0');
    this.#form = { head: `","channel":${JSON.stringify(channel)},"data":`, front: `","metadata":${front}"seq":`, end: `${end}}`, channel, epoch, stream, subscription };
  }
}

// endsAt says whether a text that begins there ends where it should.
const endsAt = (text, from, to) => text.indexOf('"', from) === to;

// dataIn is what stands there, undefined if that is not one value.
function dataIn(text, from, to) {
  try {
    return JSON.parse(text.slice(from, to));
  } catch {
    return undefined;
  }
}
