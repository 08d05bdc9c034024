// The client is held to spec/conversations/client: the service's side is
// written down there.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { connect } from '../index.js';
import { FrameReader } from '../frame.js';
import { IpcError } from '../error.js';
import { Names, conversations, expand } from './conversation.js';
import { world } from './world.js';

const { runtime } = world();

// What is not held here, and why.
const ELSEWHERE = new Map(Object.entries({
  'DEADLINE_EXCEEDED: thirty seconds where nothing else is said': 'takes thirty seconds',
  'DEADLINE_EXCEEDED before it is sent': 'a timeout of 0 is none in JavaScript',
  'CONNECTION_LOST: the service says nothing any more': 'takes a minute and a half',
  'a service that answers pings may take its time': 'takes a minute',
  'SERVICE_NOT_FOUND: the name leads nowhere': 'registry.test.js',
  'UNTRUSTED_PEER: a manifest that leads out of the runtime directory': 'registry.test.js',
  'TRANSPORT_UNSUPPORTED: only a parent can': 'registry.test.js',
  'RESPONSE_SCHEMA_MISMATCH: not what the program asked for': 'a program in JavaScript asks for no type',
  'an answer that cannot be read ends its call, and no other': 'this client reads what JSON.parse does; a name twice is the last one',
  'MESSAGE_TOO_LARGE: an answer that is longer than the client reads': 'this client reads all that a service may send',
  'an error that no call waits for is told of': 'it takes Publish at its word, and does not ask what a channel promises: docs/javascript.md',
  'INVALID_ARGUMENT: a filter that is none': 'it leaves the reading of filters to the service',
  'an event, and whom it is for': 'it takes Publish at its word, and does not ask what a channel promises: docs/javascript.md',
  'after a lost connection the subscription goes on where it stood': 'it comes back as a separate subscription, and does not share events again: docs/javascript.md',
  'caught up, a subscription shares the events of the others again': 'it comes back as a separate subscription, and does not share events again: docs/javascript.md',
  'the place is taken, by the old connection perhaps: the client asks again': 'it comes back as a separate subscription, and does not share events again: docs/javascript.md',
  'of a pattern the streams are resumed that were heard of, others begin with what is new': 'it comes back as a separate subscription, and does not share events again: docs/javascript.md',
  'the service ends a subscription': 'it comes back as a separate subscription, and does not share events again: docs/javascript.md',
  'publishing, with a receipt and without': 'it takes Publish at its word, and does not ask what a channel promises: docs/javascript.md',
  'what a channel promises to keep is published when it is kept': 'it takes Publish at its word, and does not ask what a channel promises: docs/javascript.md',
  'presence is for who names it': 'it comes back as a separate subscription, and does not share events again: docs/javascript.md',
}));

// A Script plays the service.
class Script {
  names = new Names();
  #frames = [];
  #waiting = [];
  #sockets = [];
  #connections = [];

