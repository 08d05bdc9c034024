// The manifest of a service changes while an app runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { connect, serve } from '../index.js';
import { rejection, until, world } from './world.js';

const w = world();
process.chdir(w.dir);

const FILE = 'moving.ekko.ipc.json';

// open writes the manifest and serves it.
function open(file, methods, manifest = {}) {
  const source = {
    service: { name: 'moving', transport: { type: 'unix', address: path.join(w.runtime, file) } },
    methods: Object.fromEntries(Object.keys(methods).map((name) => [name, {}])),
    events: { moved: {} }, ...manifest,
  };
  w.write(FILE, source);
  return serve({ manifest: source, methods });
}

test('the app goes where the service is, and what has changed counts', { timeout: 60_000 }, async () => {
  let server = await open('one.sock', { where: () => 'one', old: () => 1 });
  const app = await connect('moving');
  const { where } = app;
  const heard = [];
  app.subscribe('moved', (data) => heard.push(data));
  assert.equal(await app.where(), 'one');
  assert.equal(app.$manifest.methods.old !== undefined, true);
  await server.close();

  server = await open('two.sock', { where: () => 'two', fresh: () => 2 });
  assert.equal(await where(), 'two');
  assert.equal(await app.fresh(), 2);
  assert.deepEqual(Object.keys(app.$manifest.methods), ['where', 'fresh']);
  const error = await rejection(app.old());
  assert.equal(error.code, 'METHOD_NOT_FOUND');
  assert.equal(error.executed, 'no');
  await until(async () => (await app.$call('ipc.who')).length === 1);
  server.publish('moved', 'here');
  await until(() => heard.length === 1);
  assert.deepEqual(heard, ['here']);

  // A method that streams now is one that the app does not take by a loop.
  await server.close();
  server = await open('two.sock', { where: async function* where() { yield 'everywhere'; } }, { methods: { where: { stream: 'server' } } });
  const stream = await rejection(app.where());
  assert.equal(stream.code, 'PROTOCOL_ERROR');
  assert.match(stream.message, /\$stream\("where"/);
  assert.deepEqual(await app.$stream('where').next(), { value: 'everywhere', done: false });

  // What cannot be read, or is not there any more, is as it was.
  for (const spoil of [() => w.write(FILE, '{"service":'), () => w.write(FILE, '[]'), () => fs.rmSync(FILE)]) {
    await server.close();
    spoil();
    server = await serve({ manifest: app.$manifest, methods: { where: async function* where() { yield 'still'; } } });
    assert.deepEqual(await app.$stream('where').next(), { value: 'still', done: false });
  }
  app.$close();
  await server.close();
});

test('a manifest that has become another service\'s is not believed', { timeout: 60_000 }, async () => {
  const server = await open('three.sock', { where: () => 'three' });
  const app = await connect('moving', { retries: 0 });
  assert.equal(await app.where(), 'three');
  await server.close();
  const other = await serve({ manifest: { service: { name: 'other', transport: { type: 'unix', address: path.join(w.runtime, 'three.sock') } }, methods: { where: {} } }, methods: { where: () => 'not you' } });
  const error = await rejection(app.where());
  assert.equal(error.code, 'SERVICE_NOT_FOUND');
  assert.equal(error.executed, 'no');
  app.$close();
  await other.close();
});
