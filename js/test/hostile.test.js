// Services that do harm: the process neither crashes nor hangs, and each call
// ends.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { IpcError, connect, serve } from '../index.js';
import { harm, responseTo } from './harm.js';
import { rejection, runtime as tested, until, world } from './world.js';

const { runtime } = world();
test('garbage ends the connection and its calls', async (t) => {
  for (const garbage of ['garbage\n', '{"type":\n', Buffer.from([0, 1, 2, 3, 10, 255, 254, 10]), '\u0000\u0000\u0000\u0000']) {
    const { service } = await harm(t, runtime, (socket) => { socket.write(garbage); socket.end(); });
    const error = await rejection(service.anything());
    assert.equal(error.code, 'CONNECTION_LOST');
    assert.equal(error.executed, 'maybe');
  }
});

test('JSON that is no message is passed over, and too much of it ends the connection', async (t) => {
  const { service } = await harm(t, runtime, (socket, message) => {
    for (const nothing of ['1', 'null', '"x"', '[]', '[1,null]', '{}', '{"type":5}', '{"type":"response"}', '{"type":"event"}', '{"type":"event","channel":7}']) socket.write(`${nothing}\n`);
    socket.write(responseTo(message, { data: 'fine' }));
  });
  assert.equal(await service.one(), 'fine');
  const error = await rejection((async () => { for (;;) await service.more(); })());
  assert.equal(error.code, 'CONNECTION_LOST');
});

test('wrong ids and wrong types', async (t) => {
  const { service } = await harm(t, runtime, (socket, message) => {
    const wrong = [
      { correlationId: 'nobody', data: 1 }, { correlationId: 5, data: 1 }, { correlationId: null, data: 1 }, { correlationId: '__proto__', data: 1 },
      { correlationId: 'constructor', error: { code: 'NOT_FOUND' } }, { correlationId: 'hasOwnProperty', metadata: { more: true } },
    ];
    for (const each of wrong) socket.write(`${JSON.stringify({ type: 'response', ...each })}\n`);
    for (const metadata of [5, 'x', [], { gap: 5 }, { gap: {} }, { subscription: {} }, { seq: 'x', epoch: {} }, { credit: -1 }]) {
      for (const channel of ['events.x', 'ipc.stream', 'ipc.cancel', 'events.', '', '__proto__']) socket.write(`${JSON.stringify({ type: 'event', channel, metadata, correlationId: message.messageId })}\n`);
    }
    socket.write(responseTo(message, { data: 'right', metadata: 'wrong' }));
  });
  const stop = service.subscribe('**', () => {}, { onError: () => {} });
  assert.equal(await service.one(), 'right');
  stop();
});

test('errors that are none', async (t) => {
  const kinds = [5, 'x', [], {}, { code: 5 }, { code: '' }, { code: 'A', message: {} }];
  const { service } = await harm(t, runtime, (socket, message) => socket.write(responseTo(message, { error: kinds[message.data[0]] })));
  for (let i = 0; i < kinds.length; i++) assert.equal((await rejection(service.one(i))).code, 'INTERNAL');
});

test('names of the language in what a service says pollute nothing', async (t) => {
  const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":"no function"}';
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.type === 'subscribe') {
      socket.write(responseTo(message, { data: { subscription: '__proto__', from: { epoch: '__proto__', seq: 1 }, channels: JSON.parse('{"__proto__":{"epoch":"x","seq":1}}') } }));
      for (const name of ['__proto__', 'constructor', 'toString']) socket.write(`{"type":"event","channel":"events.${name}","data":${evil},"metadata":{"seq":1,"epoch":"__proto__","stream":"__proto__","gap":${evil}}}\n`);
      return;
    }
    if (message.data?.[0] === 'fail') return socket.write(`{"type":"response","correlationId":"${message.messageId}","error":{"code":"APP_X","details":${evil}}}\n`);
    socket.write(`{"type":"response","correlationId":"${message.messageId}","data":${evil},"__proto__":{"data":1}}\n`);
  });
  const heard = [];
  service.subscribe('*', (data, event) => heard.push(event), { onError: () => {} });
  const answer = await service.one();
  assert.ok(Object.hasOwn(answer, '__proto__'));
  assert.equal(Object.getPrototypeOf(answer), Object.prototype);
  const error = await rejection(service.one('fail'));
  assert.equal(error.polluted, undefined);
  assert.equal(error.details.polluted, undefined);
  for (const name of ['constructor', '__proto__', 'hasOwnProperty', 'toString', 'then']) assert.deepEqual(Object.keys(await service.$call(name)), ['__proto__', 'constructor', 'then']);
  await until(() => heard.length >= 1);
  assert.equal({}.polluted, undefined);
  assert.equal([].polluted, undefined);
});

