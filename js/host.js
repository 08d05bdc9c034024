// A Host is a service of this process: its clients, and what it does with
// their messages.
import { Audience } from './audience.js';
import { Failure, isObject } from './error.js';
import { DEFAULT_FRAME } from './frame.js';
import { Identities } from './identity.js';
import { Lane } from './lane.js';
import { closest, eventName, isName, split } from './name.js';
import { Once } from './once.js';
import { Peer, idOf } from './peer.js';
import { refuse } from './refusal.js';
import { Request } from './request.js';
import { FRAME_REST } from './thrown.js';
import { maintain, queues, settle } from './upkeep.js';

const MOST_PEERS = 4096;
const MOST_OF_PEER = 1024;
const MOST_RUNNING = 8192;
const MOST_QUEUED = 1024;
const MOST_SETTLING = 512; // events of one connection that wait for room
const MOST_KEY = 128;

const IPC = ['hello', 'ping', 'describe', 'health', 'stats', 'connections', 'who', 'will', 'ack', 'nak', 'reject', 'queues', 'messages', 'purge', 'forget', 'redrive'];

export class Host {
  maxFrame;
  audience;

  #manifest; // undefined: methods are those of the handlers
  #handlers;
  #self;
  #peers = new Set();
  #methods;
  #running = 0;
  #lanes = new Map(); // by method with a concurrency
  #once = new Once();
  #stats = { requests: 0, failures: 0 };
  #began = performance.now();
  #leaving = false;
  #idle = [];
  #ref = true;
  #mostQueued;
  #mostPeers;
  #identities; // undefined: nobody is identified

  constructor(name, manifest, handlers, { maxFrame = DEFAULT_FRAME, maxQueued = MOST_QUEUED, maxConnections = MOST_PEERS, maxHeld, snapshots, identify = false } = {}) {
    this.maxFrame = maxFrame;
    this.name = name;
    this.#manifest = manifest;
    this.#handlers = handlers;
    this.#self = Object.create(handlers);
    this.#methods = manifest?.methods ?? new Map(Object.keys(handlers).map((method) => [method, { name: method }]));
    this.#mostQueued = maxQueued;
    this.#mostPeers = maxConnections;
    if (identify) this.#identities = Identities.open();
    this.audience = new Audience(name, manifest, { maxFrame, maxHeld, snapshots });
  }

