// Mocks, as the tests of a program use them.
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { afterEach } from 'node:test';
import { pathToFileURL } from 'node:url';

import { connect } from '../index.js';
import { mock, restoreAll } from '../testing.js';
import { js, manifestOf, rejection, until, world } from './world.js';

const w = world();
process.chdir(w.dir);
w.write('database-service.ekko.ipc.json', manifestOf('database-service'));
w.write('notification-service.ekko.ipc.json', manifestOf('notification-service'));
afterEach(restoreAll);

const ada = { id: 1, name: 'Ada', email: 'ada@example.com' };

// program writes a module and imports it.
let programs = 0;
function program(text) {
  const file = w.write(`program${++programs}.mjs`, text);
  return import(pathToFileURL(file).href);
}

test('an import gets the mock, and its calls are recorded', async () => {
  const db = mock('database-service', { getUserById: async (id) => ({ ...ada, id }) });
  const { greet } = await program(`
    import db, { getUserById } from 'ipc:database-service';
    export const greet = async (id) => \`Hello \${(await db.getUserById(id)).name} \${(await getUserById(id + 1)).id}\`;
  `);
  assert.equal(await greet(7), 'Hello Ada 8');
  assert.deepEqual(db.calls, [{ method: 'getUserById', args: [7] }, { method: 'getUserById', args: [8] }]);
  assert.deepEqual(db.callsOf('getUserById'), [[7], [8]]);
  db.forget();
  assert.deepEqual(db.calls, []);
});

test('a service without a manifest, which is nowhere', async () => {
  mock('weather', { forecast: (city) => `rain in ${city}` });
  const { ask } = await program("import weather, { forecast } from 'ipc:weather';\nexport const ask = async () => [await weather.forecast('Rome'), await forecast('Oslo')];");
  assert.deepEqual(await ask(), ['rain in Rome', 'rain in Oslo']);
  const weather = await connect('weather');
  assert.equal(await weather.forecast('Ulm'), 'rain in Ulm');
  assert.equal((await rejection(weather.history('Ulm'))).code, 'METHOD_NOT_FOUND');
});

test('a method that is not mocked says so', async () => {
  mock('database-service', { getUserById: () => ada });
  const service = await connect('database-service');
  const error = await rejection(service.createUser({}));
  assert.equal(error.code, 'UNIMPLEMENTED');
  assert.match(error.message, /database-service is mocked, and its mock has no createUser: add it/);
});

test('a mock is held to the manifest, as the service is', async () => {
  mock('database-service', { getUserById: (id) => (id === 1 ? ada : { id }) });
  const service = await connect('database-service');
  assert.equal((await rejection(service.getUserById('one'))).code, 'SCHEMA_MISMATCH');
  assert.equal((await rejection(service.getUserById(2))).code, 'RESPONSE_SCHEMA_MISMATCH');
  assert.throws(() => mock('database-service', { getUserByID: () => ada }), /declares no method "getUserByID"; did you mean "getUserById"\?/);
  const free = mock('database-service', { getUserByID: () => 'anything' }, { manifest: null });
  assert.equal(await service.$call('getUserByID', 'one'), 'anything');
  assert.equal(free.calls.length, 1);
});

test('J5: names of the language', async () => {
  const odd = mock('odd', { then: () => 1, constructor: () => 2, ['__proto__']: () => 3, delete: () => 4 });
  const module = await program("export * as odd from 'ipc:odd';");
  assert.deepEqual(odd.calls, [], 'to await the import called the service');
  assert.equal(module.odd.then, undefined);
  assert.equal(await module.odd.delete(), 4);
  const service = module.odd.default;
  assert.deepEqual(await Promise.all(['then', 'constructor', '__proto__'].map((name) => service.$call(name))), [1, 2, 3]);
  w.write('proto.ekko.ipc.json', '{"service":{"name":"proto"},"methods":{"__proto__":{"polluted":true},"then":{}}}');
  mock('proto', { ['__proto__']: () => 5 });
  const { proto } = await program("export * as proto from 'ipc:proto';");
  assert.deepEqual(Object.keys(proto.default.$manifest.methods), ['__proto__', 'then']);
  assert.equal(await proto.default.$call('__proto__'), 5);
  assert.equal({}.polluted, undefined);
});

test('errors of handlers are what the program gets', async () => {
  mock('database-service', { getUserById() { throw Object.assign(new Error('nobody'), { code: 'NOT_FOUND' }); } });
  const service = await connect('database-service');
  const error = await rejection(service.getUserById(1));
  assert.equal(error.code, 'NOT_FOUND');
  assert.equal(error.executed, 'no');
});

test('events: those of the service, and those of the program', async () => {
  const notes = mock('notification-service');
  const { heard, stop } = await program(`
    import events from 'ipc:notification-service';
    export const heard = [];
    export const stop = events.subscribe('user.created', (data) => heard.push(data.name));
    events.publish('order.completed', { orderId: 1, total: 2 });
  `);
  await notes.emit('user.created', { id: 1, name: 'Ada' });
  assert.deepEqual(heard, ['Ada']);
  assert.deepEqual(notes.published, [{ event: 'order.completed', data: { orderId: 1, total: 2 } }]);
  stop();
  await notes.emit('user.created', { id: 2, name: 'Grace' });
  assert.deepEqual(heard, ['Ada']);
  assert.equal((await rejection(notes.emit('user.craeted', {}))).code, 'CHANNEL_NOT_FOUND');
  assert.equal((await rejection(notes.emit('user.created', { id: 'x' }))).code, 'SCHEMA_MISMATCH');
});

