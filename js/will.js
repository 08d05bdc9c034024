// A Will is the event that a client leaves with its service, which publishes it
// when the client is gone without a goodbye: killed, crashed or hung.
import { Call, metadataOf } from './call.js';
import { Failure, warn } from './error.js';
import { timestamp } from './id.js';

const RENEWAL_TIMEOUT = 10_000;

export class Will {
  #link;
  #left; // { event, data } as JSON; undefined: none
  #connection; // where the service knows it
  #turn = Promise.resolve();

  constructor(link) { this.#link = link; }

  /** gone says that the service does not know it any more. */
  get gone() { return this.#left !== undefined && this.#connection === undefined; }

  /** set tells the service of a will, or with null that there is none any more.
      It is fulfilled with a Failure if the service does not agree. */
  set(will, options) {
    const call = this.#link.call(this.#link.route('ipc.will'), [will], options);
    const asked = this.#turn.then(() => this.#set(call, will === null ? undefined : call.data));
    this.#turn = asked;
    return asked;
  }

  async #set(call, left) {
    const link = this.#link;
    let outcome = await call.send();
    if (outcome instanceof Failure) outcome = await link.failed(call, outcome);
    if (outcome instanceof Failure) return outcome;
    this.#left = left;
    this.#connection = link.connection;
    link.mend();
    return undefined;
  }

  /** enrol leaves it again, by a new connection. */
  async enrol() {
    await this.#turn; // or the old one would come after a newer one
    if (!this.gone) return undefined;
    const link = this.#link;
    const connection = link.current();
    const text = this.#left;
    const call = new Call(link, link.route('ipc.will'), text, RENEWAL_TIMEOUT, metadataOf(RENEWAL_TIMEOUT));
    return new Promise((resolve) => {
      call.resolve = (outcome) => {
        if (outcome instanceof Failure) return resolve(outcome);
        if (this.#left === text) this.#connection = connection;
        resolve(undefined);
      };
      link.begin(call, connection);
    });
  }

  /** finish forgets what the service does not take any more. */
  finish(failure) {
    this.#left = undefined;
    failure.message = `the will is not renewed: ${failure.code}: ${failure.message}`;
    warn(`${this.#link.name} will ${failure.code}`, failure.error(this.#link.name));
  }

  /** lost is called when a connection has ended. */
  lost(connection) {
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** goodbye says that the end of the connection is meant. */
  goodbye() {
    const connection = this.#connection;
    this.#left = this.#connection = undefined;
    if (connection !== undefined && !connection.closed) connection.send(`{"type":"event","channel":"ipc.goodbye","timestamp":"${timestamp()}"}`);
  }
}
