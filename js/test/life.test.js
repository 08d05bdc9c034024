// The life of a program that calls, in the runtime that is tested, and the two
// snippets that began all this.
import assert from 'node:assert/strict';
import test, { before } from 'node:test';

import { connect } from '../index.js';
import { endedBy, manifestOf, runtime, until, world } from './world.js';

const w = world();
w.write('database-service.ekko.ipc.json', manifestOf('database-service'));

const notifications = JSON.parse(manifestOf('notification-service'));
delete notifications.channels; // a service in JavaScript keeps nothing
w.write('notification-service.ekko.ipc.json', notifications);

let events;
before(async () => {
  await w.start(await w.built('database-service'), []).said('ready');
  w.write('notify.mjs', `
    import { serve } from '@ekkojs/ipc';
    const service = await serve('notification-service', { notify() {}, recent: () => [] });
    service.subscribe('**', (data, { channel }) => console.log(channel, JSON.stringify(data)));
    console.log('ready');
  `);
  events = await w.run('notify.mjs').said('ready');
});

test('the first snippet, word for word', async () => {
  w.write('first.mjs', `
// EkkoJS Client
import service from 'ipc:database-service';
const result = await service.getUserById(123);
console.log(result);
`);
  const { code, stdout, stderr } = await w.run('first.mjs').ended;
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
  const app = w.run('second.mjs');
  await events.said('order.completed {"orderId":456,"total":99.99}');
  const service = await connect('notification-service');
  await until(async () => (await service.$call('ipc.who')).some(({ pattern }) => pattern === 'user.created'));
  service.publish('user.created', { id: 1, name: 'Grace' });
  await app.said(/New user: \{\s+id: 1,\s+name: ["']Grace["'],?\s+\}/);
  service.$close();
  assert.ok(endedBy('SIGINT', await app.kill('SIGINT')));
});

test('what was published last is delivered by a process that then ends', async () => {
  w.write('publish.mjs', `
    import events from 'ipc:notification-service';
    for (let orderId = 0; orderId < 5000; orderId++) events.publish('order.completed', { orderId, total: 1 });
  `);
  const { code, stderr } = await w.run('publish.mjs').ended;
  assert.equal(code, 0, stderr);
  await events.said('{"orderId":4999,"total":1}');
});

test('a will is carried out when its process is killed, and not after a goodbye', async () => {
  w.write('will.mjs', `
    import events from 'ipc:notification-service';
    const [orderId, ending] = process.argv.slice(2);
    await events.$will('order.completed', { orderId: Number(orderId), total: 0 });
    if (ending === 'close') events.$close();
    else setInterval(() => {}, 1000);
    console.log('left');
  `);
  assert.equal((await w.run('will.mjs', ['7001', 'close']).ended).code, 0);
  await (await w.run('will.mjs', ['7002', 'stay']).said('left')).kill('SIGKILL');
  await events.said('{"orderId":7002,"total":0}');
  assert.doesNotMatch(events.stdout, /7001/);
});

test('named imports, and what is imported twice is one', async () => {
  w.write('named.mjs', `
    import service, { getUserById } from 'ipc:database-service';
    import { connect } from '@ekkojs/ipc';
    console.log((await connect('database-service')) === service, (await import('ipc:database-service')).default === service);
    console.log((await getUserById(123)).name, service.getUserById === getUserById);
  `);
  const { stdout, stderr } = await w.run('named.mjs').ended;
  assert.equal(stdout, 'true true\nAda Lovelace true\n', stderr);
});

// The embedded runtime has neither require nor threads.
if (runtime.kind !== 'embedded') test('require gives what import gives', async () => {
  w.write('required.cjs', `
    const service = require('ipc:database-service');
    import('ipc:database-service').then((imported) => console.log(imported.default === service, typeof service.getUserById));
  `);
  const { stdout, stderr } = await w.run('required.cjs').ended;
  assert.equal(stdout, 'true function\n', stderr);
});

// Node's threads have the hook of their process. Others load it, and only then
// what it is for.
if (runtime.kind !== 'embedded') test('a worker thread', async () => {
  const before = runtime.kind === 'node' ? '' : "await import('@ekkojs/ipc/register');";
  w.write('worker.mjs', `
    import { Worker } from 'node:worker_threads';
    import service from 'ipc:database-service';
    new Worker(new URL('./thread.mjs', import.meta.url));
    await service.getUserById(123);
  `);
  w.write('thread.mjs', `
    ${before}
    const { default: service } = await import('ipc:database-service');
    console.log('in a worker', (await service.getUserById(123)).name);
  `);
  const { code, stdout, stderr } = await w.run('worker.mjs').ended;
  assert.equal(stdout, 'in a worker Ada Lovelace\n', stderr);
  assert.equal(code, 0);
});

test('arguments, an exit status, and an error that nobody catches', async () => {
  w.write('exit.mjs', "console.log(process.argv.slice(2).join());\nprocess.exit(Number(process.argv[3]));\n");
  const { code, stdout } = await w.run('exit.mjs', ['--loud', '7']).ended;
  assert.equal(stdout, '--loud,7\n');
  assert.equal(code, 7);
  w.write('uncaught.mjs', "import service from 'ipc:database-service';\nawait service.getUserById('Ada');\n");
  const uncaught = await w.run('uncaught.mjs').ended;
  assert.equal(uncaught.code, 1);
  // Deno shows of an error that nobody catches no more than its message.
  assert.match(uncaught.stderr, runtime.kind === 'deno' ? /parameter id: expected number/ : /SCHEMA_MISMATCH/);
});

test('an import of a service that is not there', async () => {
  w.write('missing.mjs', "import service from 'ipc:databse-service';\n");
  const { code, stderr } = await w.run('missing.mjs').ended;
  assert.equal(code, 1);
  assert.match(stderr, /cannot import 'ipc:databse-service': SERVICE_NOT_FOUND: .*did you mean "database-service"\?/);
  assert.match(stderr, /looked at:\n {2}.*: no match in/);
  assert.doesNotMatch(stderr, /registry\.js/);
});

test('a service that is down is an error of the call, and not of the import', async () => {
  w.write('down.ekko.ipc.json', { service: { name: 'down' } });
  w.write('down.mjs', "import service from 'ipc:down';\nawait service.anything().catch(({ code, executed }) => console.log(code, executed));\n");
  const { code, stdout } = await w.run('down.mjs').ended;
  assert.equal(stdout, 'SERVICE_UNAVAILABLE no\n');
  assert.equal(code, 0);
});

test('a subscription keeps a process, and its end lets it go', async () => {
  w.write('stays.mjs', `
    import events from 'ipc:notification-service';
    const stop = events.subscribe('user.created', (data) => { console.log(data.name); stop(); });
    await events.$call('ipc.ping');
    console.log('listening');
  `);
  const app = await w.run('stays.mjs').said('listening');
  const service = await connect('notification-service');
  service.publish('user.created', { id: 2, name: 'Ada' });
  const { code, stdout } = await app.ended;
  assert.equal(code, 0);
  assert.match(stdout, /Ada/);
  service.$close();
});

test('many calls, calls without an answer, keys, addresses and options', async () => {
  w.write('surface.mjs', `
    import service from 'ipc:database-service';
    import { connect, IpcError } from '@ekkojs/ipc';
    const [good, bad] = await service.$batch([['getUserById', 123], ['getUserById', 7]]);
    console.log('batch', good.value.name, bad.status, bad.reason.code, bad.reason instanceof IpcError);
    const once = service.$with({ idempotencyKey: 'k' + Math.random() });
    const user = { name: 'Grace', email: Math.random() + '@example.com' };
    const [one, two] = [await once.createUser(user), await once.createUser(user)];
    console.log('once', one.id === two.id);
    console.log('with', await service.$with({ timeout: 1000 }).$batch([]), service.$notify('getUserById', 123));
    const direct = await connect(service.$address, { timeout: 5000 });
    console.log('address', (await direct.$call('getUserById', 123)).name);
    direct.$close();
    for (const wrong of [{ idempotencyKey: 5 }, { other: 1 }, 5]) try { service.$with(wrong); } catch (error) { console.log(error.name); }
    try { service.$with({ idempotencyKey: '' }); } catch (error) { console.log(error.code); }
    for (const wrong of [{ other: 1 }, { timeout: -1 }, 5]) await connect('database-service', wrong).catch((error) => console.log(error.name));
    await service.getUserById(7).catch((error) => console.log(error.service, error.method, error.executed, error.retryable, error.message));
    const loop = service.on('user.created', { limit: 2 });
    const next = loop.next();
    await service.$call('ipc.ping');
    await service.createUser({ name: 'Ada', email: Math.random() + '@example.com' });
    const { value: { channel, data } } = await next;
    console.log(channel, data.name, loop.dropped);
    await loop.return();
    const enough = new AbortController();
    const ended = service.$with({ signal: enough.signal }).on('user.*').next().catch((reason) => reason);
    service.$with({ signal: enough.signal }).subscribe('user.*', () => {});
    enough.abort('enough');
    console.log(await ended);
  `);
  const { stdout, stderr } = await w.run('surface.mjs').ended;
  assert.equal(stdout, [
    'batch Ada Lovelace rejected NOT_FOUND true', 'once true', 'with [] undefined', 'address Ada Lovelace', 'TypeError', 'TypeError', 'TypeError', 'INVALID_ARGUMENT',
    'TypeError', 'TypeError', 'TypeError', 'database-service getUserById no false no user has id 7', 'user.created Ada 0', 'enough', '',
  ].join('\n'), stderr);
});