test('a loop over events, and one over what a method streams', async () => {
  const notes = mock('notification-service');
  const events = (await connect('notification-service')).on('user.*');
  const first = events.next();
  await notes.emit('user.created', { id: 1, name: 'Ada' });
  assert.equal((await first).value.data.name, 'Ada');
  mock('database-service', { async* exportUsers() { yield ada; yield { ...ada, id: 2 }; } });
  const ids = [];
  for await (const user of (await connect('database-service')).exportUsers()) ids.push(user.id);
  assert.deepEqual(ids, [1, 2]);
});

test('a handler has what handlers have', async () => {
  mock('slow', { wait() { return new Promise((_, reject) => { this.signal.addEventListener('abort', () => reject(this.signal.reason)); }); } });
  const slow = await connect('slow');
  const controller = new AbortController();
  const call = slow.$with({ signal: controller.signal }).wait();
  controller.abort(new Error('enough'));
  assert.equal((await rejection(call)).message, 'enough');
});

test('the handlers may be those of a mocking library', async (t) => {
  const getUserById = t.mock.fn(() => ada);
  mock('database-service', { getUserById });
  await (await connect('database-service')).getUserById(5);
  assert.deepEqual(getUserById.mock.calls[0].arguments, [5]);
});

test('what is mocked again is mocked by the newer', async () => {
  const first = mock('database-service', { getUserById: () => ({ ...ada, name: 'first' }) });
  const service = await connect('database-service');
  assert.equal((await service.getUserById(1)).name, 'first');
  mock('database-service', { getUserById: () => ({ ...ada, name: 'second' }) });
  assert.equal((await service.getUserById(1)).name, 'second');
  first.restore(); // has nothing to give back any more
  assert.equal((await service.getUserById(1)).name, 'second');
});

test('a connection of its own leads to the mock, too', async () => {
  mock('database-service', { getUserById: () => ada });
  const own = await connect('database-service', { timeout: 5000 });
  assert.equal((await own.getUserById(1)).name, 'Ada');
  own.$close();
});

test('wrong arguments', () => {
  assert.throws(() => mock('no name', {}), { code: 'INVALID_NAME' });
  assert.throws(() => mock('x', 5), TypeError);
  assert.throws(() => mock('x', { a: 5 }), TypeError);
  assert.throws(() => mock('x', {}, { manifets: {} }), /there is no option "manifets"/);
});

test('what is restored is the real service, for whoever has imported it before, too', async () => {
  await w.start(await w.built('database-service'), []).said('ready');
  const service = await connect('database-service');
  assert.equal((await service.getUserById(123)).name, 'Ada Lovelace');
  const heard = [];
  service.subscribe('user.created', ({ name }) => heard.push(name)); // goes to the mock, and ends with it
  await service.$call('ipc.ping');
  const db = mock('database-service', { getUserById: () => ({ ...ada, name: 'nobody' }) });
  assert.equal((await service.getUserById(123)).name, 'nobody');
  await until(async () => (await service.$call('ipc.who')).length === 1);
  await db.emit('user.created', { id: 1, name: 'Ada', timestamp: '' });
  assert.deepEqual(heard, ['Ada']);
  db.restore();
  assert.equal((await service.getUserById(123)).name, 'Ada Lovelace');
  await until(async () => (await service.$call('ipc.who')).length === 0);
});

test('a mock that is gone leaves an error that says what is missing', async () => {
  const gone = mock('gone', { ask: () => 1 });
  const service = await connect('gone');
  assert.equal(await service.ask(), 1);
  gone.restore();
  assert.equal((await rejection(service.ask())).code, 'SERVICE_NOT_FOUND');
});

// How the runtime runs tests.
const runner = globalThis.Bun !== undefined ? ['test'] : globalThis.Deno !== undefined ? ['test', '--allow-all', '--no-check'] : ['--test'];

test('tests of a program need no flag', async () => {
  w.write('greet.mjs', "import db from 'ipc:database-service';\nexport const greet = async (id) => `Hello ${(await db.getUserById(id)).name}`;\n");
  w.write('greet.test.mjs', `
    import assert from 'node:assert/strict';
    import test from 'node:test';
    import { mock } from ${JSON.stringify(pathToFileURL(path.join(js, 'testing.js')).href)};
    const db = mock('database-service', { getUserById: async (id) => ({ id, name: 'Ada', email: '' }) });
    const { greet } = await import('./greet.mjs');
    test('greets', async () => { assert.equal(await greet(1), 'Hello Ada'); assert.equal(db.calls.length, 1); });
  `);
  const env = { ...w.env };
  delete env.NODE_TEST_CONTEXT;
  const { code, stdout, stderr } = await w.start(process.execPath, [...runner, './greet.test.mjs'], { env }).ended;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout + stderr, /greets/);
});
