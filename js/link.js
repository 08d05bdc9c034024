// A Link is a service of another process as this one sees it: the connection
// that there is, the calls that wait for their turn, and the subscriptions.
import { byteLength } from './bytes.js';
import { Aborted, Call, encode, metadataOf } from './call.js';
import { Connection, MOST_PENDING } from './connection.js';
import { local, warn, whenAborted } from './error.js';
import { DEFAULT_FRAME, LONGEST_FRAME } from './frame.js';
import { Mending, isAway } from './mend.js';
import { closest, eventName } from './name.js';
import { Promises } from './promise.js';
import { Publisher } from './publisher.js';
import { RetryBudget, again, newKey } from './retry.js';
import { DEFAULT_TIMEOUT, Routes } from './route.js';
import { Will } from './will.js';

/** MOST_WAITING is how many calls may wait for their turn; more are a mistake. */
const MOST_WAITING = 16_384 - MOST_PENDING;

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
  /** connection is the one that there is, if there is one. */
  connection = undefined;
  /** wanted are the subscriptions, in the order in which they were made. */
  wanted = new Set();
  will = new Will(this);

  #service; // its name; undefined if it is not known
  #locate;
  #timeout;
  #maxFrame = DEFAULT_FRAME;
  #maxAnswer = LONGEST_FRAME; // a service may allow more than is sent unasked
  #routes;
  #queue = [];
  #head = 0;
  #leaving = new Set(); // connections by which answers may still come
  #mending = new Mending(this);
  #publisher = new Publisher(this);
  #promises = new Promises(this);

  // locate returns { addresses, manifest }: where to try, and what is promised
  // there if that is known. It is asked for each connection, as the manifest
  // may have changed. dial returns what a Connection takes as a net.Socket; of
  // other runtimes it brings and takes texts.
  constructor(name, { manifest, locate, address, dial, framing = 'length', timeout = undefined, maxFrame = undefined, retries = 2 }) {
    this.dial = dial;
    this.framing = framing;
    this.retries = retries;
    this.name = name ?? address;
    this.#service = name;
    this.address = address;
    this.manifest = manifest;
    this.#locate = locate;
    this.#timeout = timeout;
    this.#routes = new Routes(name, timeout, manifest);
    if (maxFrame !== undefined) this.#maxFrame = this.#maxAnswer = maxFrame;
  }

  /** methods are those that the manifest declares. */
  get methods() { return Object.keys(this.manifest?.methods ?? {}); }

  /** route is what is always the same in the calls of a method. */
  route(method) { return this.#routes.of(method); }

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
    return failure instanceof Aborted ? failure : again(call, failure);
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
    if (this.closed) return call.settle(this.gone());
    if (signal !== undefined) {
      if (signal.aborted) return call.settle(new Aborted(signal.reason));
      call.forget = whenAborted(signal, () => call.aborted());
    }
    const tooLong = this.tooLong(call.data, () => call.text(), call.route.name);
    if (tooLong !== undefined) return call.settle(tooLong);
    if (timeout > 0) call.begin(timeout);
    const connection = this.current();
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
    connection.pending.add(call);
    connection.hold();
    connection.send(call.text());
  }

  /** next gives the turn to a call that waits, if there is room. */
  next() {
    while (this.#queue.length > this.#head) {
      const connection = this.current();
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

  /** tooLong says that a message does not fit into a frame, if it does not. Most
      data are far from the limit, and the text need not be made and counted. */
  tooLong(data, text, what) {
    if (data.length * 3 + ENVELOPE > this.#maxFrame && byteLength(text()) > this.#maxFrame) return this.#tooLongFor(what);
    return undefined;
  }

  /** checkItem throws MESSAGE_TOO_LARGE for an item that does not fit. */
  checkItem(bytes, method) {
    if (bytes + ENVELOPE > this.#maxFrame) throw this.#tooLongFor(method).error(this.name, method);
  }

  #tooLongFor(what) {
    return local('MESSAGE_TOO_LARGE', `what is sent to ${what} has more than ${this.#maxFrame} bytes`, { executed: 'no', limit: this.#maxFrame, direction: 'request' });
  }

  /** gone is the failure of what is asked of a service that has been closed. */
  gone() { return local('CONNECTION_LOST', `${this.name} has been closed`, { executed: 'no' }); }

  /** current returns the connection, and opens one if there is none. */
  current() {
    this.connection ??= new Connection(this, () => this.#where(), this.#maxAnswer);
    return this.connection;
  }

  // where returns the addresses. A manifest that has changed counts from now on.
  #where() {
    const { addresses, manifest } = this.#locate();
    if (manifest !== undefined && manifest !== this.manifest) {
      this.manifest = manifest;
      this.#routes.renew(manifest);
      this.#promises.forget();
    }
    return addresses;
  }

  /** lost is called by a connection that has ended. */
  lost(connection, failure) {
    if (this.connection === connection) this.connection = undefined;
    this.#leaving.delete(connection);
    this.will.lost(connection);
    for (const subscription of new Set([...connection.placed.values(), ...connection.separate.values()])) subscription.left(connection);
    for (const call of connection.pending.all()) call.settle(failure);
    if (!connection.opened && this.connection === undefined) this.#giveUp(failure);
    else this.next();
    this.mend();
  }

  /** mend brings back what the service does not know any more. */
  mend() { this.#mending.start(); }

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
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.#leaving.add(connection);
  }

  /** move has the next call look anew for the service. What runs ends as after
      a lost connection, and subscriptions come after it. */
  move() {
    const { connection } = this;
    this.connection = undefined;
    connection?.fail(new Error('the service has moved'));
  }

  /** hush ends all subscriptions, as if the program had. */
  hush() {
    for (const subscription of [...this.wanted]) subscription.finish(undefined);
  }

  /** event is called for an event that has come. */
  event(connection, message, text) {
    const metadata = message.metadata ?? undefined;
    if (metadata !== undefined && !isRight(metadata)) return;
    if (metadata?.subscription != null) {
      const subscription = connection.separate.get(metadata.subscription);
      if (message.channel === 'ipc.plain') subscription?.share(connection, message.data);
      else subscription?.offer(message, eventName(message.channel), text);
      return;
    }
    const { name, found } = connection.route(message.channel, metadata?.stream ?? undefined);
    for (const subscription of found) subscription.offer(message, name, text);
  }

  /** stray is called for an error that no call waits for. */
  stray(connection, failure, id) {
    const subscription = connection.placed.get(id) ?? connection.separate.get(id);
    if (subscription !== undefined) return subscription.finish(failure);
    const event = this.#publisher.eventOf(id);
    if (event === undefined && id != null) return; // to a call that was given up (resp.6)
    const doing = event === undefined ? `${this.name} complains` : `publishing ${event} to ${this.name} failed`;
    failure.message = `${doing}: ${failure.code}: ${failure.message}`;
    warn(`${this.name} ${event} ${failure.code}`, failure.error(this.name));
  }

  /** notify sends a request that is not answered. */
  notify(route, args) {
    this.checkRoute(route);
    this.#publisher.notify(route, encode(args));
  }

  /** publish sends an event and asks for nothing. */
  publish(event, data) { this.#publisher.publish(event, data); }

  /** confirmed prepares the call by which an event is published with a receipt.
      id is the event's own, the same if it is published again, by which a
      channel that keeps it knows it again. */
  confirmed(event, data, id, kept) {
    const call = new Call(this, {
      name: event,
      open: '{"type":"event","correlationId":"',
      head: `","messageId":${JSON.stringify(id)},"channel":"events.${event}"`,
      more: '"confirm":true',
    }, data, this.#timeout ?? DEFAULT_TIMEOUT, metadataOf(undefined, undefined, '"confirm":true'));
    call.repeatable = kept;
    this.budget.calls++;
    return call;
  }

  /** keeps says whether the channel of an event keeps it; undefined where the
      service has to be asked, by ask(event, bytes, then). */
  keeps(event) { return this.#promises.keeps(event); }
  ask(event, bytes, then) { this.#promises.ask(event, bytes, then); }

  /** isQueue says whether a name is that of a queue. */
  isQueue(name) { return this.#promises.isQueue(name); }

  /** join enters a subscription: it is made now, and again with each
      connection until leave. */
  join(subscription) {
    this.wanted.add(subscription);
    if (this.closed) return subscription.finish(this.gone());
    subscription.enrol(this.current(), false).then((failure) => {
      if (failure === undefined) return;
      if (subscription.agreed && isAway(failure)) return this.mend();
      subscription.finish(failure);
    });
  }

  leave(subscription) {
    this.wanted.delete(subscription);
  }

  /** close ends all calls and subscriptions. What was published is delivered. */
  close() {
    if (this.closed) return;
    this.closed = true;
    this.#mending.stop();
    const failure = local('CONNECTION_LOST', `${this.name} has been closed`, { executed: 'maybe' });
    this.#giveUp(this.gone());
    this.hush();
    this.will.goodbye();
    for (const connection of [...this.#leaving, this.connection]) {
      if (connection === undefined) continue;
      for (const call of connection.pending.all()) call.settle(failure);
      connection.close();
    }
  }
}

// ENVELOPE is room for all of a message but its data.
const ENVELOPE = 1024;

// isRight says whether the metadata of an event can be understood (meta.1).
function isRight({ seq, epoch, stream, subscription }) {
  return isText(stream) && isText(epoch) && isText(subscription) && (seq == null || typeof seq === 'number');
}
const isText = (value) => value == null || typeof value === 'string';
