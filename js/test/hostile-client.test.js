// Clients that do harm, and handlers that do odd things: the service goes on,
// answers everybody else, and holds no more than it may.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { IpcError, connect, serve } from '../index.js';
import { FrameReader } from '../frame.js';
import { rejection, root, until, world } from './world.js';

const w = world();
let count = 0;

// attack serves handlers, or a manifest, and gives a good client and raw ones.
async function attack(t, methods, options = {}) {
  const at = path.join(w.runtime, `a${++count}.sock`);
  const { manifest, ...rest } = options;
  const served = manifest === undefined ? serve('victim', methods, { address: `unix:${at}`, ...rest }) : serve({ manifest, methods, address: `unix:${at}`, ...rest });
  const service = await served;
  const good = await connect(`unix:${at}`, { retries: 0 });
  const raws = [];
  const raw = () => {
    const socket = net.connect(at);
    const frames = [];
    const reader = new FrameReader((text) => frames.push(JSON.parse(text)), { framing: 'line' });
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => {});
    raws.push(socket);
    const ended = new Promise((resolve) => { socket.on('close', resolve); });
    return { socket, frames, ended, say: (...messages) => socket.write(messages.map((message) => `${typeof message === 'string' ? message : JSON.stringify(message)}\n`).join('')) };
  };
  t.after(async () => {
    for (const socket of raws) socket.destroy();
    good.$close();
    await service.close();
  });
  return { at, service, good, raw };
}

const answerTo = async ({ frames }, id) => {
  await until(() => frames.some(({ correlationId }) => correlationId === id));
  return frames.find(({ correlationId }) => correlationId === id);
};

test('J5: names of the language as methods, arguments, events, ids and groups', async (t) => {
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const { good, raw } = await attack(t, { echo: (value) => value });
  const client = raw();
  const names = ['__proto__', 'constructor', 'prototype', 'then', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'toJSON'];
  for (const name of names) {
    client.say({ type: 'request', messageId: `m-${name}`, action: name }, { type: 'request', messageId: `i-${name}`, channel: `ipc.${name}` });
    assert.equal((await answerTo(client, `m-${name}`)).error.code, 'METHOD_NOT_FOUND', name);
    assert.equal((await answerTo(client, `i-${name}`)).error.code, 'METHOD_NOT_FOUND', name);
    client.say(`{"type":"request","messageId":"${name}","action":"echo","data":[{"${name}":{"polluted":1}}]}`);
    assert.deepEqual(Object.keys((await answerTo(client, name)).data), [name]);
    client.say({ type: 'subscribe', messageId: `s-${name}`, channel: name, data: { subscription: name } });
    client.say(`{"type":"event","messageId":"e-${name}","channel":"events.${name}","data":{"${name}":1},"metadata":{"confirm":true,"${name}":{"polluted":1}}}`);
    assert.equal((await answerTo(client, `e-${name}`)).data.receivers, 1);
    client.say({ type: 'subscribe', messageId: `f-${name}`, channel: name, data: { filter: `${name} == 1`, from: { streams: JSON.parse(`{"${name}":{"epoch":"x","seq":1}}`) } } });
    assert.ok((await answerTo(client, `f-${name}`)).data.from, name);
    client.say({ type: 'event', channel: 'ipc.cancel', correlationId: name }, { type: 'event', channel: 'ipc.stream', correlationId: name, data: 1 }, { type: 'response', correlationId: name, data: 1 });
  }
  client.say('{"type":"request","messageId":"p","action":"echo","__proto__":{"action":"nothing"},"metadata":{"__proto__":{"timeoutMs":1}}}');
  assert.equal((await answerTo(client, 'p')).data, null);
  assert.deepEqual(await good.echo({ fine: true }), { fine: true });
  assert.equal({}.polluted, undefined);
  assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
});

test('J5: names of the language as handlers, arguments and types of a manifest', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'then'];
  const own = (make) => Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, { value: make(name), enumerable: true }])));
  const table = (value) => `{${names.map((name) => `"${name}":${value}`).join(',')}}`;
  const manifest = JSON.parse(`{"service":{"name":"victim"},"methods":${table('{"parameters":[{"name":"__proto__","type":"constructor"}],"returns":{"type":"constructor"}}')},"events":${table('{"schema":"constructor"}')},"types":{"constructor":{"__proto__":"number","toString":"string?"}}}`);
  const { good, service } = await attack(t, own((name) => (value) => ({ ...value, toString: name })), { manifest });
  const value = JSON.parse('{"__proto__":5}');
  for (const name of names) {
    const answer = await good.$call(name, value);
    assert.equal(answer.toString, name);
    assert.equal((await rejection(good.$call(name, {}))).details.path, '/__proto__/__proto__', name);
    assert.equal((await service.publish(name, value, { confirm: true })).seq, 1);
    assert.equal((await rejection(service.publish(name, {}, { confirm: true }))).code, 'SCHEMA_MISMATCH', name);
  }
});

