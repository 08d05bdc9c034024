// The entry for browsers, with a gateway to the service in Go.
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

import { IpcError, connect } from '../browser.js';
import { gateway } from './gateway.js';
import { manifestOf, rejection, until, world } from './world.js';

const { NODE_TEST_CONTEXT: _, ...env } = process.env;
const w = world();

// Node 20 has a WebSocket behind a flag.
if (globalThis.WebSocket === undefined) {
  test('with --experimental-websocket', async () => {
    const { code, stdout, stderr } = await w.start(process.execPath, ['--experimental-websocket', fileURLToPath(import.meta.url)], { env }).ended;
    assert.equal(code, 0, stdout + stderr);
  });
} else {
  const manifest = JSON.parse(manifestOf('database-service'));
  w.write('database-service.ekko.ipc.json', manifest);
  let gate;
  let service;
  before(async () => {
    await w.start(await w.built('database-service'), []).said('ready');
    gate = await gateway(path.join(w.runtime, 'ekko-db-service.sock'));
    service = await connect('database-service', { url: gate.url, manifest });
  });
  after(() => {
    service.$close();
    gate.close();
  });

  const someone = (name = 'Grace') => ({ name, email: `grace${Math.random()}@example.com` });

  test('a call, its error, and what the manifest declares', async () => {
    assert.equal((await service.getUserById(123)).name, 'Ada Lovelace');
    const error = await rejection(service.getUserById(7));
    assert.ok(error instanceof IpcError);
    assert.equal(error.code, 'NOT_FOUND');
    assert.deepEqual(Object.keys(service), ['getUserById', 'createUser', 'exportUsers']);
    assert.equal(service.$address, gate.url);
  });

  test('many calls at once, and long ones', async () => {
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => service.$call('ipc.ping', i)));
    assert.deepEqual(answers, Array.from({ length: 500 }, (_, i) => [i]));
    const long = 'ü\n🎈'.repeat(70_000);
    assert.deepEqual(await service.$call('ipc.ping', long), [long]);
    const tooLong = await rejection(service.$call('ipc.ping', 'x'.repeat(2 << 20)));
    assert.equal(tooLong.code, 'MESSAGE_TOO_LARGE');
  });

  test('events and streams', async () => {
    const heard = [];
    const stop = service.subscribe('user.created', ({ name }) => heard.push(name));
    await service.$call('ipc.ping');
    const { id } = await service.createUser(someone());
    await until(() => heard.length === 1);
    stop();
    const ids = [];
    for await (const user of service.exportUsers()) ids.push(user.id);
    assert.ok(ids.includes(123) && ids.includes(id));
  });

  test('after a lost connection calls go on, and subscriptions come back', async () => {
    const heard = [];
    const stop = service.subscribe('user.created', ({ name }) => heard.push(name));
    await service.$call('ipc.ping');
    const [before] = gate.sockets;
    before.destroy();
    // Nobody says when it is back, but that it hears again.
    await until(async () => {
      await service.createUser(someone('Ada')).catch(({ code }) => assert.equal(code, 'CONNECTION_LOST'));
      return heard.length > 0;
    });
    assert.ok(!gate.sockets.has(before));
    stop();
  });

  test('an aborted call, and one whose time is up', async () => {
    const controller = new AbortController();
    const call = service.$with({ signal: controller.signal }).getUserById(123);
    controller.abort(new Error('enough'));
    assert.equal((await rejection(call)).message, 'enough');
  });

  test('bytes, and what is no JSON, end the connection and not the page', async () => {
    for (const [payload, opcode] of [['{}', 2], ['{', 1]]) {
      await service.getUserById(123);
      const [before] = gate.sockets;
      gate.say(payload, opcode);
      await until(() => !gate.sockets.has(before));
      assert.equal((await service.getUserById(123)).id, 123);
    }
  });

  test('a gateway that is not there is an error of the call', async () => {
    const other = await gateway(path.join(w.runtime, 'nothing.sock'));
    other.close();
    const nobody = await connect('database-service', { url: other.url, retries: 0 });
    const error = await rejection(nobody.getUserById(1));
    assert.equal(error.code, 'SERVICE_UNAVAILABLE');
    assert.equal(error.executed, 'no');
    assert.match(error.message, /ws:\/\/127/);
  });

  test('wrong arguments', async () => {
    for (const [name, options] of [['x'], ['x', {}], ['x', { url: 5 }], ['x', { url: gate.url, timeout: -1 }], ['x', { url: 'ftp://example.com' }], ['x', { url: gate.url, other: 1 }]]) {
      assert.ok(await rejection(connect(name, options)) instanceof TypeError, JSON.stringify(options));
    }
    assert.equal((await rejection(connect('no name', { url: gate.url }))).code, 'INVALID_NAME');
  });
}