  async start(at) {
    this.server = net.createServer((socket) => {
      this.#sockets.push(socket);
      const reader = new FrameReader((text) => this.#push(JSON.parse(text)));
      socket.on('data', (chunk) => reader.push(chunk));
      socket.on('error', () => {});
      socket.on('close', () => this.#push('closed'));
      this.#connections.shift()?.();
    });
    await new Promise((resolve) => { this.server.listen(at, resolve); });
  }

  #push(frame) {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#frames.push(frame);
    else waiting(frame);
  }

  frame() {
    if (this.#frames.length > 0) return Promise.resolve(this.#frames.shift());
    return new Promise((resolve) => { this.#waiting.push(resolve); });
  }

  // socket is that of the connection that is spoken of.
  get socket() { return this.#sockets[this.#at]; }
  #at = 0;

  send(text, line = true) { this.socket.write(`${this.names.fill(text)}${line ? '\n' : ''}`); }

  async closes() {
    this.socket.end();
    let frame;
    do frame = await this.frame(); while (frame !== 'closed');
  }

  // reconnected ends the connection there is, and waits for the next one.
  async reconnected() {
    const { socket } = this;
    if (!socket.destroyed) {
      const gone = new Promise((resolve) => { socket.once('close', resolve); });
      socket.end();
      await gone;
    }
    if (this.#sockets.length === this.#at + 1) await new Promise((resolve) => { this.#connections.push(resolve); });
    this.#at++;
    this.#frames = this.#frames.filter((frame) => frame !== 'closed');
  }

  async expects(line) {
    let frame = await this.frame();
    while (frame === 'closed') frame = await this.frame();
    const wanted = JSON.parse(expand(line).replaceAll('<ms>', '"<ms>"'));
    if (!Object.hasOwn(frame, 'timestamp')) delete wanted.timestamp;
    // Ours tells a service only what it cannot know, and names ipc's methods once.
    if (wanted.type === 'subscribe') delete wanted.metadata;
    if (wanted.channel?.startsWith('ipc.') && frame.action === undefined) delete wanted.action;
    if (frame.metadata?.timeoutMs > 0 && wanted.metadata?.timeoutMs === '<ms>') frame.metadata.timeoutMs = '<ms>';
    // What is sent once more has less time.
    if (wanted.metadata === undefined && /<asked \d/.test(line) && frame.metadata?.timeoutMs <= 30_000) delete frame.metadata;
    if (wanted.error !== undefined) delete wanted.error.message;
    if (frame.error !== undefined) delete frame.error.message;
    const { names } = this;
    assert.equal(names.differs(wanted, frame), undefined, `${line}\n${JSON.stringify(frame)}`);
  }

  close() {
    this.server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

// outcomeOf says what a call has come to, as the conversations do.
function outcomeOf(error) {
  if (!(error instanceof IpcError)) return error.name === 'AbortError' ? 'CANCELLED, executed maybe, not retryable' : String(error);
  return `${error.code}, executed ${error.executed}, ${error.retryable ? 'retryable' : 'not retryable'}`;
}

const sameOutcome = (got, want) => got === want || (want.includes('executed unsaid') && got === want.replace('unsaid', 'maybe'));

// A Program is the client's side.
class Program {
  outcomes = new Map(); // by name: promises in order
  loops = new Map();
  given;
  #names = 0;

  constructor(service) {
    this.service = service;
    this.abort = new AbortController();
  }

  giveUp() {
    this.abort.abort();
    this.abort = new AbortController();
  }

  #note(name, promise) {
    const list = this.outcomes.get(name) ?? [];
    list.push(promise.then((value) => (typeof value === 'string' ? value : JSON.stringify(value)), outcomeOf));
    this.outcomes.set(name, list);
  }

  call(name, text) {
    const [, method, args = '[]', within, key] = /^(\S+)(?: (\[.*?\]|\[.*\]))?(?: within (\d+) ms)?(?: with key (".*"))?$/.exec(text);
    const options = { signal: this.abort.signal };
    if (within !== undefined) options.timeout = Number(within);
    const made = async () => {
      if (key !== undefined) options.idempotencyKey = JSON.parse(expand(key));
      return this.service.$with(options).$call(method, ...JSON.parse(expand(args)));
    };
    this.#note(name, made().then((value) => JSON.stringify(value)));
  }

  stream(name, text) {
    const [, method, args = '[]'] = /^(\S+)(?: (\[.*\]))?$/.exec(text);
    const items = this.service.$with({ signal: this.abort.signal }).$stream(method, ...JSON.parse(args));
    const waiting = items.next();
    this.loops.set(name, { next: () => { const now = this.loops.get(name).first ?? items.next(); this.loops.get(name).first = undefined; return now; }, first: waiting });
    waiting.catch(() => {});
    this.kind = 'stream';
  }

  subscribe(name, text) {
    const [, pattern, options = '{}'] = /^(\S+)(?: (\{.*\}))?$/.exec(text);
    const { ackWaitMs, ...rest } = JSON.parse(options);
    try {
      const loop = this.service.on(pattern, { limit: 4096, ack: 'manual', ...rest, ...(ackWaitMs === undefined ? {} : { ackWait: ackWaitMs }) });
      this.loops.set(name, loop);
      this.kind = 'subscription';
    } catch (error) {
      this.#note(name, Promise.reject(error));
    }
  }

  publish(name, text) {
    const [, event, data] = /^(\S+)(?: (.*))?$/.exec(text);
    this.#note(name, (async () => {
      this.service.publish(event, data === undefined ? undefined : JSON.parse(data));
      return 'sent';
    })());
  }

  confirm(name, text) {
    const [, event, data, id] = /^(\S+) (\{.*?\})(?: under (".*"))?$/.exec(text);
    this.#note(name, this.service.publish(event, JSON.parse(data), { confirm: true, ...(id === undefined ? {} : { id: JSON.parse(id) }) })
      .then(({ stream, seq, duplicate }) => `${stream} ${seq}${duplicate ? ', as before' : ''}`));
  }

  settle(name, verb, reason) {
    const event = this.given;
    const [method, ...rest] = verb === 'reject' ? ['reject', reason] : [verb];
    this.#note(name, event[method](...rest).then(() => 'noted'));
  }
}

function said({ channel, seq, stream, data, snapshot, redelivered, deliveries, gap }) {
  let text = `${channel} ${seq}${stream === channel ? '' : ` of ${stream}`}${data === undefined ? '' : ` ${JSON.stringify(data)}`}`;
  if (snapshot) text += ', the state';
  if (redelivered) text += `, delivered before, ${deliveries} times in all`;
  if (gap !== undefined) text += gap.to === undefined ? `; lost from ${gap.from} on: ${gap.reason}` : `; lost ${gap.count} from ${gap.from} to ${gap.to}: ${gap.reason}`;
  return text;
}

async function hold({ lines, settings }, at) {
  const script = new Script();
  if (settings.service === undefined) await script.start(at);
  const service = await connect(settings.address ?? `unix:${at}`, { maxFrame: 4096 + 1024, retries: Number(settings.retries ?? 0), ...(settings.timeout === undefined ? {} : { timeout: 600_000 }) });
  const program = new Program(service);
  try {
    for (const line of lines) await step(line, script, program, settings);
  } finally {
    service.$close();
    script.close();
  }
}

async function step(line, script, program) {
  if (line.startsWith('> ')) return script.expects(line.slice(2));
  if (line.startsWith('< ')) {
    script.send(line.slice(2));
    // Both ends are in this process: in a few turns it has arrived. In Deno
    // only a turn that ends with a timer looks at sockets.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => { setTimeout(resolve); });
    return undefined;
  }
  if (line.startsWith('<~ ')) return script.send(line.slice(3), false);
  if (line === '<|') return script.closes();
  if (line === '>|') return assert.equal(await script.frame(), 'closed');
  if (line === '* the caller gives up') return program.giveUp();
  if (line === '* the client is closed') return program.service.$close();
  if (line === '* the client connects again') return script.reconnected();
  const [, verb, name = '', text = ''] = /^(\w+)(?: ([\w ]+))?:(?: (.*))?$/.exec(line);
  switch (verb) {
    case 'call': case 'stream': case 'subscribe': case 'publish': case 'confirm': return program[verb](name, text);
    case 'ack': case 'nak': case 'reject': return program.settle(name, verb, text);
    case 'told': return undefined; // a warning of the process's
    case 'item': return assert.deepEqual(await program.loops.get(name).next(), { value: JSON.parse(text), done: false });
    case 'event': {
      const { value } = await program.loops.get(name).next();
      program.given = value;
      return assert.equal(said(value), text);
    }
    case 'end': return assert.ok(sameOutcome(await program.loops.get(name).next().catch(outcomeOf), text));
    case 'outcome': return outcome(program, name, text);
  }
  throw new Error(`the line makes no sense here: ${line}`);
}

async function outcome(program, name, text) {
  const made = program.outcomes.get(name)?.shift();
  if (made !== undefined) {
    const got = await made;
    // Whose event it is no more, is no failure in JavaScript: it comes again.
    if (got === 'noted' && text.startsWith('NOT_FOUND')) return;
    assert.ok(sameOutcome(got, text), `${got} instead of ${text}`);
    return;
  }
  if (text === 'subscribed') return; // nothing in JavaScript says so
  const got = await program.loops.get(name).next().then(({ done, value }) => (done ? 'the end' : JSON.stringify(value)), outcomeOf);
  assert.ok(sameOutcome(got, text), `${got} instead of ${text}`);
}

let count = 0;
for (const file of ['calls', 'errors', 'events', 'streams']) {
  for (const conversation of conversations(`client/${file}.txt`)) {
    if (ELSEWHERE.has(conversation.name)) continue;
    test(`${file}: ${conversation.name}`, { timeout: 5000 }, () => hold(conversation, path.join(runtime, `conversation${++count}.sock`)));
  }
}
