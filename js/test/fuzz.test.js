// A hostile service, at random: whatever it sends, the process goes on, each
// promise is settled, errors are IpcErrors, and nothing of the language is
// changed. EKKO_IPC_CASES says how many cases there are: npm run fuzz has
// 100,000 of them.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';

import { IpcError, connect } from '../index.js';
import { Connection } from '../connection.js';
import { FrameReader, FrameTooLong } from '../frame.js';
import { Pending } from '../pending.js';
import { UsualReader } from '../usual.js';
import { turns, world } from './world.js';

const { runtime } = world();
const cases = Number(process.env.EKKO_IPC_CASES ?? 2000);
process.removeAllListeners('warning'); // what a service says wrongly is many warnings

// What of the language could be changed.
const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype, Map.prototype, Error.prototype];
const shape = () => PROTOTYPES.map((each) => Reflect.ownKeys(each).map(String)).join();
const before = shape();

const HOSTILE = ['__proto__', 'constructor', 'prototype', 'then', 'toString', 'valueOf', 'hasOwnProperty', 'toJSON', '__defineGetter__', 'isPrototypeOf', 'catch', 'finally', 'length', 'name'];
const hostile = fc.constantFrom(...HOSTILE);
const name = fc.oneof(hostile, fc.constantFrom('one', 'user.created', 'ipc.ping', 'ipc.presence', 'a.b.c'), fc.string({ maxLength: 12 }));
const pattern = fc.oneof({ weight: 1, arbitrary: name }, { weight: 3, arbitrary: fc.constantFrom('**', 'user.*', 'user.created', '*', 'a.**') });