  /** accept takes a client. */
  accept(socket) {
    const peer = new Peer(this, socket);
    const full = this.#peers.size >= this.#mostPeers;
    this.#peers.add(peer);
    if (!this.#ref) peer.unref();
    if (!full && !this.#leaving) {
      if (this.#identities !== undefined) peer.await(this.#identities.of(socket));
      return;
    }
    peer.refuseAll(full ? refuse('QUOTA_EXCEEDED', `${this.name} has ${this.#mostPeers} connections, which is all it takes`, { resource: 'connections', limit: this.#mostPeers }) : refuse('SHUTTING_DOWN', `${this.name} is shutting down`, { retryable: true }));
  }

  /** gone is called when a client has left. */
  gone(peer) {
    this.#peers.delete(peer);
    for (const member of [...peer.members.values()]) this.audience.leave(member);
    for (const request of [...peer.running.values()]) request.cancel?.();
    if (peer.will !== undefined && !this.#leaving) this.audience.publish(peer.will.event, { data: peer.will.data, text: JSON.stringify(peer.will.data) });
  }

  ref(on) {
    this.#ref = on;
    for (const peer of this.#peers) on ? peer.ref() : peer.unref();
  }

  /** take deals with a message. It reports false for a type that there is not. */
  take(peer, type, message) {
    switch (type) {
      case 'request': this.#request(peer, message); return true;
      case 'subscribe': this.#subscribe(peer, message); return true;
      case 'unsubscribe': this.#unsubscribe(peer, message); return true;
      case 'event': this.#event(peer, message); return true;
      case 'response': peer.calls.answered(message); return true;
    }
    return false;
  }

  #request(peer, message) {
    this.#stats.requests++;
    const id = idOf(message);
    const fail = (failure) => {
      this.#stats.failures++;
      peer.refuse(id, failure);
    };
    if (this.#leaving) return fail(refuse('SHUTTING_DOWN', `${this.name} is shutting down`, { retryable: true }));
    const method = this.#methodOf(message);
    if (method instanceof Failure) return fail(method);
    if (method.ipc !== undefined) return this.#reserved(peer, id, method.ipc, message, fail);
    const key = message.metadata?.idempotencyKey ?? undefined;
    if (key !== undefined && (method.idempotent !== true || key === '' || Buffer.byteLength(key) > MOST_KEY)) {
      const why = method.idempotent === true ? `an idempotency key has 1 to ${MOST_KEY} bytes` : `${method.name} is not declared idempotent, and takes no key`;
      return fail(refuse('INVALID_ARGUMENT', why, { path: '/metadata/idempotencyKey' }));
    }
    if (method.stream !== undefined && (message.messageId == null || peer.running.has(message.messageId))) {
      return fail(refuse('PROTOCOL_ERROR', 'a request that streams needs a messageId of its own'));
    }
    if (peer.running.size >= MOST_OF_PEER || this.#running >= MOST_RUNNING + this.#mostQueued) {
      return fail(refuse('QUEUE_FULL', 'too many requests run or wait', { retryable: true, depth: peer.running.size, limit: MOST_OF_PEER, retryAfterMs: 100 }));
    }
    this.#begin(peer, id, method, message, key, fail);
  }

  #begin(peer, id, method, message, key, fail) {
    const mark = message.messageId ?? Symbol('unanswered');
    const answer = ({ text, failure }) => {
      peer.running.delete(mark);
      if (failure === undefined) peer.answer(id, text);
      else fail(failure);
      peer.finished();
    };
    const start = (done) => {
      const request = new Request(this, peer, message.messageId, method, message, (outcome) => {
        this.#running--;
        done(outcome);
        this.#lanes.get(method)?.leave(request);
        this.#settled();
      });
      this.#running++;
      peer.running.set(mark, request);
      const bad = request.check();
      if (bad !== undefined) return request.refuse(bad);
      this.#enter(method, request);
    };
    if (key === undefined) return start(answer);
    // Only a request that is executed can be stopped; one that waits for the
    // outcome of another has nothing of its own.
    peer.running.set(mark, {});
    const timeout = Math.min(message.metadata.timeoutMs > 0 ? message.metadata.timeoutMs : method.timeout ?? 30_000, 600_000);
    this.#once.enter(key, method.name, JSON.stringify(message.data) ?? '', timeout, start, answer);
  }

  // enter runs a request, or has it wait for the method's others (limit.4).
  #enter(method, request) {
    const run = () => request.run(this.#handlers, this.#self);
    if (!(method.concurrency > 0)) return run();
    let lane = this.#lanes.get(method);
    if (lane === undefined) this.#lanes.set(method, lane = new Lane(method.concurrency, this.#mostQueued));
    const full = lane.enter(request, run);
    if (full !== undefined) request.refuse(full);
  }

  // methodOf finds what is asked for (req.1 to req.4).
  #methodOf({ channel, action }) {
    let asked = action ?? undefined;
    if (channel != null && channel !== this.name) {
      const own = channel.startsWith(`${this.name}.`);
      const [service, method] = own ? [this.name, channel.slice(this.name.length + 1)] : split(channel);
      if (service === 'ipc' || channel === 'ipc') return ipcMethod(channel === 'ipc' ? asked : method);
      if (!own && (method === '' || service !== this.name)) return refuse('SERVICE_NOT_FOUND', `this is ${this.name}, not ${method === '' ? channel : service}`);
      if (asked !== undefined && asked !== method) return refuse('PROTOCOL_ERROR', `channel ${JSON.stringify(channel)} and action ${JSON.stringify(asked)} name different methods`);
      asked = method;
    }
    if (asked === undefined) return refuse('METHOD_NOT_FOUND', 'the request names no method');
    if (!isName(asked)) return refuse('INVALID_NAME', `${JSON.stringify(asked)} is no name of a method`);
    const method = this.#methods.get(asked);
    if (method !== undefined) return method;
    const near = closest(asked, [...this.#methods.keys()]);
    return refuse('METHOD_NOT_FOUND', `${this.name} has no method ${JSON.stringify(asked)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`);
  }

  // reserved answers what every service answers.
  #reserved(peer, id, name, { data }, fail) {
    const one = Array.isArray(data) && name !== 'ping' ? data[0] : data;
    const write = (text) => (Buffer.byteLength(text) <= this.maxFrame - FRAME_REST ? peer.answer(id, text)
      : fail(refuse('MESSAGE_TOO_LARGE', `the answer of ipc.${name} does not fit into a frame of ${this.maxFrame} bytes`, { limit: this.maxFrame, direction: 'response' })));
    const say = (value) => write(JSON.stringify(value ?? null));
    const tell = (outcome) => (outcome instanceof Failure ? fail(outcome) : say(outcome));
    switch (name) {
      case 'ping': return peer.settling.size === 0 ? say(data) : void Promise.allSettled(peer.settling).then(() => say(data));
      case 'hello': return this.#hello(peer, one, say, fail);
      case 'describe': return write(this.#manifest?.text ?? JSON.stringify({ service: { name: this.name }, methods: Object.fromEntries([...this.#methods.keys()].map((method) => [method, {}])) }));
      case 'health': return say({ status: 'ok', service: this.name, uptimeMs: this.#uptime });
      case 'stats': return say({ ...this.#stats, panics: 0, events: this.audience.events, connections: this.#peers.size, subscriptions: this.audience.size, running: this.#running, waiting: [...this.#lanes.values()].reduce((n, { waiting }) => n + waiting, 0), uptimeMs: this.#uptime });
      case 'connections': return say([...this.#peers].map(({ identity: { uid, pid } }) => ({ uid, pid })));
      case 'who': return say(this.audience.who());
      case 'will': return this.#will(peer, one, say, fail);
      case 'queues': return say(queues(this.audience));
      case 'messages': case 'purge': case 'redrive': case 'forget': return tell(maintain(this.audience, name, one));
      case 'ack': case 'nak': case 'reject': return tell(settle(peer, name, one));
    }
    fail(refuse('METHOD_NOT_FOUND', `the reserved service ipc has no method ${JSON.stringify(name)}; it has ${IPC.join(', ')}`));
  }

  get #uptime() { return Math.round(performance.now() - this.#began); }

  #hello({ identity: { uid, gid, pid } }, asked, say, fail) {
    const { versions = [1] } = Object(asked);
    if (!Array.isArray(versions) || !versions.every((each) => typeof each === 'number')) return fail(refuse('INVALID_ARGUMENT', 'versions must be an array of numbers'));
    if (!versions.includes(1)) return fail(refuse('UNSUPPORTED_VERSION', 'this is protocol version 1', { offered: versions, supported: [1] }));
    say({
      protocol: 1, service: this.name, version: this.#manifest?.source.service.version ?? '', limits: { maxFrame: this.maxFrame, maxInFlight: MOST_OF_PEER },
      features: ['batch', 'cancel', 'deadline', 'events', 'streams'], identity: { uid, gid, pid }, roles: [],
    });
  }

  #will(peer, will, say, fail) {
    if (will === undefined) return fail(refuse('SCHEMA_MISMATCH', 'ipc.will takes {"event":"…","data":…}, or null'));
    if (will === null) peer.will = undefined;
    else {
      const bad = !isObject(will) || typeof will.event !== 'string' ? refuse('INVALID_ARGUMENT', 'a will has an event, and data')
        : this.audience.verify(will.event, will.data ?? null);
      if (bad !== undefined) return fail(bad);
      peer.will = { event: eventName(will.event), data: will.data ?? null };
    }
    say(null);
  }

  #subscribe(peer, message) {
    const id = idOf(message);
    if (this.#leaving) return peer.refuse(id, refuse('SHUTTING_DOWN', `${this.name} is shutting down`, { retryable: true }));
    const done = ({ answer, arrived }) => {
      if (peer.closed) return;
      peer.answer(id, JSON.stringify(answer));
      arrived();
    };
    const failed = (error) => {
      if (!(error instanceof Failure)) throw error;
      peer.refuse(id, error);
    };
    try {
      const made = this.audience.subscribe(peer, message.channel ?? '', message.data ?? {});
      if (typeof made.then === 'function') made.then(done, failed);
      else done(made);
    } catch (error) {
      failed(error);
    }
  }

  #unsubscribe(peer, message) {
    const id = idOf(message);
    const wanted = Object(message.data).subscription;
    const meant = wanted === undefined ? [...peer.members.values()].filter(({ pattern }) => typeof message.channel === 'string' && pattern.name === eventName(message.channel))
      : peer.members.has(wanted) ? [peer.members.get(wanted)] : [];
    if (meant.length === 0) return peer.refuse(id, refuse('NOT_FOUND', 'there is no such subscription'));
    for (const member of meant) this.audience.leave(member);
    peer.answer(id, 'null');
  }

  #event(peer, message) {
    const { channel, correlationId, metadata } = message;
    switch (channel) {
      case 'ipc.cancel': return peer.running.get(correlationId)?.cancel?.();
      case 'ipc.stream': {
        const request = peer.running.get(correlationId);
        if (metadata?.credit > 0) return request?.granted?.(metadata.credit);
        return request?.item?.(message);
      }
      case 'ipc.credit': return metadata?.credit > 0 ? peer.members.get(metadata.subscription)?.outlet.grant(metadata.credit) : undefined;
      case 'ipc.goodbye':
        peer.will = undefined;
        return undefined;
    }
    const id = idOf(message);
    const data = message.data ?? null;
    const tell = (receipt) => {
      if (receipt instanceof Failure) peer.refuse(id, receipt);
      else if (metadata?.confirm === true) peer.answer(id, JSON.stringify(receipt));
    };
    if (this.#leaving) return tell(refuse('SHUTTING_DOWN', `${this.name} is shutting down`, { retryable: true }));
    if (typeof channel !== 'string') return tell(refuse('INVALID_NAME', 'the event has no channel'));
    if (peer.settling.size >= MOST_SETTLING) return tell(refuse('OVERLOADED', `${MOST_SETTLING} events of this connection wait for room already`, { retryable: true, retryAfterMs: 100 }));
    const receipt = this.audience.publish(eventName(channel), { data, text: message.data === undefined ? '' : JSON.stringify(data), id: message.messageId ?? undefined, timeout: metadata?.timeoutMs });
    if (typeof receipt.then !== 'function') return tell(receipt);
    const settled = receipt.then(tell).finally(() => { peer.settling.delete(settled); });
    peer.settling.add(settled);
  }

  #settled() {
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** leave says that no more is taken, and waits for what runs, at most so long. */
  async leave(patience, vacate) {
    this.#leaving = true;
    for (const peer of this.#peers) peer.farewell(true);
    await vacate();
    if (this.#running > 0) {
      let timer;
      await Promise.race([new Promise((resolve) => { this.#idle.push(resolve); }), new Promise((resolve) => { timer = setTimeout(resolve, patience); })]);
      clearTimeout(timer);
    }
    for (const peer of [...this.#peers]) {
      peer.farewell(false);
      peer.end();
    }
    this.audience.close();
  }
}

function ipcMethod(name) {
  return name === undefined || name === '' ? refuse('METHOD_NOT_FOUND', 'the request names no method') : { ipc: name };
}
