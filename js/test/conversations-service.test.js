// A service is held to spec/conversations: the client's side is written down
// there.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { FrameReader, FrameWriter } from '../frame.js';
import { Names, conversations, expand } from './conversation.js';
import { serveFixture } from './fixture.js';
import { world } from './world.js';

const { runtime } = world();

// What is not held here, and why.
const ELSEWHERE = new Map(Object.entries({
  'a method that runs once at a time, in the order of the requests': 'the bound of a queue cannot be set to two; host.test.js',
  'OVERLOADED: it would not be answered in time': 'a service in JavaScript refuses only what its queue has no room for',
  hello: 'Node cannot ask the kernel who is calling',
  connections: 'Node cannot ask the kernel who is calling',
  describe: 'the manifest has fewer channels',
  'who is subscribed': 'Node cannot ask the kernel who is calling',
  'who comes and goes': 'Node cannot ask the kernel who is calling',
  'and not after a goodbye, nor when it was taken back': 'Node cannot ask the kernel who is calling',
  'it is told in which group who comes and goes was': 'nothing is kept, so there are no groups',
  'presence is heard by name only, and nobody else speaks of it': 'channels that keep events have an epoch of their own',
  'subscribe, hear, unsubscribe': 'an event that a handler publishes comes before its answer',
  'a declared channel is published and heard like an event, with or without data': 'an event that a handler publishes comes before its answer',
  'several subscriptions, one delivery': 'channels that keep events have an epoch of their own',
  'subscriptions have options, and each is checked': 'filters and groups are not offered',
  'a filter leaves out what the subscriber does not want, and no gap is told': 'filters are not offered',
  'a field that is missing is null, and nothing else holds of it': 'filters are not offered',
  'a subscription may bring its id, and is then one of its own': 'the two frames for one event come in another order',
  'a broadcast is for everybody, whole': 'filters are not offered',
  'a receipt says where an event stands, and who gets it': 'channels that keep events are not offered',
  'the client answers': 'a service in JavaScript does not call its clients',
  'the client does not offer what is asked': 'a service in JavaScript does not call its clients',
  'a channel has so many subscribers': 'subscriptions with wildcards count too: docs/javascript.md',
}));

const FILES = ['call', 'batch', 'errors', 'codes', 'streams', 'once', 'limits', 'ipc', 'events', 'who', 'leave', 'back'];

// A Client says what is written, and reads.
class Client {
  #frames = [];
  #waiting = [];

  constructor(at, framing) {
    this.socket = net.connect(at);
    const reader = new FrameReader((text) => this.#push(text), { framing });
    this.writer = new FrameWriter((data) => this.socket.write(data), framing);
    this.socket.on('data', (chunk) => reader.push(chunk));
    this.socket.on('close', () => this.#push('closed'));
    this.socket.on('error', () => {});
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

  send(text) {
    this.writer.push(text);
    this.writer.flush();
  }
}

// What an error says beside its code is the service's own.
const SAID = ['executed', 'retryable', 'stage', 'original'];
function bare(message) {
  if (Array.isArray(message)) return message.map(bare);
  if (message.error === undefined) return message;
  const { code, details = {} } = message.error;
  return { ...message, error: { code, ...Object.fromEntries(SAID.filter((name) => Object.hasOwn(details, name)).map((name) => [name, details[name]])), ...(code === 'SCHEMA_MISMATCH' && details.path !== undefined ? { path: details.path } : {}) } };
}

async function hold({ lines, settings }, at) {
  const service = await serveFixture(`unix:${at}`);
  const names = new Names();
  const clients = new Map();
  const client = (name) => {
    if (!clients.has(name)) clients.set(name, new Client(at, name === '' && settings.framing === 'line' ? 'line' : 'length'));
    return clients.get(name);
  };
  let closing;
  try {
    for (const line of lines) {
      const [, side, name, rest] = /^([<>])(\d*)(?: (.*)|\|)$/.exec(line) ?? [];
      if (line === '* the service is told to shut down') closing = service.close();
      else if (side === undefined) throw new Error(`the line makes no sense here: ${line}`);
      else if (rest === undefined && side === '>') client(name).socket.end();
      else if (rest === undefined) assert.equal(await client(name).frame(), 'closed', line);
      else if (side === '>') client(name).send(names.fill(rest));
      else {
        const frame = await client(name).frame();
        assert.notEqual(frame, 'closed', line);
        const wanted = bare(JSON.parse(expand(rest).replaceAll(/<(ms|uid|gid|pid)>/g, '"<$1>"')));
        const got = bare(JSON.parse(frame));
        // A service may have read the id of what it could not read, or not (msg.2).
        if (wanted.error?.code === 'MALFORMED_MESSAGE' && wanted.correlationId === undefined) delete got.correlationId;
        assert.equal(names.differs(wanted, got), undefined, `${line}\n${frame}`);
      }
    }
  } finally {
    for (const each of clients.values()) each.socket.destroy();
    await (closing ?? service.close());
  }
}

let count = 0;
for (const file of FILES) {
  for (const conversation of conversations(`${file}.txt`)) {
    if (ELSEWHERE.has(conversation.name) || conversation.settings.service !== undefined) continue;
    test(`${file}: ${conversation.name}`, { timeout: 4000 }, (t) => {
      t.mock.method(console, 'error', () => {}); // handlers that fail as asked
      return hold(conversation, path.join(runtime, `c${++count}.sock`));
    });
  }
}