test('what is no message, in every kind, ends in an answer or the end of the connection', async (t) => {
  const { good, raw } = await attack(t, { echo: (value) => value });
  const wrong = [undefined, null, true, 0, -1, 1.5, 1e308, '', 'x', '\u0000', [], [[]], {}, { a: 1 }];
  const fields = ['type', 'messageId', 'channel', 'action', 'correlationId', 'data', 'error', 'metadata', 'timestamp'];
  const metas = ['timeoutMs', 'credit', 'idempotencyKey', 'subscription', 'confirm', 'more', 'gap', 'seq', 'epoch', 'stream'];
  const kinds = ['request', 'subscribe', 'unsubscribe', 'event', 'response', 'REQUEST', 'nothing'];
  for (const type of kinds) {
    for (const field of [...fields, ...metas]) {
      const client = raw();
      for (const value of wrong) {
        const message = { type, messageId: 'an-id-of-its-own', channel: type === 'request' ? undefined : 'x', action: type === 'request' ? 'echo' : undefined };
        if (metas.includes(field)) message.metadata = { [field]: value };
        else message[field] = value;
        client.say(message);
      }
      client.socket.end();
      await client.ended;
    }
  }
  for (const options of [5, [], { from: {} }, { from: { time: 'x' } }, { from: { streams: 5 } }, { from: { streams: { x: 5 } } }, { from: { epoch: 'x', seq: 1e300 } }, { filter: 5 }, { filter: '('.repeat(1000) }, { group: {} }, { group: 'a b' }, { durable: 5 }, { credit: -1 }, { credit: 'x' }, { limit: 0.5 }, { ackWaitMs: 1e12 }, { onSlow: 5 }, { window: -1 }, { window: 2 ** 40 }, { plain: 5 }, { subscription: '' }]) {
    const client = raw();
    client.say({ type: 'subscribe', messageId: 'wrong', channel: 'x', data: options });
    assert.equal((await answerTo(client, 'wrong')).error?.code, 'INVALID_ARGUMENT', JSON.stringify(options));
  }
  for (const verb of ['ack', 'nak', 'reject', 'messages', 'purge', 'redrive', 'forget', 'will', 'hello']) {
    const client = raw();
    for (const [i, data] of [5, 'x', [[]], {}, { subscription: 5 }, { subscription: 'x', seqs: 'x' }, { subscription: 'x', seqs: [{}] }, { channel: {} }, { channel: 'x', seqs: 5 }, { event: {} }, { versions: {} }].entries()) client.say({ type: 'request', messageId: `${verb}-${i}`, channel: `ipc.${verb}`, data });
    for (let i = 0; i < 11; i++) await answerTo(client, `${verb}-${i}`);
  }
  assert.equal(await good.echo('well'), 'well');
  await until(async () => (await good.$call('ipc.stats')).connections < 40);
});

test('random bytes, and random changes of good messages', async (t) => {
  const { good, raw } = await attack(t, { echo: (value) => value });
  let seed = 42;
  const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % n; };
  const models = [
    '{"type":"request","messageId":"an-id-0001","action":"echo","data":[1,"x",{"a":null}]}\n', '{"type":"subscribe","messageId":"an-id-0002","channel":"user.*","data":{"from":"first","filter":"a > 1"}}\n',
    '{"type":"event","channel":"events.user.created","data":{"id":1},"metadata":{"confirm":true}}\n', '[{"type":"request","messageId":"an-id-0003","channel":"ipc.ping"}]\n',
  ];
  for (let round = 0; round < 300; round++) {
    const { socket, ended } = raw();
    for (let i = 0; i < 20; i++) {
      const bytes = round % 5 === 0 ? Buffer.from(Array.from({ length: 40 }, () => random(256))) : Buffer.from(models[random(models.length)]);
      for (let change = random(4); change > 0; change--) bytes[random(bytes.length)] = random(256);
      socket.write(bytes);
    }
    socket.end();
    await ended;
  }
  assert.equal(await good.echo('well'), 'well');
});

