// A Publisher sends what is not answered: events, and requests whose answer
// nobody wants. It never throws for the peer's sake: what cannot be sent is a
// warning.
import { MOST_BACKLOG } from './connection.js';
import { local, warn } from './error.js';
import { nextId, timestamp } from './id.js';

/** MOST_KNOWN is how many published events are remembered by name, for the word
    of a service that refuses one. */
const MOST_KNOWN = 1024;

const dataOf = (data) => (data === '' ? '' : `,"data":${data}`);

export class Publisher {
  #link;
  #ids = []; // of the newest events, in a ring
  #events = [];
  #next = 0;

  constructor(link) { this.#link = link; }

  /** notify sends a request; data is JSON, as below. */
  notify(route, data) {
    this.#send(`{"type":"request"${route.head.slice(1)}${dataOf(data)},"timestamp":"${timestamp()}"}`, data, route.name);
  }

  /** publish sends an event. */
  publish(event, data) {
    const id = nextId();
    this.#ids[this.#next] = id;
    this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % MOST_KNOWN;
    this.#send(`{"type":"event","messageId":"${id}","channel":"events.${event}"${dataOf(data)},"timestamp":"${timestamp()}"}`, data, event);
  }

  /** eventOf is the name of the event of that id, if it is known. */
  eventOf(id) { return this.#events[this.#ids.indexOf(id)]; }

  #send(text, data, what) {
    const link = this.#link;
    const { name } = link;
    if (link.closed) return warn(`${name} closed`, link.gone().error(name));
    const tooLong = link.tooLong(data, () => text, what);
    if (tooLong !== undefined) return warn(`${name} ${what} MESSAGE_TOO_LARGE`, tooLong.error(name));
    const connection = link.current();
    if (connection.backlog > MOST_BACKLOG) {
      return warn(`${name} QUEUE_FULL`, local('QUEUE_FULL', `${name} does not read: what is published is dropped while ${MOST_BACKLOG} bytes wait`, { executed: 'no' }).error(name));
    }
    connection.send(text, true);
  }
}
