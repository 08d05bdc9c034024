// A Link is a service of another process as this one sees it: the connection
// that there is, the calls that wait for their turn, and what is brought back
// when a connection is lost.
import { byteLength } from './bytes.js';
import { Aborted, Call, encode, metadataOf } from './call.js';
import { Connection, MOST_BACKLOG, MOST_PENDING } from './connection.js';
import { local, warn, whenAborted } from './error.js';
import { DEFAULT_FRAME } from './frame.js';
import { nextId, timestamp } from './id.js';
import { Pattern, closest, eventName, isName } from './name.js';
import { FIRST, LONGEST, RetryBudget, again, newKey } from './retry.js';

/** MOST_WAITING is how many calls may wait for their turn; more are a mistake. */
const MOST_WAITING = 16_384 - MOST_PENDING;

/** DEFAULT_TIMEOUT is how long a call waits that nothing else is said of. */
const DEFAULT_TIMEOUT = 30_000;

// How many published events are remembered by name, for the word of a service
// that refuses one.
const MOST_PUBLISHED = 1024;

const NO_OPTIONS = Object.freeze({});

export class Link {
  /** name is the service's, or its address where that is all that is known. */
  name;
  manifest;
  address;
  /** dial makes the socket to an address. */
  dial;
  /** framing is how messages are told apart on it: 'length' or 'line'. */
  framing;
  /** retries is how often a call may be made again. */
  retries;
  budget = new RetryBudget();
  closed = false;

  #service; // its name; undefined if it is not known
  #locate;
  #timeout;
  #maxFrame;
  #routes = new Map();
  #connection;
  #queue = [];
  #head = 0;
  #wanted = new Set(); // subscriptions, in the order in which they were made
  #mending = false;
  #backoff = FIRST;
  #published = new Map();
  #keeps = new Map();

  // locate returns the addresses at which to try; it is asked for each
  // connection, as the manifest may have changed. dial returns what a Connection
  // takes as a net.Socket; of other runtimes it brings and takes texts.
  constructor(name, { manifest, locate, address, dial, framing = 'length', timeout = undefined, maxFrame = DEFAULT_FRAME, retries = 2 }) {
    this.dial = dial;
    this.framing = framing;
    this.retries = retries;
    this.name = name ?? address;
    this.#service = name;
    this.address = address;
    this.manifest = manifest;
    this.#locate = locate;
    this.#timeout = timeout;
    this.#maxFrame = maxFrame;
  }

  /** methods are those that the manifest declares. */
  get methods() { return Object.keys(this.manifest?.methods ?? {}); }