// Values of JSON, in which names of the language are names of members. They
// are texts, as an object could not hold them all.
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.constantFrom('null', 'true', '0', '-1', '1e400', '9007199254740993', '""', '[]', '{}'), fc.double().map((n) => JSON.stringify(n)), name.map((text) => JSON.stringify(text)), fc.array(tie('value'), { maxLength: 3 }).map((list) => `[${list}]`), tie('object')),
  object: fc.array(fc.tuple(fc.oneof(hostile, fc.constantFrom('data', 'error', 'code', 'subscription', 'channels', 'from', 'epoch', 'seq')), tie('value')), { maxLength: 3 })
    .map((members) => `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`)}}`),
}));

// member is a field that is as it should be, or anything, or not there.
const member = (key, right) => fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: value }, { weight: 2, arbitrary: fc.constant(undefined) }).map((text) => (text === undefined ? '' : `,"${key}":${text}`));
const quoted = (...texts) => fc.constantFrom(...texts.map((text) => JSON.stringify(text)));

const place = fc.oneof(value, fc.constant('{"epoch":"e","seq":1}'), fc.constant('{"epoch":"e","seq":9}'));
const agreement = fc.tuple(member('subscription', quoted('$own0', '$own1', 's1', '__proto__')), member('from', place), member('stream', quoted('s', '__proto__')), member('group', quoted('g')), member('channels', place.map((each) => `{"__proto__":${each},"constructor":${each},"user.created":${each}}`)))
  .map((parts) => `{"x":1${parts.join('')}}`);
const metadata = fc.tuple(member('more', quoted('x').map(() => 'true')), member('seq', fc.nat(9).map(String)), member('epoch', quoted('e', 'f', '__proto__')), member('stream', quoted('s', '__proto__')), member('subscription', quoted('$own0', '$own1', 's1', '__proto__')), member('credit', fc.nat(100_000).map(String)), member('gap', fc.tuple(value, value, value).map(([a, b, c]) => `{"from":${a},"to":${b},"count":${c},"reason":"r"}`)), member('snapshot', fc.constant('true')))
  .map((parts) => `{"x":1${parts.join('')}}`);
const error = fc.tuple(member('code', quoted('NOT_FOUND', 'QUEUE_FULL', 'SHUTTING_DOWN', 'QUOTA_EXCEEDED', 'CONNECTION_LOST', '__proto__', 'APP_X')), member('message', quoted('m')), member('details', value))
  .map((parts) => `{"x":1${parts.join('')}}`);
const id = quoted('$asked0', '$asked1', '$asked2', '$asked3', '$own0', 's1', '__proto__', 'constructor');
const message = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: quoted('response', 'response', 'event', 'event', 'request', 'subscribe', 'RESPONSE', 'toString') }, { weight: 1, arbitrary: value }),
  member('correlationId', id), member('messageId', quoted('m1', '$asked0')),
  member('channel', quoted('events.user.created', 'events.one', 'events.__proto__', 'events.', '', 'ipc.stream', 'ipc.cancel', 'ipc.goodbye', 'ipc.plain', 'ipc.ping', 'ipc.presence', 'toString')),
  fc.oneof(member('data', value), member('data', agreement)), fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: member('error', error) }), member('metadata', metadata),
).map(([type, ...rest]) => `{"type":${type}${rest.join('')}}`);

// likely is what a service would say to a subscriber, but for what is wrong in it.
const likely = fc.oneof(
  fc.tuple(quoted('$asked0', '$asked1'), agreement).map(([to, data]) => `{"type":"response","correlationId":${to},"data":${data}}`),
  fc.tuple(quoted('events.user.created', 'ipc.plain'), metadata, member('data', fc.oneof(value, agreement))).map(([channel, more, data]) => `{"type":"event","channel":${channel}${data},"metadata":${more}}`),
);

// frames are what is sent, framed by lines.
const frame = fc.oneof(
  { weight: 8, arbitrary: message },
  { weight: 8, arbitrary: likely },
  { weight: 1, arbitrary: fc.array(message, { maxLength: 3 }).map((list) => `[${list}]`) },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: message.chain((text) => fc.nat(text.length).map((at) => text.slice(0, at))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
  { weight: 1, arbitrary: fc.constant('$long') },
);

// operations are what a program does meanwhile: each a function of the service
// that returns a promise.
async function* upload() { yield 1; yield { then: 1 }; }
const take = async (loop, count) => {
  for (let i = 0; i < count; i++) if ((await loop.next()).done) return;
  await loop.return();
};
const operation = fc.oneof(
  { weight: 3, arbitrary: name.map((each) => (service) => service.$call(each, 1)) },
  name.map((each) => async (service) => (each in Object.prototype ? undefined : service[each]?.(1))),
  fc.tuple(name, fc.nat(3)).map(([each, count]) => (service) => take(service.$stream(each), count)),
  name.map((each) => (service) => service.$call(each, upload())),
  name.map((each) => (service) => take(service.$stream(each, upload()), 2)),
  { weight: 3, arbitrary: fc.tuple(pattern, fc.nat(3), fc.constantFrom({}, { from: 'first' }, { group: 'g' }, { limit: 1 }, { limit: 1, overflow: 'error' }, { limit: 1, overflow: 'drop-newest' })).map(([each, count, options]) => (service) => take(service.on(each, options), count)) },
  { weight: 2, arbitrary: fc.tuple(pattern, fc.constantFrom({}, { durable: 'd' })).map(([each, options]) => (service) => new Promise((resolve) => {
    const stop = service.subscribe(each, (data, event) => { void [data, event.gap?.from, event.channel]; if (event.seq > 5) stop(); }, { onError: resolve, ...options });
    service.$call('ipc.ping').then(resolve, resolve);
  })) },
  name.map((each) => async (service) => service.publish(each, { __proto__: null, then: 1 })),
  name.map((each) => (service) => service.publish(each, 1, { confirm: true })),
  fc.constant((service) => service.$will('a', 1)),
  name.map((each) => (service) => service.$batch([[each, 1], ['ipc.ping']])),
  name.map((each) => (service) => service.$with({ idempotencyKey: 'k', signal: AbortSignal.timeout(1) }).$call(each)),
);

// play answers the first connection with what the case has, when it has asked.
class Service {
  #server;
  #sockets = new Set();
  play;

  async open(at) {
    this.#server = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
      this.#accept(socket);
    });
    await new Promise((resolve) => { this.#server.listen(at, resolve); });
  }

  #accept(socket) {
    const { play } = this;
    if (play === undefined) return socket.destroy();
    this.play = undefined;
    const asked = [];
    const own = [];
    const reader = new FrameReader((text) => {
      const { messageId, correlationId, data } = JSON.parse(text);
      asked.push(correlationId ?? messageId);
      if (typeof data?.subscription === 'string') own.push(data.subscription);
    });
    let answered = false;
    socket.on('data', (chunk) => {
      reader.push(chunk);
      if (answered) return;
      answered = true;
      const named = (text) => text.replace('$long', `"${'x'.repeat(70_000)}"`).replaceAll(/\$(asked|own)(\d)/g, (_, list, i) => (list === 'asked' ? asked : own)[i % Math.max((list === 'asked' ? asked : own).length, 1)] ?? 'none');
      play(socket, named);
    });
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

// within is fulfilled as the promise is, unless that hangs.
async function within(promise, what) {
  let over = false;
  promise.finally(() => { over = true; });
  for (let turn = 0; !over; turn++) {
    assert.ok(turn < 20_000, `${what} hangs`);
    await turns(1);
  }
}

// ownFaults collects the errors of our own for which connections are given up.
function ownFaults(t) {
  const faults = [];
  t.mock.method(Connection.prototype, 'fail', function fail(error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) faults.push(error);
    original.call(this, error);
  });
  return faults;
}
const original = Connection.prototype.fail;

const script = fc.record({
  operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
  frames: fc.array(frame, { minLength: 1, maxLength: 8 }),
  cuts: fc.array(fc.nat(300), { maxLength: 3 }),
  end: fc.constantFrom('end', 'destroy', 'silence'),
});

test('whatever a service sends', { timeout: 60_000 + 50 * cases }, async (t) => {
  const at = path.join(runtime, 'fuzz.sock');
  const hostileService = new Service();
  await hostileService.open(at);
  t.after(() => hostileService.close());
  const uncaught = [];
  const faults = ownFaults(t);
  process.on('uncaughtException', (e) => uncaught.push(e)).on('unhandledRejection', (e) => uncaught.push(e));
  await fc.assert(fc.asyncProperty(script, async ({ operations, frames, cuts, end }) => {
    const sent = new Promise((resolve) => {
      hostileService.play = async (socket, named) => {
        const bytes = Buffer.from(frames.map((each) => `${named(each)}\n`).join(''));
        let from = 0;
        for (const cut of cuts) {
          socket.write(bytes.subarray(from, from + cut));
          from += cut;
          await turns(1);
        }
        socket.write(bytes.subarray(from), () => {
          if (end !== 'silence') socket[end]();
          resolve();
        });
        socket.on('close', resolve);
      };
    });
    const service = await connect(`unix:${at}`, { retries: 0 });
    const settled = operations.map((each) => (async () => each(service))().then(() => undefined, (e) => e));
    service.$notify('begin'); // some operations send nothing
    await within(sent, 'the service');
    await turns(3);
    service.$close();
    const outcome = Promise.all(settled);
    await within(outcome, 'a promise');
    for (const e of await outcome) assert.ok(e === undefined || e instanceof IpcError || e.name === 'TimeoutError', e?.stack);
    assert.deepEqual([...uncaught, ...faults], []);
    assert.equal(shape(), before);
    assert.equal({}.polluted, undefined);
  }), { numRuns: cases, includeErrorInReport: true });
});

test('frames are the same however they are cut', () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `{"x":${JSON.stringify(text)}}`), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(texts, fc.constantFrom('line', 'length'), fc.array(fc.nat(20), { maxLength: 30 }), (list, framing, cuts) => {
    const bytes = Buffer.concat(list.flatMap((text) => {
      const body = Buffer.from(text);
      if (framing === 'line') return [body, Buffer.from('\n')];
      const head = Buffer.alloc(4);
      head.writeUInt32LE(body.length);
      return [head, body];
    }));
    const got = [];
    const reader = new FrameReader((text) => got.push(text));
    let from = 0;
    for (const cut of cuts) {
      reader.push(bytes.subarray(from, from + cut));
      from += cut;
    }
    reader.push(bytes.subarray(from));
    assert.deepEqual(got, list);
  }), { numRuns: cases, includeErrorInReport: true });
});

test('usual events are read as JSON.parse reads them', () => {
  const id = '0c0c0b0e-1b1b-4c4c-8d8d-0123456789ab';
  const event = fc.tuple(fc.constantFrom('events.tick', 'events.tock'), value, fc.nat().map(String), fc.constantFrom('', ',"stream":"s"', ',"subscription":"c1"'))
    .map(([channel, data, seq, more]) => `{"type":"event","messageId":"${id}","channel":"${channel}","data":${data},"timestamp":"2026-11-25T14:53:46.823Z","metadata":{"epoch":"e","seq":${seq}${more}}}`);
  const change = fc.tuple(event, fc.nat(), fc.nat(3), fc.constantFrom('', '"', '\\', '{', '}', ',', ':', '0', 'a', ' ', '"a":1,', '","error":{},"a":"', id));
  const changed = change.map(([text, at, length, instead]) => `${text.slice(0, at % text.length)}${instead}${text.slice((at % text.length) + length)}`);
  let usual = 0;
  fc.assert(fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: event }, { weight: 1, arbitrary: changed }), { minLength: 2, maxLength: 12 }), (texts) => {
    const reader = new UsualReader();
    for (const text of texts) {
      const outcome = (read) => { try { return JSON.stringify(read()); } catch (e) { return e.name; } };
      const parsed = outcome(() => JSON.parse(text));
      let message;
      const got = outcome(() => (message = reader.read(text)));
      assert.deepEqual(got === 'SyntaxError' ? got : JSON.parse(got), parsed === 'SyntaxError' ? parsed : JSON.parse(parsed), text);
      if (message?.metadata !== undefined && Object.hasOwn(message.metadata, 'stream') && message.metadata.stream === undefined) usual++;
    }
  }), { numRuns: cases, includeErrorInReport: true });
  assert.ok(usual > cases / 10, `only ${usual} were usual`);
});

test('pending calls are found, whatever their ids', () => {
  const key = fc.oneof(fc.nat(200).map((n) => `an id ${n.toString(16).padStart(4, '0')}`), fc.nat(9).map((n) => `same place ${n}0000`), name);
  const step = fc.tuple(fc.boolean(), key);
  fc.assert(fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
    const pending = new Pending();
    const model = new Map();
    for (const [enters, each] of steps) {
      const call = model.get(each);
      assert.equal(pending.get(each), call);
      if (call !== undefined) {
        pending.remove(call);
        model.delete(each);
      } else if (enters) {
        model.set(each, { id: each });
        pending.add(model.get(each));
      }
      assert.equal(pending.size, model.size);
    }
    for (const [each, call] of model) assert.equal(pending.get(each), call);
    assert.deepEqual(new Set(pending.all()), new Set(model.values()));
    assert.equal(pending.get(undefined), undefined);
  }), { numRuns: Math.ceil(cases / 10), includeErrorInReport: true });
});

test('bytes of any kind are frames, or too long', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
    const reader = new FrameReader((text) => assert.equal(typeof text, 'string'), { max: 100 });
    try {
      for (const chunk of chunks) reader.push(Buffer.from(chunk));
      reader.end();
    } catch (e) {
      assert.ok(e instanceof FrameTooLong, e);
    }
  }), { numRuns: cases, includeErrorInReport: true });
});
