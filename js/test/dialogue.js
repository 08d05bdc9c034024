// A Script plays the service of a conversation, and a Program uses the client:
// together they hold a conversation of spec/conversations/client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { connect } from '../index.js';
import { FrameReader } from '../frame.js';
import { IpcError } from '../error.js';
import { Names, expand } from './conversation.js';
import { root, turns, world } from './world.js';

const { runtime, dir, write } = world();

// Failures that no call waits for are warnings of the process's.
const warnings = [];
let listening = () => {};
process.on('warning', (error) => {
  if (!(error instanceof IpcError)) return;
  warnings.push(error);
  listening();
});
async function warning() {
  while (warnings.length === 0) await new Promise((resolve) => { listening = resolve; });
  return warnings.shift();
}

// A Script plays the service.
class Script {
  names = new Names();
  #frames = [];
  #waiting = [];
  #sockets = [];
  #connections = [];
  #clock;
  #pings;

  // pings says that those of the client are part of the conversation.
  constructor(clock, pings) {
    this.#clock = clock;
    this.#pings = pings;
  }

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
    if (frame.channel === 'ipc.ping' && !this.#pings) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#frames.push(frame);
    else waiting(frame);
  }

  async frame() {
    if (this.#clock !== undefined) await turns(20);
    while (this.#clock !== undefined && this.#frames.length === 0) {
      this.#clock.pass();
      await turns(20);
    }
    if (this.#frames.length > 0) return this.#frames.shift();
    return new Promise((resolve) => { this.#waiting.push(resolve); });
  }

  // socket is that of the connection that is spoken of.
  get socket() { return this.#sockets[this.#at]; }
  #at = 0;

  send(text, line = true) {
    const filled = this.names.fill(text).replaceAll(/ipc\.ping-\d/g, (ping) => this.names.get(ping));
    this.socket.write(`${filled}${line ? '\n' : ''}`);
  }

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
    // Pings have ids like all else.
    if (wanted.messageId?.startsWith('ipc.ping-')) {
      this.names.set(wanted.messageId, frame.messageId);
      wanted.messageId = frame.messageId;
    }
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
      await this.service.publish(event, data === undefined ? undefined : JSON.parse(data));
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

// serviceAt is the service as the program finds it.
async function serviceAt({ address, manifest, retries = '0', timeout }, at) {
  const options = { maxFrame: 4096, retries: Number(retries), ...(timeout === undefined ? {} : { timeout: 600_000 }) };
  if (manifest === undefined) return connect(address ?? `unix:${at}`, options);
  // By its name it is looked for when it is imported.
  process.chdir(dir);
  fs.rmSync('fixture.ekko.ipc.json', { force: true });
  if (manifest !== 'none') {
    const source = JSON.parse(fs.readFileSync(path.join(root, 'spec/conversations/fixture.ekko.ipc.json'), 'utf8'));
    source.service.transport = JSON.parse(manifest);
    write('fixture.ekko.ipc.json', source);
  }
  return { $with: () => ({ $call: async (...call) => (await connect('fixture', { retries: 0 })).$call(...call) }), $close() {} };
}

let count = 0;

/** hold holds a conversation. With a clock its time passes when everybody waits. */
export async function hold({ lines, settings }, clock = undefined) {
  const at = path.join(runtime, `conversation${++count}.sock`);
  const script = new Script(clock, settings.pings !== undefined);
  if (settings.service === undefined) await script.start(at);
  const service = await serviceAt(settings, at);
  const program = new Program(service);
  try {
    for (const line of lines) await step(line, script, program, settings);
    assert.deepEqual(warnings.splice(0), [], 'told of more than is written');
  } finally {
    service.$close();
    script.close();
  }
}

async function step(line, script, program) {
  if (line.startsWith('> ')) return script.expects(line.slice(2));
  if (line.startsWith('< ')) {
    script.send(line.slice(2));
    return turns(5);
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
    case 'told': return assert.equal(outcomeOf(await warning()), text);
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
    if (got === 'noted' && text.startsWith('NOT_FOUND')) {
      await turns(1);
      warnings.splice(0); // which may say so
      return;
    }
    assert.ok(sameOutcome(got, text), `${got} instead of ${text}`);
    return;
  }
  if (text === 'subscribed') return; // nothing in JavaScript says so
  const got = await program.loops.get(name).next().then(({ done, value }) => (done ? 'the end' : JSON.stringify(value)), outcomeOf);
  assert.ok(sameOutcome(got, text), `${got} instead of ${text}`);
}
