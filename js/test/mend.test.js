// What stood at a service when its connection was lost is brought back. Time
// passes here when the test says so, in Deno that of a test's timeout, too.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Clock } from './clock.js';
import { harm, responseTo } from './harm.js';
import { rejection, turns, until, world } from './world.js';

const { runtime } = world();
const clock = new Clock();

// passing lets time pass as long as something is under way.
async function passing(promise) {
  let over = false;
  const end = promise.then((value) => value, (error) => error).finally(() => { over = true; });
  while (!over) {
    for (let turn = 0; turn < 20 && !over; turn++) await turns(1);
    if (!over) clock.pass();
  }
  return end;
}

const place = { epoch: 'e1', seq: 1 };
const agree = (message) => responseTo(message, { data: { subscription: message.data?.subscription ?? 's1', from: place } });
const refuse = (message, error) => responseTo(message, { error });

test('a place that is taken is waited for, for a minute', async (t) => {
  const asked = [];
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.type !== 'subscribe') return socket.destroy();
    asked.push(performance.now());
    socket.write(asked.length === 1 ? agree(message) : refuse(message, { code: 'QUOTA_EXCEEDED', message: 'all is taken' }));
  });
  const next = service.on('a').next();
  await until(() => asked.length === 1);
  service.$notify('leave');
  const error = await passing(next);
  assert.equal(error.code, 'QUOTA_EXCEEDED');
  const patience = asked.at(-1) - asked[1];
  assert.ok(patience >= 60_000 && patience < 61_000, `it was asked for ${patience} ms`);
  assert.ok(asked.length > 4 && asked.length < 60, `it was asked ${asked.length} times`);
});

test('what the service does not want any more ends, and the others come back', async (t) => {
  const asked = [];
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.type !== 'subscribe') return socket.destroy();
    asked.push(message.channel);
    if (asked.length > 3 && message.channel === 'events.b') socket.write(refuse(message, { code: 'PERMISSION_DENIED', message: 'not you' }));
    else socket.write(agree(message));
  });
  const nexts = ['a', 'b', 'c'].map((name) => service.on(name).next());
  await until(() => asked.length === 3);
  service.$notify('leave');
  assert.equal((await passing(nexts[1])).code, 'PERMISSION_DENIED');
  await until(() => asked.length === 6);
  assert.deepEqual(asked.slice(3), ['events.a', 'events.b', 'events.c']);
});

test('a service that takes us and drops us at once is asked less and less often', async (t) => {
  const asked = [];
  const { service } = await harm(t, runtime, (socket, message) => {
    asked.push(performance.now());
    socket.end(agree(message));
  });
  const loop = service.on('a');
  const enough = until(() => asked.length === 20);
  await passing(enough);
  assert.ok(asked.at(-1) - asked[0] > 10_000, `twenty times within ${asked.at(-1) - asked[0]} ms`);
  await loop.return();
});

test('a will is left again by a new connection, and taken back by a goodbye', async (t) => {
  const heard = [];
  const { service } = await harm(t, runtime, (socket, message) => {
    heard.push(message);
    if (message.action === 'leave') return socket.destroy();
    socket.write(responseTo(message, { data: null }));
  });
  await service.$will('worker.gone', { name: 'one' });
  service.$notify('leave');
  await passing(until(() => heard.length === 3));
  assert.deepEqual(heard.map(({ channel, data }) => [channel, data]), [
    ['ipc.will', [{ event: 'worker.gone', data: { name: 'one' } }]], [undefined, undefined], ['ipc.will', [{ event: 'worker.gone', data: { name: 'one' } }]],
  ]);
  await service.$call('ipc.ping');
  service.$close();
  await until(() => heard.length === 5);
  assert.equal(heard[4].channel, 'ipc.goodbye');
});

test('a will that is taken back is not left again', async (t) => {
  const heard = [];
  const { service } = await harm(t, runtime, (socket, message) => {
    heard.push(message.channel ?? message.action);
    if (message.action === 'leave') return socket.destroy();
    socket.write(responseTo(message, { data: null }));
  });
  await service.$will('worker.gone', {});
  await service.$will(null);
  service.$notify('leave');
  await until(() => heard.length === 3);
  await until(() => service.$call('ipc.ping').then(() => true, () => false));
  assert.deepEqual(heard, ['ipc.will', 'ipc.will', 'leave', 'ipc.ping']);
});

test('a will that is refused is an error, and one that is refused later a warning', async (t) => {
  let count = 0;
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.action === 'leave') return socket.destroy();
    socket.write(++count === 2 ? responseTo(message, { data: null }) : refuse(message, { code: 'CHANNEL_NOT_FOUND', message: 'what?' }));
  });
  const error = await rejection((async () => { await service.$will('a', 1); })());
  assert.equal(error.code, 'CHANNEL_NOT_FOUND');
  assert.match(error.stack, /mend\.test\.js/);
  assert.equal((await rejection(service.$will('no name', 1))).code, 'INVALID_NAME');
  await service.$will('b', 1);
  const warned = new Promise((resolve) => { process.once('warning', resolve); });
  service.$notify('leave');
  const warning = await passing(warned);
  assert.equal(warning.code, 'CHANNEL_NOT_FOUND');
  assert.match(warning.message, /the will is not renewed/);
});

test('events that were published before the service has said what it keeps keep their order', async (t) => {
  const heard = [];
  let describe;
  const { service } = await harm(t, runtime, (socket, message) => {
    if (message.channel === 'ipc.describe') describe = () => socket.write(responseTo(message, { data: { channels: { kept: { events: ['kept.*'], persistent: true } } } }));
    else heard.push([message.channel, message.data, message.metadata?.confirm === true]);
    if (message.metadata?.confirm) socket.write(responseTo({ messageId: message.correlationId }, { data: { stream: 'kept', seq: 7 } }));
  });
  const first = service.publish('a', 1);
  const second = service.publish('kept.b', 2);
  await until(() => describe !== undefined);
  const third = service.publish('a', 3);
  describe();
  assert.deepEqual(await Promise.all([first, second, third]), [undefined, { stream: 'kept', seq: 7 }, undefined]);
  assert.equal(service.publish('a', 4), undefined);
  await until(() => heard.length === 4);
  assert.deepEqual(heard, [['events.a', 1, false], ['events.kept.b', 2, true], ['events.a', 3, false], ['events.a', 4, false]]);
});

test('an event for a service that is not there is a warning, or an error for who waits', async (t) => {
  const { service } = await harm(t, runtime, (socket) => socket.destroy());
  const warned = new Promise((resolve) => { process.once('warning', resolve); });
  service.publish('a', 1);
  const warning = await warned;
  assert.equal(warning.code, 'CONNECTION_LOST');
  assert.equal(warning.executed, 'no');
  assert.equal((await rejection(service.publish('a', 1))).code, 'CONNECTION_LOST');
});
