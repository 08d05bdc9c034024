// A client against the real service in Go.
import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { IpcError, connect } from '../index.js';
import { manifestOf, rejection, until, world } from './world.js';

const w = world();
w.write('database-service.ekko.ipc.json', manifestOf('database-service'));
w.write('notification-service.ekko.ipc.json', manifestOf('notification-service'));
process.chdir(w.dir);

let service;
let database;
before(async () => {
  database = await w.start(await w.built('database-service'), []).said('ready');
  service = await connect('database-service');
});

const someone = () => ({ name: 'Grace', email: `grace${Math.random()}@example.com` });

test('a call, and its error', async () => {
  assert.deepEqual(await service.getUserById(123), { id: 123, name: 'Ada Lovelace', email: 'ada@example.com' });
  const error = await rejection(service.getUserById(7));
  assert.ok(error instanceof IpcError);
  assert.equal(error.code, 'NOT_FOUND');
  assert.equal(error.executed, 'no');
  assert.equal(error.retryable, false);
  assert.equal(error.service, 'database-service');
  assert.equal(error.method, 'getUserById');
});

test("an error's stack has the caller's line, and none of the library's", async () => {
  async function caller() { await service.getUserById(7); }
  const { stack } = await rejection(caller());
  assert.match(stack, /client\.test\.js/);
  assert.match(stack, /caller/);
  assert.doesNotMatch(stack, /js\/(proxy|link|error)\.js/);
});

test('wrong arguments are the service\'s to refuse, misspelt methods are named', async () => {
  const wrong = await rejection(service.getUserById('ada'));
  assert.equal(wrong.code, 'SCHEMA_MISMATCH');
  assert.equal(wrong.details.path, '/id');
  const missing = await rejection(service.getUserByID(1));
  assert.equal(missing.code, 'METHOD_NOT_FOUND');
  assert.match(missing.message, /did you mean "getUserById"/);
});

test('the object of a service', () => {
  assert.deepEqual(Object.keys(service), ['getUserById', 'createUser', 'exportUsers']);
  assert.equal(service.getUserById, service.getUserById);
  assert.equal(service.anything, service.anything);
  assert.equal(service.then, undefined);
  assert.equal(service.toJSON, undefined);
  assert.equal(JSON.stringify(service), '{}');
  assert.equal(service.$manifest.service.name, 'database-service');
  assert.match(service.$address, /^unix:.*ekko-db-service\.sock$/);
  assert.equal(typeof service.$nothing, 'undefined');
});

test('a thousand calls at once are answered each', async () => {
  const answers = await Promise.all(Array.from({ length: 3000 }, (_, i) => service.$call('ipc.ping', i)));
  assert.deepEqual(answers, Array.from({ length: 3000 }, (_, i) => [i]));
});

test('a batch', async () => {
  const [good, bad] = await service.$batch([['getUserById', 123], ['getUserById', 7]]);
  assert.equal(good.value.name, 'Ada Lovelace');
  assert.equal(bad.reason.code, 'NOT_FOUND');
});

test('an aborted call ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const calls = [service.$with({ signal: controller.signal }).getUserById(123), service.$with({ signal: AbortSignal.abort('early') }).getUserById(123)];
  controller.abort(new Error('enough'));
  assert.equal((await rejection(calls[0])).message, 'enough');
  assert.equal(await rejection(calls[1]), 'early');
  assert.equal((await service.getUserById(123)).id, 123);
});

test('wrong options throw', () => {
  for (const bad of [5, null, { timeout: -1 }, { timeout: '1' }, { signal: 5 }, { other: 1 }, { idempotencyKey: 5 }]) assert.throws(() => service.$with(bad), TypeError);
  assert.throws(() => service.$with({ idempotencyKey: '' }), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => service.subscribe('user.c*', () => {}), { code: 'INVALID_PATTERN' });
  assert.throws(() => service.subscribe('user.*'), TypeError);
  assert.throws(() => service.on('user.*', { limit: 0 }), TypeError);
  assert.throws(() => service.on('user.*', { overflow: 'burst' }), TypeError);
  assert.throws(() => service.publish('no such name', 1), { code: 'INVALID_NAME' });
});