  /** route is what is always the same in the calls of a method. */
  route(method) {
    let route = this.#routes.get(method);
    if (route === undefined) {
      const methods = this.manifest?.methods ?? {};
      const declared = Object.hasOwn(methods, method) ? methods[method] : undefined;
      const action = JSON.stringify(method);
      const channel = method.startsWith('ipc.') ? action : this.#service === undefined ? undefined : JSON.stringify(`${this.#service}.${method}`);
      route = {
        name: method,
        valid: isName(method),
        open: '{"type":"request","messageId":"',
        head: channel === undefined ? `","action":${action}` : channel === action ? `","channel":${channel}` : `","channel":${channel},"action":${action}`,
        timeout: this.#timeout ?? declared?.timeout ?? DEFAULT_TIMEOUT,
        told: this.#timeout, // what the service has to be told, because it cannot know
        more: '',
        idempotent: declared?.idempotent === true,
        stream: declared?.stream,
      };
      if (this.#routes.size >= MOST_ROUTES) this.#routes.clear();
      this.#routes.set(method, route);
    }
    return route;
  }

  /** call prepares a call. Its send is fulfilled with the result or a Failure;
      who has waited for it asks failed what comes of that, and makes it an error. */
  call(route, args, options = NO_OPTIONS) {
    if (route.valid === false) this.checkRoute(route);
    const { timeout = route.timeout, signal } = options;
    const key = options.idempotencyKey ?? (route.idempotent ? newKey() : undefined);
    const told = options.timeout ?? route.told;
    const call = new Call(this, route, encode(args), timeout, told === undefined && key === undefined ? '}' : metadataOf(told, key));
    call.signal = signal;
    call.key = key;
    this.budget.calls++;
    return call;
  }

  /** checkRoute throws INVALID_NAME for what cannot be the name of a method. */
  checkRoute({ name, valid }) {
    if (!valid) throw local('INVALID_NAME', `${JSON.stringify(name)} cannot be the name of a method`, { executed: 'no' }).error(this.#service, name);
  }

  /** failed makes a call that has failed again, if it may, and returns what it
      has come to. */
  failed(call, failure) {
    return failure instanceof Aborted ? failure : again(call, failure, call.key);
  }

  /** error makes an error of a failure, with what may help. */
  error(failure, method) {
    if (failure.code === 'METHOD_NOT_FOUND' && method !== undefined && !failure.message.includes('did you mean')) {
      const near = closest(method, this.methods);
      if (near !== undefined) failure.message += `; did you mean "${near}"?`;
    }
    return failure.error(this.name, method);
  }

  /** dispatch sends a call, or has it wait for its turn. */
  dispatch(call) {
    const { signal, timeout } = call;
    if (this.closed) return call.settle(this.#gone());
    if (signal !== undefined) {
      if (signal.aborted) return call.settle(new Aborted(signal.reason));
      call.forget = whenAborted(signal, () => call.aborted());
    }
    if (this.#tooLong(call.data)) return call.settle(this.#tooLongFor(call.route.name));
    if (timeout > 0) call.begin(timeout);
    const connection = this.#current();
    if (connection.pending.size < MOST_PENDING && this.#queue.length === this.#head) return this.send(call, connection);
    if (this.#queue.length - this.#head >= MOST_WAITING) {
      return call.settle(local('QUEUE_FULL', `${MOST_PENDING + MOST_WAITING} calls of ${this.name} wait already`, { executed: 'no', retryable: false }));
    }
    this.#queue.push(call);
  }

  /** begin sends a call on a certain connection, whoever else waits. */
  begin(call, connection) {
    call.begin(call.timeout);
    this.send(call, connection);
  }

  /** send sends a call whose turn it is. */
  send(call, connection) {
    call.connection = connection;
    connection.pending.set(call.id, call);
    connection.hold();
    connection.send(call.text());
  }

  /** next gives the turn to a call that waits, if there is room. */
  next() {
    while (this.#queue.length > this.#head) {
      const connection = this.#current();
      if (connection.pending.size >= MOST_PENDING) return;
      const call = this.#queue[this.#head];
      this.#queue[this.#head++] = undefined;
      if (this.#head === this.#queue.length) {
        this.#queue = [];
        this.#head = 0;
      }
      if (call.resolve !== undefined) this.send(call, connection);
    }
  }

  // Most texts are far from the limit, and need not be counted.
  #tooLong(data) {
    const most = this.#maxFrame - ENVELOPE;
    return data.length * 3 > most && byteLength(data) > most;
  }

  #tooLongFor(what) {
    return local('MESSAGE_TOO_LARGE', `what is sent to ${what} has more than ${this.#maxFrame} bytes`, { executed: 'no', limit: this.#maxFrame, direction: 'request' });
  }

  #gone() { return local('CONNECTION_LOST', `${this.name} has been closed`, { executed: 'no' }); }

  #current() {
    this.#connection ??= new Connection(this, this.#locate);
    return this.#connection;
  }

  /** lost is called by a connection that has ended. */
  lost(connection, failure) {
    if (this.#connection === connection) this.#connection = undefined;
    if (connection.opened) this.#backoff = FIRST;
    for (const subscription of new Set([...connection.placed.values(), ...connection.separate.values()])) subscription.left(connection);
    for (const call of [...connection.pending.values()]) call.settle(failure);
    if (!connection.opened && this.#connection === undefined) this.#giveUp(failure);
    else this.next();
    this.#mend();
  }

  // giveUp ends the calls that wait for their turn with a service that cannot
  // be reached.
  #giveUp(failure) {
    const waiting = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    for (const call of waiting) call.settle(failure);
  }

  /** farewell is called when a service takes no more requests: the next ones go
      elsewhere, and what runs is still answered. */
  farewell(connection) {
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** move has the next call look anew for the service. What runs ends as after
      a lost connection, and subscriptions come after it. */
  move() {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.fail(new Error('the service has moved'));
  }

  /** hush ends all subscriptions, as if the program had. */
  hush() {
    for (const subscription of [...this.#wanted]) subscription.finish(undefined);
  }

  /** event is called for an event that has come. */
  event(connection, message, text) {
    const name = eventName(message.channel);
    const metadata = message.metadata ?? undefined;
    if (metadata?.subscription != null) {
      connection.separate.get(metadata.subscription)?.offer(message, name, text);
      return;
    }
    for (const subscription of connection.route(name, metadata?.stream ?? undefined)) subscription.offer(message, name, text);
  }

  /** stray is called for an error that no call waits for. */
  stray(connection, failure, id) {
    const subscription = connection.placed.get(id) ?? connection.separate.get(id);
    if (subscription !== undefined) return subscription.finish(failure);
    const event = this.#published.get(id);
    if (event === undefined && id != null) return; // to a call that was given up (resp.6)
    const doing = event === undefined ? `${this.name} complains` : `publishing ${event} to ${this.name} failed`;
    failure.message = `${doing}: ${failure.code}: ${failure.message}`;
    warn(`${this.name} ${event} ${failure.code}`, failure.error(this.name));
  }

  /** notify sends a request that is not answered. */
  notify(route, args) {
    this.checkRoute(route);
    const data = encode(args);
    this.#oneWay(`{"type":"request"${route.head.slice(1)}${data === '' ? '' : `,"data":${data}`},"timestamp":"${timestamp()}"}`, data, route.name);
  }

  /** publish sends an event and asks for nothing. */
  publish(event, data) {
    const id = nextId();
    this.#published.set(id, event);
    if (this.#published.size > MOST_PUBLISHED) this.#published.delete(this.#published.keys().next().value);
    this.#oneWay(`{"type":"event","messageId":"${id}","channel":"events.${event}"${data === '' ? '' : `,"data":${data}`},"timestamp":"${timestamp()}"}`, data, event);
  }

  // oneWay never throws for the peer's sake: what cannot be sent is a warning.
  #oneWay(text, data, what) {
    if (this.closed) return warn(`${this.name} closed`, this.#gone().error(this.name));
    if (this.#tooLong(data)) return warn(`${this.name} ${what} MESSAGE_TOO_LARGE`, this.#tooLongFor(what).error(this.name));
    const connection = this.#current();
    if (connection.backlog > MOST_BACKLOG) {
      return warn(`${this.name} QUEUE_FULL`, local('QUEUE_FULL', `${this.name} does not read: what is published is dropped while ${MOST_BACKLOG} bytes wait`, { executed: 'no' }).error(this.name));
    }
    connection.send(text, true);
  }

  /** confirmed prepares the call by which an event is published with a receipt.
      id is the event's own, the same if it is published again. */
  confirmed(event, data, id) {
    const call = new Call(this, {
      name: event,
      open: '{"type":"event","correlationId":"',
      head: `","messageId":${JSON.stringify(id)},"channel":"events.${event}"`,
      more: '"confirm":true',
    }, data, this.#timeout ?? DEFAULT_TIMEOUT, metadataOf(undefined, undefined, '"confirm":true'));
    call.key = undefined;
    if (this.keeps(event)) call.key = id; // the service knows it again by that
    this.budget.calls++;
    return call;
  }

  /** keeps says whether the channel of an event keeps it, as far as the
      manifest tells. */
  keeps(event) {
    let kept = this.#keeps.get(event);
    if (kept === undefined) {
      const channel = channelOf(this.manifest?.channels ?? {}, event);
      kept = Boolean(channel?.persistent || channel?.retention || channel?.type === 'queue');
      if (this.#keeps.size >= MOST_ROUTES) this.#keeps.clear();
      this.#keeps.set(event, kept);
    }
    return kept;
  }

  /** isQueue says whether a name is that of a queue. */
  isQueue(name) {
    const channels = this.manifest?.channels ?? {};
    return Object.hasOwn(channels, name) && channels[name].type === 'queue';
  }

  /** join enters a subscription: it is made now, and again with each
      connection until leave. */
  join(subscription) {
    this.#wanted.add(subscription);
    if (this.closed) return subscription.finish(this.#gone());
    subscription.enrol(this.#current(), false).then((failure) => {
      if (failure === undefined) return;
      if (subscription.agreed && isPassing(failure)) return this.#mend();
      subscription.finish(failure);
    });
  }

  leave(subscription) {
    this.#wanted.delete(subscription);
  }

  // mend brings subscriptions back, in the order in which they were made, until
  // that has worked or nobody wants it any more.
  async #mend() {
    if (this.#mending || this.closed) return;
    this.#mending = true;
    let wait = 0;
    while (this.#homeless() !== undefined) {
      if (wait > 0) await new Promise((resolve) => { this.#timer = setTimeout(resolve, wait); });
      wait = (await this.#bringBack()) ? 0 : this.#nextWait();
    }
    this.#mending = false;
  }
  #timer;

  #nextWait() {
    const wait = 1 + Math.random() * this.#backoff;
    this.#backoff = Math.min(2 * this.#backoff, LONGEST);
    return wait;
  }

  // homeless is a subscription that had a place at the service and has none.
  #homeless() {
    if (this.closed) return undefined;
    for (const subscription of this.#wanted) if (subscription.gone) return subscription;
    return undefined;
  }

  async #bringBack() {
    for (let one = this.#homeless(); one !== undefined; one = this.#homeless()) {
      const failure = await one.enrol(this.#current(), true);
      if (failure === undefined) continue;
      if (isPassing(failure)) return false;
      one.finish(failure); // the service does not want it any more
    }
    return true;
  }

  /** close ends all calls and subscriptions. What was published is delivered. */
  close() {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.#timer);
    const failure = local('CONNECTION_LOST', `${this.name} has been closed`, { executed: 'maybe' });
    this.#giveUp(this.#gone());
    this.hush();
    const connection = this.#connection;
    if (connection === undefined) return;
    for (const call of [...connection.pending.values()]) call.settle(failure);
    connection.close();
  }
}

// ENVELOPE is room for all of a message but its data.
const ENVELOPE = 1024;
const MOST_ROUTES = 4096;

// isPassing says of a failure to subscribe that another attempt may succeed.
const isPassing = ({ code }) => PASSING.has(code);
const PASSING = new Set(['CONNECTION_LOST', 'SHUTTING_DOWN', 'DEADLINE_EXCEEDED', 'SERVICE_UNAVAILABLE', 'SERVICE_NOT_FOUND', 'QUOTA_EXCEEDED']);

// channelOf returns the channel that carries an event: that of its name, else
// the first one by name that has it among its events.
function channelOf(channels, event) {
  if (Object.hasOwn(channels, event)) return channels[event];
  for (const name of Object.keys(channels).sort()) {
    if (channels[name].events?.some((pattern) => new Pattern(pattern).matches(event))) return channels[name];
  }
  return undefined;
}
