// A service is held to spec/conversations: the client's side is written down
// there.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { FrameReader, FrameWriter } from '../frame.js';
import { Names, conversations, expand } from './conversation.js';
import { LEDGER, serveFixture } from './fixture.js';
import { world } from './world.js';

const { runtime } = world();

// What is not held here, and why.
const NO_DISK = 'a service in JavaScript has no disk, and refuses channels that are persistent';
const ELSEWHERE = new Map(Object.entries({
  'subscribe, hear, unsubscribe': 'an event that a handler publishes comes before its answer',
  'UNAUTHENTICATED: the service does not admit who is calling': 'the mode of the socket says who is let in, and nobody else does',
  'a ping is answered when what was published before it is kept': NO_DISK,
  'STORAGE_UNAVAILABLE: the disk does not take it': NO_DISK,
  'STORAGE_UNAVAILABLE: the disk does not give it back, and the subscription ends': NO_DISK,
  'what the disk has lost is said in its place': NO_DISK,
  'started anew: what is persistent goes on, what is in memory begins again': NO_DISK,
  'groups of a persistent channel: each has all of it': NO_DISK,
  'a durable subscription goes on where it stood': NO_DISK,
  'CONFLICT: the newest has the name': NO_DISK,
  'a durable subscription may have a filter, a group may not': NO_DISK,
  'what there is, and how far its readers are': NO_DISK,
  'a group is forgotten when nobody is in it': NO_DISK,
  'it is told in which group who comes and goes was': NO_DISK,
}));

// What is set up for a conversation by a line "service: …".
const SETTINGS = new Map(Object.entries({
  'takes one connection, and has it': { maxConnections: 1 },
  'holds 400 bytes of events': { maxHeld: 400 },
}));

const FILES = ['call', 'batch', 'errors', 'codes', 'streams', 'once', 'limits', 'ipc', 'events', 'kept', 'groups', 'queues', 'who', 'leave', 'back'];

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

// here is what is written of a service in Go, of one in JavaScript: it asks the
// kernel who is calling only if it is told to, and has no channel on disk.
function here(identify, wanted) {
  if (Array.isArray(wanted)) return wanted.filter((each) => each?.channel !== LEDGER).map((each) => here(identify, each));
  if (typeof wanted !== 'object' || wanted === null) return wanted;
  const entries = Object.entries(wanted).filter(([name, value]) => name !== LEDGER && (identify || !KERNELS.has(value)));
  return Object.fromEntries(entries.map(([name, value]) => [name, name === 'known' ? identify : here(identify, value)]));
}
const KERNELS = new Set(['<pid>', '<uid>', '<gid>', '<exe>']);

async function hold({ lines, settings }, at, identify = false) {
  const service = await serveFixture(`unix:${at}`, { identify, ...SETTINGS.get(settings.service) });
  const names = new Names();
  const clients = new Map();
  const client = (name) => {
    if (!clients.has(name)) clients.set(name, new Client(at, name === '' && settings.framing === 'line' ? 'line' : 'length'));
    return clients.get(name);
  };
  let closing;
  try {
    if (settings.service === 'takes one connection, and has it') {
      client('first').send('{"type":"request","channel":"ipc.ping","messageId":"in"}');
      await client('first').frame();
    }
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
        const wanted = bare(here(identify, JSON.parse(expand(rest).replaceAll(/<(ms|uid|gid|pid)>/g, '"<$1>"'))));
        const got = bare(JSON.parse(frame));
        // Whether what is no answer has an id and a time, the protocol leaves open.
        if (wanted.error !== undefined) for (const name of ['messageId', 'timestamp']) if (wanted[name] === undefined) delete got[name];
        // Of who has gone, the program may be known still (presence.2).
        if (got.data?.kind === 'leave' && wanted.data.exe === undefined) delete got.data.exe;
        if (got.type === 'request') names.set('asked', got.messageId);
        // What is left of a request's time is that of one who reads at once.
        if (got.metadata?.timeoutMs <= wanted.metadata?.timeoutMs) got.metadata.timeoutMs = wanted.metadata.timeoutMs;
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
    if (ELSEWHERE.has(conversation.name)) continue;
    test(`${file}: ${conversation.name}`, { timeout: 60_000 }, (t) => {
      t.mock.method(console, 'error', () => {}); // handlers that fail as asked
      return hold(conversation, path.join(runtime, `c${++count}.sock`));
    });
  }
}

// What depends on who is calling is held with a service that asks, too.
for (const file of process.platform === 'linux' && globalThis.Deno === undefined ? ['ipc', 'who'] : []) {
  for (const conversation of conversations(`${file}.txt`)) {
    if (ELSEWHERE.has(conversation.name)) continue;
    test(`${file}, identified: ${conversation.name}`, { timeout: 60_000 }, () => hold(conversation, path.join(runtime, `c${++count}.sock`), true));
  }
}
