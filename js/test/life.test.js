// The life of a process, and the two snippets that began all this.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { before } from 'node:test';

import { connect } from '../index.js';
import { js, manifestOf, rejection, until, world } from './world.js';

const w = world();
const index = JSON.stringify(path.join(js, 'index.js'));
w.write('database-service.ekko.ipc.json', manifestOf('database-service'));

const notifications = JSON.parse(manifestOf('notification-service'));
delete notifications.channels; // a service in JavaScript keeps nothing
w.write('notification-service.ekko.ipc.json', notifications);

let events;
before(async () => {
  await w.start(await w.built('database-service'), []).said('ready');
  w.write('notify.mjs', `
    import { serve } from ${index};
    const service = await serve('notification-service', { notify() {}, recent: () => [] });
    service.subscribe('**', (data, { channel }) => console.log(channel, JSON.stringify(data)));
    console.log('ready');
  `);
  events = await w.node(['notify.mjs']).said('ready');
});

test('the first snippet, word for word', async () => {
  w.write('first.mjs', `
// EkkoJS Client
import service from 'ipc:database-service';
const result = await service.getUserById(123);
console.log(result);
`);
  const { code, stdout, stderr } = await w.node(['first.mjs']).ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Ada Lovelace/);
});

test('the second snippet, word for word: it publishes, and stays for what it hears', async () => {
  w.write('second.mjs', `
// EkkoJS Subscriber
import events from 'ipc:notification-service';
events.subscribe('user.created', (data) => {
    console.log('New user:', data);
});

// EkkoJS Publisher
events.publish('order.completed', { orderId: 456, total: 99.99 });
`);
  const app = w.node(['second.mjs']);
  await events.said('order.completed {"orderId":456,"total":99.99}');
  const service = await connect('notification-service');
  await until(async () => (await service.$call('ipc.who')).length === 1);
  service.publish('user.created', { id: 1, name: 'Grace' });
  await app.said("New user: { id: 1, name: 'Grace' }");
  service.$close();
  const { signal } = await app.kill('SIGINT');
  assert.equal(signal, 'SIGINT');
});

test('what was published last is delivered by a process that then ends', async () => {
  w.write('publish.mjs', `
    import events from 'ipc:notification-service';
    for (let orderId = 0; orderId < 5000; orderId++) events.publish('order.completed', { orderId, total: 1 });
  `);
  const { code, stderr } = await w.node(['publish.mjs']).ended;
  assert.equal(code, 0, stderr);
  await events.said('{"orderId":4999,"total":1}');
});

test('named imports, require, and what is imported twice is one', async () => {
  w.write('named.mjs', `
    import service, { getUserById } from 'ipc:database-service';
    import { createRequire } from 'node:module';
    const required = createRequire(import.meta.url)('ipc:database-service');
    const { connect } = await import(${index});
    console.log(required === service, (await connect('database-service')) === service, (await import('ipc:database-service')).default === service);
    console.log((await getUserById(123)).name, service.getUserById === getUserById);
  `);
  const { stdout, stderr } = await w.node(['named.mjs']).ended;
  assert.equal(stdout, 'true true true\nAda Lovelace true\n', stderr);
});

test('a worker thread', async () => {
  w.write('worker.mjs', `
    import { Worker, isMainThread } from 'node:worker_threads';
    import service from 'ipc:database-service';
    if (isMainThread) new Worker(new URL(import.meta.url));
    else console.log('in a worker', (await service.getUserById(123)).name);
  `);
  const { code, stdout, stderr } = await w.node(['worker.mjs']).ended;
  assert.equal(stdout, 'in a worker Ada Lovelace\n', stderr);
  assert.equal(code, 0);
});

test('an import of a service that is not there', async () => {
  w.write('missing.mjs', "import service from 'ipc:databse-service';\n");
  const { code, stderr } = await w.node(['missing.mjs']).ended;
  assert.equal(code, 1);
  assert.match(stderr, /cannot import 'ipc:databse-service': SERVICE_NOT_FOUND: .*did you mean "database-service"\?/);
  assert.match(stderr, /looked at:\n {2}.*: no match in/);
  assert.doesNotMatch(stderr, /registry\.js/);
});

test('a service that is down is an error of the call, and not of the import', async () => {
  w.write('down.ekko.ipc.json', { service: { name: 'down' } });
  w.write('down.mjs', "import service from 'ipc:down';\nawait service.anything().catch(({ code, executed }) => console.log(code, executed));\n");
  const { code, stdout } = await w.node(['down.mjs']).ended;
  assert.equal(stdout, 'SERVICE_UNAVAILABLE no\n');
  assert.equal(code, 0);
});