test('a message without end, one that is too long, and one that is too deep', async (t) => {
  const { good, raw } = await attack(t, { echo: (value) => value }, { maxFrame: 65_536 });
  const long = raw();
  long.socket.write(`{"type":"request","data":"${'x'.repeat(1 << 20)}`);
  await long.ended;
  assert.equal(long.frames[0].error.code, 'MESSAGE_TOO_LARGE');
  const lying = raw();
  lying.socket.write(Buffer.from([255, 255, 255, 0, 123]));
  await lying.ended;
  const deep = raw();
  deep.say(`{"type":"request","messageId":"deep","action":"echo","data":${'['.repeat(1000)}${']'.repeat(1000)}}`);
  assert.equal((await answerTo(deep, 'deep')).error.code, 'MESSAGE_TOO_LARGE');
  assert.equal(await good.echo('well'), 'well');
});

test('a client that asks and does not read is not answered faster than it reads', async (t) => {
  const text = 'x'.repeat(100_000);
  const made = { answers: 0, items: 0 };
  const { good, raw } = await attack(t, {
    text() { made.answers++; return text; },
    async later() { made.answers++; return text; },
    * items() { for (;;) { made.items++; yield text; } },
  }, { manifest: { service: { name: 'victim' }, methods: { text: {}, later: {}, items: { stream: 'server' } } } });
  const [deaf, streaming] = [raw(), raw()];
  for (const { socket } of [deaf, streaming]) socket.pause();
  for (let i = 0; i < 1000; i++) deaf.say({ type: 'request', messageId: `an-id-${i}`, action: i % 2 === 0 ? 'text' : 'later' });
  streaming.say({ type: 'request', messageId: 'a-stream-00', action: 'items' });
  await until(() => made.answers > 0 && made.items > 0);
  for (let i = 0; i < 100; i++) await good.$call('ipc.ping');
  // What the kernel takes, what may wait, and what was under way.
  assert.ok(made.answers < 100, `${made.answers} answers were made`);
  assert.ok(made.items < 100, `${made.items} items were made`);
  deaf.socket.resume();
  await until(() => deaf.frames.length === 1000);
  assert.equal(made.answers, 1000);
  streaming.socket.destroy();
  await until(async () => (await good.$call('ipc.stats')).running === 0);
});

test('many long answers at once all come to one who reads', async (t) => {
  const text = 'x'.repeat(100_000);
  let release;
  const together = new Promise((resolve) => { release = resolve; });
  const { good } = await attack(t, { text: () => text, later: () => together.then(() => text), ready: () => release() });
  const texts = Array.from({ length: 300 }, () => good.text());
  assert.ok((await Promise.all(texts)).every((each) => each === text));
  const laters = Array.from({ length: 300 }, () => good.later());
  await good.ready();
  assert.ok((await Promise.all(laters)).every((each) => each === text));
});

test('subscribers that never read cost no more than they may, and nobody else anything', async (t) => {
  const manifest = { service: { name: 'victim' }, events: { tick: {}, alarm: {} }, channels: { alarms: { events: ['alarm'], onSlow: 'disconnect' }, kept: { events: ['tick'], retention: { maxMessages: 100 } } } };
  const { good, raw, service } = await attack(t, {}, { manifest, maxHeld: 4 << 20 });
  const deaf = Array.from({ length: 8 }, raw);
  for (const [i, client] of deaf.entries()) {
    client.say({ type: 'subscribe', messageId: 'subscribing', channel: 'tick', data: i % 2 === 0 ? {} : { subscription: 'own', filter: 'n >= 0' } }, { type: 'subscribe', messageId: 'subscribing', channel: 'alarm' });
    await answerTo(client, 'subscribing');
    client.socket.pause();
  }
  const text = 'x'.repeat(10_000);
  let heard = 0;
  const stream = good.on('tick', { limit: 100_000 });
  await until(async () => (await good.$call('ipc.stats')).subscriptions === 17);
  for (let n = 0; n < 3000; n++) {
    service.publish('tick', { n, text });
    if (n % 50 !== 49) continue;
    while (heard <= n) {
      const { value } = await stream.next();
      heard = value.data.n + 1;
    }
  }
  const who = await good.$call('ipc.who');
  const queued = who.filter(({ pattern }) => pattern === 'tick').reduce((sum, each) => sum + each.queued, 0);
  assert.ok(queued * 10_000 <= 4 << 20, `${queued} events wait`);
  assert.ok(who.some(({ dropped }) => dropped > 0));
  assert.equal(stream.dropped, 0);
});