test('a key makes a call one, however often it is made', async () => {
  const once = service.$with({ idempotencyKey: `k${Math.random()}` });
  const user = someone();
  assert.deepEqual(await once.createUser(user), await once.createUser(user));
  assert.equal((await rejection(once.createUser(someone()))).code, 'CONFLICT');
});

test('events for a listener, and for a loop', async () => {
  const heard = [];
  const stop = service.subscribe('user.created', (data, event) => heard.push([data.id, event.channel, event.data.id]));
  const loop = service.on('user.*');
  const first = loop.next();
  await service.$call('ipc.ping'); // both subscriptions stand
  const { id } = await service.createUser(someone());
  const { value } = await first;
  assert.equal(value.channel, 'user.created');
  assert.equal(value.data.id, id);
  await until(() => heard.length > 0);
  assert.deepEqual(heard, [[id, 'user.created', id]]);
  stop();
  await loop.return();
  await service.createUser(someone());
  await service.$call('ipc.ping');
  assert.equal(heard.length, 1);
  assert.deepEqual(await loop.next(), { value: undefined, done: true });
  assert.equal((await service.$call('ipc.who')).length, 0);
});

test('a listener that throws stops neither the others nor the socket', async () => {
  // In a program of its own, since it may be a test's runner that catches first.
  w.write('throws.mjs', `
    import service from 'ipc:database-service';
    const heard = (...words) => { console.log(...words); if (++count === 2) process.exit(); };
    let count = 0;
    process.on('uncaughtException', (error) => heard('uncaught', error.message));
    service.subscribe('user.created', () => { throw new Error('mine'); });
    service.subscribe('user.created', ({ name }) => heard('heard', name));
    await service.createUser(${JSON.stringify(someone())});
  `);
  const { stdout, stderr } = await w.run('throws.mjs').ended;
  assert.deepEqual(stdout.split('\n').sort(), ['', 'heard Grace', 'uncaught mine'], stderr);
});

test('a loop that is too slow loses the oldest, and is told', async () => {
  const loop = service.on('user.created', { limit: 2 });
  loop.next().catch(() => {}); // takes the first
  await service.$call('ipc.ping');
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await service.createUser(someone())).id);
  await service.$call('ipc.ping');
  assert.equal(loop.dropped, 2);
  const { value } = await loop.next();
  assert.equal(value.data.id, ids[3]);
  assert.equal(value.gap.count, 2);
  assert.equal(value.gap.reason, 'slow-consumer');
  await loop.return();
});

test('a loop that must not lose anything ends', async () => {
  const loop = service.on('user.created', { limit: 1, overflow: 'error' });
  await service.$call('ipc.ping');
  for (let i = 0; i < 3; i++) await service.createUser(someone());
  await service.$call('ipc.ping');
  assert.equal((await loop.next()).done, false);
  assert.equal((await rejection(loop.next())).code, 'SLOW_CONSUMER');
});

test('an aborted loop rejects with the reason', async () => {
  const controller = new AbortController();
  const loop = service.on('user.created', { signal: controller.signal });
  const waiting = loop.next();
  controller.abort(new Error('enough'));
  assert.equal((await rejection(waiting)).message, 'enough');
  assert.equal((await loop.next()).done, true);
});

test('a subscription that the service refuses is told of', async () => {
  const { promise, resolve } = withResolvers();
  service.subscribe('user.craeted', () => {}, { onError: resolve });
  const error = await promise;
  assert.equal(error.code, 'CHANNEL_NOT_FOUND');
  assert.match(error.stack, /client\.test\.js/);
  assert.equal((await rejection(service.on('nothing').next())).code, 'CHANNEL_NOT_FOUND');
});