test('a subscription keeps a process, and its end lets it go', async () => {
  w.write('stays.mjs', `
    import events from 'ipc:notification-service';
    const stop = events.subscribe('user.created', (data) => { console.log(data.name); stop(); });
    console.log('listening', await events.$call('ipc.ping', 1));
  `);
  const app = await w.node(['stays.mjs']).said('listening');
  const service = await connect('notification-service');
  service.publish('user.created', { id: 2, name: 'Ada' });
  const { code, stdout } = await app.ended;
  assert.equal(code, 0);
  assert.match(stdout, /Ada/);
  service.$close();
});

test('a service ends in good order when its process is told to', async () => {
  w.write('slow.mjs', `
    import { serve } from ${index};
    await serve('slow', { async wait() { process.emit('waiting'); await new Promise((resolve) => setTimeout(resolve, 200)); return 'done'; } });
    process.on('waiting', () => console.log('waiting'));
    console.log('ready');
  `);
  const server = await w.node(['slow.mjs']).said('ready');
  const service = await connect('slow');
  const answer = service.wait();
  await server.said('waiting');
  const ended = server.kill('SIGTERM');
  await until(() => !fs.existsSync(path.join(w.runtime, 'slow.sock')));
  assert.equal((await rejection(service.$with({ timeout: 100 }).wait())).executed, 'no');
  assert.equal(await answer, 'done');
  assert.equal((await ended).signal, 'SIGTERM');
  assert.deepEqual(fs.readdirSync(w.runtime).filter((name) => name.startsWith('slow')), []);
});

test('a program that listens to signals itself is left to it', async () => {
  w.write('own.mjs', `
    import { serve } from ${index};
    process.on('SIGTERM', async () => { await service.close(); console.log('mine'); });
    const service = await serve('own', { nothing() {} });
    console.log('ready');
  `);
  const { code, stdout } = await (await w.node(['own.mjs']).said('ready')).kill('SIGTERM');
  assert.equal(code, 0);
  assert.match(stdout, /mine/);
});

test('an unref\'d service does not keep its process', async () => {
  w.write('unref.mjs', `import { serve } from ${index};\n(await serve('quiet', { nothing() {} })).unref();\nconsole.log('ends');\n`);
  const { code, stdout } = await w.node(['unref.mjs']).ended;
  assert.equal(code, 0);
  assert.equal(stdout, 'ends\n');
});

test('of two services at one address one is served, and a crash leaves it free', async () => {
  w.write('twice.mjs', `import { serve } from ${index};\nawait serve('twice', { pid: () => process.pid });\nconsole.log('ready');\n`);
  const first = await w.node(['twice.mjs']).said('ready');
  const second = await w.node(['twice.mjs']).ended;
  assert.match(second.stderr, /NAME_TAKEN/);
  await first.kill('SIGKILL');
  assert.ok(fs.existsSync(path.join(w.runtime, 'twice.sock')));
  const third = await w.node(['twice.mjs']).said('ready');
  const service = await connect('twice');
  assert.equal(await service.pid(), third.child.pid);
  assert.equal(fs.statSync(path.join(w.runtime, 'twice.sock')).mode & 0o777, 0o600);
  service.$close();
});

test('the command line tool calls a service in JavaScript', async () => {
  w.write('math.ekko.ipc.json', { service: { name: 'math' }, methods: { add: { parameters: [{ name: 'a', type: 'number' }, { name: 'b', type: 'number', default: 1 }], returns: { type: 'number' } }, count: { parameters: [{ name: 'to', type: 'integer' }], stream: 'server', returns: { type: 'integer' } } } });
  w.write('math.mjs', `import { serve } from ${index};\nawait serve('math', { add: (a, b) => a + b, async* count(to) { for (let i = 1; i <= to; i++) yield i; } });\nconsole.log('ready');\n`);
  await w.node(['math.mjs']).said('ready');
  const tool = await w.built('ekko-ipc');
  assert.equal((await w.start(tool, ['call', 'math.add', '2', '3']).ended).stdout, '5\n');
  assert.equal((await w.start(tool, ['call', 'math.add', '2']).ended).stdout, '3\n');
  assert.equal((await w.start(tool, ['call', 'math.count', '3']).ended).stdout, '1\n2\n3\n');
  const wrong = await w.start(tool, ['call', 'math.add', 'x']).ended;
  assert.match(wrong.stderr, /SCHEMA_MISMATCH/);
});