test('J5: names of the language as names of methods and events of our own', async (t) => {
  const methods = JSON.parse('{"__proto__":1,"constructor":1,"then":1,"toString":1}');
  for (const name of Object.keys(methods)) Object.defineProperty(methods, name, { value: () => `${name} was called`, enumerable: true });
  const own = await serve('names', methods, { address: `unix:${path.join(runtime, 'names.sock')}` });
  const service = await connect(`unix:${path.join(runtime, 'names.sock')}`);
  t.after(async () => { service.$close(); await own.close(); });
  for (const name of Object.keys(methods)) assert.equal(await service.$call(name), `${name} was called`);
  for (const name of ['hasOwnProperty', 'valueOf', '__defineGetter__', 'isPrototypeOf']) assert.equal((await rejection(service.$call(name))).code, 'METHOD_NOT_FOUND');
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty.toString']) {
    const loop = service.on(name);
    const next = loop.next();
    await service.$call('ipc.ping');
    service.publish(name, JSON.parse('{"__proto__":{"admin":1}}'));
    const { value } = await next;
    assert.equal(value.channel, name);
    assert.equal(value.data.admin, undefined);
    await loop.return();
  }
  assert.equal({}.admin, undefined);
});

test('an answer that comes byte by byte, and cut anywhere', async (t) => {
  const data = { text: 'é\u{1F600}"\\', list: [1, { a: null }] };
  const { service } = await harm(t, runtime, (socket, message) => {
    const bytes = Buffer.from(responseTo(message, { data }));
    const at = message.data?.[0];
    if (at === undefined) for (const byte of bytes) socket.write(Buffer.from([byte]));
    else {
      socket.write(bytes.subarray(0, at));
      setImmediate(() => socket.write(bytes.subarray(at)));
    }
  });
  assert.deepEqual(await service.whole(), data);
  const answers = [];
  for (let at = 1; at < 120; at++) answers.push(await service.cut(at));
  for (const answer of answers) assert.deepEqual(answer, data);
});

test('a service that never answers: the client gives up by itself', async (t) => {
  const said = [];
  const { service } = await harm(t, runtime, (socket, message) => (message.action === 'speak' ? socket.write(responseTo(message, { data: null })) : said.push(message)));
  await service.speak(); // from now on there is a connection
  const error = await rejection(service.$with({ timeout: 20 }).silence());
  assert.equal(error.code, 'DEADLINE_EXCEEDED');
  assert.equal(error.executed, 'maybe');
  await until(() => said.length >= 2);
  assert.equal(said[1].channel, 'ipc.cancel');
  assert.equal(said[1].correlationId, said[0].messageId);
});

test('a service that sends without end what has no end', async (t) => {
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.type !== 'request') return;
    const chunk = Buffer.alloc(1 << 20, 120);
    for (let i = 0; i < 20; i++) socket.write(chunk);
  });
  assert.equal((await rejection(service.flood())).code, 'CONNECTION_LOST');
});

test('a service that streams without credit is cut off', async (t) => {
  let cancelled = false;
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.channel === 'ipc.cancel') cancelled = true;
    if (message.type !== 'request') return;
    const item = responseTo(message, { data: 'x'.repeat(60_000), metadata: { more: true } });
    for (let i = 0; i < 40; i++) socket.write(item);
  });
  const stream = service.$stream('endless');
  assert.equal((await stream.next()).value.length, 60_000);
  await until(() => cancelled);
  const error = await rejection((async () => { for (;;) if ((await stream.next()).done) throw new Error('no error'); })());
  assert.equal(error.code, 'PROTOCOL_ERROR');
});

test('random bytes, and random changes of good ones', async (t) => {
  let seed = 42;
  const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return Math.floor(seed / 65536) % n; };
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.type !== 'request') return;
    const bytes = Buffer.from(responseTo(message, { data: { a: [1, 2, 3], b: 'text' }, metadata: { more: false } }));
    for (let i = random(4); i > 0; i--) bytes[random(bytes.length - 1)] = random(256);
    socket.write(bytes);
    socket.write(responseTo(message, { data: 'last' }));
  });
  const wrong = new Set();
  for (let i = 0; i < 2000; i++) {
    const outcome = await service.$with({ timeout: 5000 }).one().then(() => 'fine', (error) => (error instanceof IpcError ? error.code : String(error)));
    if (!['fine', 'CONNECTION_LOST', 'INTERNAL', 'PROTOCOL_ERROR'].includes(outcome)) wrong.add(outcome);
  }
  assert.deepEqual([...wrong], []);
});

test('a rejection that nobody handles is as Node has it', async () => {
  const w = world();
  w.write('nobody.mjs', `
    import { connect } from '@ekkojs/ipc';
    const service = await connect('unix:${path.join(w.runtime, 'nobody.sock')}', { retries: 0 });
    service.call();
  `);
  const ended = await w.run('nobody.mjs').ended;
  assert.equal(ended.code, 1);
  // Deno shows no more than the message.
  assert.match(ended.stderr, tested.kind === 'deno' ? /nobody serves/ : /SERVICE_UNAVAILABLE/);
});