test('a method that streams', async () => {
  const names = [];
  for await (const user of service.exportUsers()) names.push(user.name);
  assert.equal(names[0], 'Ada Lovelace');
  assert.ok(names.length > 5);
  for await (const user of service.exportUsers()) {
    assert.equal(user.id, 123);
    break;
  }
  assert.equal((await rejection(service.$with({ signal: AbortSignal.abort('no') }).exportUsers().next())), 'no');
  const both = await rejection(service.$call('getUserById', (async function* none() {})()));
  assert.equal(both.code, 'SCHEMA_MISMATCH'); // the method takes no stream, and its argument is missing
});

test('publishing, with a receipt and without', async () => {
  const loop = service.on('user.updated');
  const next = loop.next();
  await service.$call('ipc.ping');
  assert.equal(service.publish('user.updated', { id: 1, changes: {}, timestamp: '' }), undefined);
  assert.equal((await next).value.data.id, 1);
  const receipt = await service.publish('user.updated', { id: 2, changes: {}, timestamp: '' }, { confirm: true });
  assert.equal(receipt.receivers, 1);
  assert.equal((await rejection(service.publish('user.updated', { id: 'x' }, { confirm: true }))).code, 'SCHEMA_MISMATCH');
  await loop.return();
});

test('a service that is killed: calls reject, and subscriptions come back', async () => {
  const loop = service.on('user.created');
  await service.$call('ipc.ping');
  // A request that the service has, and cannot have answered.
  const stopped = new Promise((resolve) => { database.signal('SIGSTOP'); setImmediate(resolve); });
  await stopped;
  const calls = [rejection(service.getUserById(123)), rejection(service.exportUsers().next())];
  await database.kill('SIGKILL');
  const error = await calls[0];
  assert.equal(error.code, 'CONNECTION_LOST');
  assert.equal(error.executed, 'maybe');
  assert.equal((await calls[1]).code, 'CONNECTION_LOST');
  // Lost, where the socket took a connection while its process ended.
  assert.match((await rejection(service.$with({ timeout: 200 }).getUserById(123))).code, /^(SERVICE_UNAVAILABLE|CONNECTION_LOST)$/);
  database = await w.start(await w.built('database-service'), []).said('ready');
  assert.equal((await service.getUserById(123)).id, 123);
  await until(async () => (await service.$call('ipc.who')).length === 1);
  const { id } = await service.createUser(someone());
  const { value } = await loop.next();
  assert.equal(value.data.id, id);
  assert.equal(value.gap.reason, 'restarted');
  await loop.return();
});

test('an idempotent call survives a killed service', async () => {
  const call = service.createUser(someone());
  await database.kill('SIGKILL');
  const outcome = call.then((user) => user.id > 0, (error) => ['CONNECTION_LOST', 'SERVICE_UNAVAILABLE'].includes(error.code));
  assert.equal(await outcome, true);
  database = await w.start(await w.built('database-service'), []).said('ready');
});

test('a service that goes in good order leaves no call in doubt', async () => {
  await service.$call('ipc.ping'); // it has been reached, and not only its socket
  const calls = Array.from({ length: 200 }, () => service.getUserById(123));
  const ended = database.kill('SIGTERM');
  for (const outcome of await Promise.allSettled(calls)) {
    assert.ok(outcome.status === 'fulfilled' || outcome.reason.executed === 'no', outcome.reason?.code);
  }
  assert.equal((await ended).code, 0);
  database = await w.start(await w.built('database-service'), []).said('ready');
});

test('what is closed is closed', async () => {
  const other = await connect('database-service', { timeout: 1000 });
  assert.equal((await other.getUserById(123)).id, 123);
  const loop = other.on('user.*');
  const next = loop.next();
  other.$close();
  assert.deepEqual(await next, { value: undefined, done: true });
  assert.equal((await rejection(other.getUserById(123))).code, 'CONNECTION_LOST');
  assert.equal((await service.getUserById(123)).id, 123);
  service.$close();
});

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}