test('an answer of ipc that fits into no frame is refused', async (t) => {
  const { raw, good } = await attack(t, {}, { maxFrame: 4096 });
  const client = raw();
  for (let i = 0; i < 100; i++) client.say({ type: 'subscribe', messageId: `subscribing-${i}`, channel: `a.${i}`, data: { subscription: `s${i}` } });
  await answerTo(client, 'subscribing-99');
  const error = await rejection(good.$call('ipc.who'));
  assert.deepEqual([error.code, error.executed], ['MESSAGE_TOO_LARGE', 'no']);
});

test('one that is cut off while others are told leaves nothing behind', async (t) => {
  const manifest = { service: { name: 'victim' }, events: { tick: {} }, methods: {} };
  const { raw, good, service } = await attack(t, {}, { manifest, maxHeld: 300_000 });
  const clients = Array.from({ length: 6 }, raw);
  for (const client of clients) {
    client.say({ type: 'subscribe', messageId: 'subscribing', channel: 'tick', data: { onSlow: 'disconnect', subscription: 'own' } });
    await answerTo(client, 'subscribing');
    client.socket.pause();
  }
  const text = 'x'.repeat(50_000);
  for (let i = 0; i < 200; i++) service.publish('tick', { i, text });
  assert.equal((await good.$call('ipc.stats')).subscriptions, 0);
  for (const client of clients) {
    client.socket.resume();
    assert.equal((await answerTo(client, 'own')).error.code, 'SLOW_CONSUMER');
  }
  // What those held is free: who comes now has room.
  const stream = good.on('tick', { limit: 1000 });
  await good.$call('ipc.ping');
  for (let i = 0; i < 8; i++) service.publish('tick', { i, text });
  for (let i = 0; i < 8; i++) assert.equal((await stream.next()).value.data.i, i);
});

test('J5: a handler that throws odd things is answered for, and named here', async (t) => {
  const evil = {
    getter: { get code() { throw new Error('no code'); } },
    message: { get message() { throw new Error('no message'); } },
    details: { code: 'APP_X', get details() { throw new Error('no details'); } },
    proxy: new Proxy({}, { get() { throw new Error('nothing'); }, getPrototypeOf() { throw new Error('nobody'); } }),
    text: { code: 'APP_X', message: { toString() { throw new Error('no text'); } } },
    none: null, nothing: undefined, symbol: Symbol('odd'), number: 5, bigint: 5n, bare: Object.create(null), fn: () => {},
    circular: Object.assign(new IpcError('APP_LOOP', 'round'), { details: (() => { const d = { executed: 'yes' }; d.self = d; return d; })() }),
    big: Object.assign(new IpcError('APP_BIG', 'x'.repeat(3_000_000)), {}),
    deep: new IpcError('APP_DEEP', 'deep', { details: { n: 5n } }),
  };
  const errors = t.mock.method(console, 'error', () => {});
  const { good } = await attack(t, {
    sync(name) { throw evil[name]; },
    async reject(name) { throw evil[name]; },
    well: () => 'well',
  });
  for (const name of Object.keys(evil)) {
    for (const method of ['sync', 'reject']) {
      const { code } = await rejection(good[method](name));
      assert.match(code, /^(HANDLER_FAILED|APP_[A-Z]+|MESSAGE_TOO_LARGE)$/, `${method} ${name}`);
    }
  }
  assert.equal(await good.well(), 'well');
  assert.ok(errors.mock.callCount() >= 20);
});

test('a result that cannot be written is an error of the handler', async (t) => {
  const loop = {};
  loop.self = loop;
  const results = {
    bigint: 5n, loop, throwing: { toJSON() { throw new Error('no'); } }, getter: { get a() { throw new Error('no'); } },
    thenable: { then() { throw new Error('no'); } }, thenGetter: { get then() { throw new Error('no'); } }, proxy: new Proxy({}, { ownKeys() { throw new Error('no'); } }), surrogate: '\ud800',
  };
  t.mock.method(console, 'error', () => {});
  const { good, service } = await attack(t, { give: (name) => results[name], async later(name) { return { result: results[name] }; }, well: () => 'well' });
  for (const name of Object.keys(results)) {
    const outcomes = await Promise.allSettled([good.give(name), good.later(name)]);
    for (const { status, reason, value } of outcomes) if (status === 'rejected') assert.equal(reason.code, 'HANDLER_FAILED', name); else assert.notEqual(value, undefined, name);
  }
  for (const [name, value] of [['bigint', 5n], ['loop', loop], ['throwing', results.throwing]]) assert.throws(() => service.publish('x', value), Error, name);
  assert.equal(await good.well(), 'well');
});

