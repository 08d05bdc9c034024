// Callbacks: what a service asks of its client (back.1).
import { Deadline } from './deadline.js';
import { Failure, fromWire, isObject, whenAborted } from './error.js';
import { nextId, timestamp } from './id.js';
import { checkName } from './name.js';
import { refuse } from './refusal.js';

const MOST = 1024; // of one connection
const DEFAULT_TIMEOUT = 30_000;

// An Asked is a call that waits for its answer.
class Asked extends Deadline {
  constructor(calls, id, method, resolve) {
    super();
    this.calls = calls;
    this.id = id;
    this.method = method;
    this.resolve = resolve;
  }

  expired() { this.calls.end(this.id, new Failure('DEADLINE_EXCEEDED', `the client has not answered ${this.method} in time`, { executed: 'maybe', origin: 'service' }), true); }
}

export class ClientCalls {
  #peer;
  #asked = new Map(); // by id
  #over = false;

  constructor(peer) { this.#peer = peer; }

  /** call asks the client, for left milliseconds at most; 0: the default. */
  async call(method, args, left, signal) {
    checkName(method);
    signal.throwIfAborted();
    const timeout = Math.max(1, Math.ceil(left > 0 ? left : DEFAULT_TIMEOUT));
    if (this.#asked.size >= MOST) throw refuse('QUEUE_FULL', `${MOST} calls of this client wait for their answers already`, { retryable: true, depth: MOST, limit: MOST }).error(undefined, method);
    if (this.#over) throw lost().error(undefined, method);
    const id = nextId();
    const text = `{"type":"request","messageId":"${id}","action":${JSON.stringify(method)},"data":${JSON.stringify(args)},"timestamp":"${timestamp()}","metadata":{"timeoutMs":${timeout}}}`;
    let forget;
    const outcome = await new Promise((resolve) => {
      const asked = new Asked(this, id, method, resolve);
      this.#asked.set(id, asked);
      asked.begin(timeout);
      forget = whenAborted(signal, () => this.end(id, { aborted: signal.reason }, true));
      this.#peer.send(text);
    });
    forget();
    if (outcome instanceof Failure) throw outcome.error(undefined, method);
    if (outcome.aborted !== undefined) throw outcome.aborted;
    return outcome.data;
  }

  /** end settles a call, and tells the client if it is to stop. */
  end(id, outcome, cancel = false) {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    asked.clear();
    if (cancel) this.#peer.event('ipc.cancel', `,"correlationId":"${id}"`);
    asked.resolve(outcome);
  }

  /** answered takes a response. One that nobody waits for is ignored. */
  answered({ correlationId, data, error }) {
    this.end(correlationId, isObject(error) ? fromWire(error) : { data });
  }

  /** lost is for a client that will say no more. */
  lost() {
    this.#over = true;
    for (const id of [...this.#asked.keys()]) this.end(id, lost());
  }
}

const lost = () => new Failure('CONNECTION_LOST', 'the client has left', { executed: 'maybe', origin: 'service' });