test('a generator that misbehaves ends its stream, and that alone', async (t) => {
  t.mock.method(console, 'error', () => {});
  const manifest = { service: { name: 'victim' }, methods: { stream: { stream: 'server', parameters: [{ name: 'kind', type: 'string' }] }, well: {} } };
  const kinds = {
    throws: function* kind() { yield 1; throw new Error('no'); }, odd: function* kind() { yield 1; throw null; }, unwritable: function* kind() { yield 5n; },
    none: () => 5, nothing: () => undefined, iterator: () => ({ [Symbol.asyncIterator]() { throw new Error('no'); } }), next: () => ({ [Symbol.iterator]: () => ({ next() { throw new Error('no'); } }) }),
    wrong: () => ({ [Symbol.iterator]: () => ({ next: () => 5 }) }), returns: () => ({ [Symbol.iterator]: () => ({ next: () => ({ value: 5n }), return() { throw new Error('no'); } }) }),
    rejects: () => ({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 5n }), return: async () => { throw new Error('no'); } }) }),
  };
  const { good, raw } = await attack(t, { stream: (kind) => kinds[kind](), well: () => 'well' }, { manifest });
  for (const kind of Object.keys(kinds)) {
    const client = raw();
    client.say({ type: 'request', messageId: 'a-stream-00', action: 'stream', data: [kind] });
    await until(() => client.frames.some(({ metadata }) => metadata?.more !== true));
    assert.equal(client.frames.at(-1).error?.code, 'HANDLER_FAILED', kind);
  }
  assert.equal(await good.well(), 'well');
});

test('a service that is killed in the midst of calls leaves a path that the next one takes', async () => {
  const file = w.write('slow.mjs', `import { serve } from ${JSON.stringify(path.join(root, 'js/index.js'))};
    const service = await serve('slow', { wait() { service.publish('begun', 1); return new Promise(() => {}); }, add: (a, b) => a + b });
    console.log('ready');`);
  const first = w.run(file);
  await first.said('ready');
  const client = await connect(`unix:${path.join(w.runtime, 'slow.sock')}`, { retries: 0 });
  const begun = client.on('begun');
  await client.add(1, 2);
  await client.$call('ipc.ping');
  const calls = [client.wait(), client.wait()].map(rejection);
  await begun.next();
  await first.kill('SIGKILL');
  for (const error of await Promise.all(calls)) assert.deepEqual([error.code, error.executed], ['CONNECTION_LOST', 'maybe']);
  const second = w.run(file);
  await second.said('ready');
  await until(async () => (await client.add(1, 2).catch(() => 0)) === 3);
  client.$close();
  await second.kill('SIGTERM');
});

test('a client that is called back may lie, be silent, or leave', async (t) => {
  const { raw, good } = await attack(t, {
    ask(...args) { return this.client.$call('advise', ...args); },
    async hurry() { return this.client.$call('advise').catch(({ code }) => code); },
    async twice() { return Promise.all([this.client.$call('one'), this.client.$call('two')]); },
    async wrong() { return this.client.$call('not a name').catch(({ code }) => code); },
  });
  const client = raw();
  const asked = async (action) => {
    await until(() => client.frames.some((frame) => frame.type === 'request' && frame.action === action));
    const at = client.frames.findIndex((frame) => frame.type === 'request' && frame.action === action);
    return client.frames.splice(at, 1)[0];
  };
  client.say({ type: 'request', messageId: 'twice-00001', action: 'twice' });
  const [one, two] = [await asked('one'), await asked('two')];
  for (const correlationId of ['nobody', '__proto__', null]) client.say({ type: 'response', correlationId, data: 'a lie' });
  client.say({ type: 'response', correlationId: two.messageId, data: 2 }, { type: 'response', correlationId: two.messageId, data: 3 }, { type: 'response', correlationId: one.messageId, data: 1 });
  assert.deepEqual((await answerTo(client, 'twice-00001')).data, [1, 2]);
    client.say({ type: 'request', messageId: 'wrong-00001', action: 'wrong' });
  assert.equal((await answerTo(client, 'wrong-00001')).data, 'INVALID_NAME');
  // In its time: the call back has what is left of the call's.
  client.say({ type: 'request', messageId: 'hurry-00001', action: 'hurry', metadata: { timeoutMs: 20 } });
  const { messageId } = await asked('advise');
  await until(() => client.frames.some(({ channel, correlationId }) => channel === 'ipc.cancel' && correlationId === messageId));
  assert.equal((await answerTo(client, 'hurry-00001')).error?.code ?? 'DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED');
    client.say({ type: 'request', messageId: 'leave-00001', action: 'ask' });
  await asked('advise');
  client.socket.destroy();
  await until(async () => (await good.$call('ipc.stats')).running === 0);
});
