// The life of a program that serves, in the runtime that is tested.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { connect } from '../index.js';
import { endedBy, rejection, runtime, until, world } from './world.js';

const w = world();

test('a service ends in good order when its process is told to', async () => {
  w.write('slow.mjs', `
    import { serve } from '@ekkojs/ipc';
    await serve('slow', { async wait() { console.log('waiting'); await new Promise((resolve) => setTimeout(resolve, 200)); return 'done'; } });
    console.log('ready');
  `);
  const server = await w.run('slow.mjs').said('ready');
  const service = await connect('slow');
  const answer = service.wait();
  await server.said('waiting');
  const ended = server.kill('SIGTERM');
  await until(() => !fs.existsSync(path.join(w.runtime, 'slow.sock')));
  await until(async () => (await rejection(service.$with({ timeout: 100 }).wait())).executed === 'no');
  assert.equal(await answer, 'done');
  assert.ok(endedBy('SIGTERM', await ended));
  assert.deepEqual(fs.readdirSync(w.runtime).filter((name) => name.startsWith('slow')), []);
});

test('Ctrl-C ends a service, and leaves nothing behind', async () => {
  w.write('idle.mjs', "import { serve } from '@ekkojs/ipc';\nawait serve('idle', { nothing() {} });\nconsole.log('ready');\n");
  const server = await w.run('idle.mjs').said('ready');
  assert.ok(endedBy('SIGINT', await server.kill('SIGINT')));
  assert.deepEqual(fs.readdirSync(w.runtime).filter((name) => name.startsWith('idle')), []);
});

test('a program that listens to signals itself is left to it', async () => {
  w.write('own.mjs', `
    import { serve } from '@ekkojs/ipc';
    process.on('SIGTERM', async () => { await service.close(); console.log('mine'); });
    const service = await serve('own', { nothing() {} });
    console.log('ready');
  `);
  const { code, stdout } = await (await w.run('own.mjs').said('ready')).kill('SIGTERM');
  assert.equal(code, 0);
  assert.match(stdout, /mine/);
});

test('an unref\'d service does not keep its process', async () => {
  w.write('unref.mjs', `import { serve } from '@ekkojs/ipc';\n(await serve('quiet', { nothing() {} })).unref();\nconsole.log('ends');\n`);
  const { code, stdout } = await w.run('unref.mjs').ended;
  assert.equal(code, 0);
  assert.equal(stdout, 'ends\n');
});

test('of two services at one address one is served, and a crash leaves it free', async () => {
  w.write('twice.mjs', `import { serve } from '@ekkojs/ipc';\nawait serve('twice', { pid: () => process.pid });\nconsole.log('ready');\n`);
  const first = await w.run('twice.mjs').said('ready');
  const second = await w.run('twice.mjs').ended;
  // Deno shows of an error that nobody catches no more than its message.
  assert.match(second.stderr, runtime.kind === 'deno' ? /process \d+ holds/ : /NAME_TAKEN/);
  await first.kill('SIGKILL');
  assert.ok(fs.existsSync(path.join(w.runtime, 'twice.sock')));
  const third = await w.run('twice.mjs').said('ready');
  const service = await connect('twice');
  assert.equal(await service.pid(), third.child.pid);
  assert.equal(fs.statSync(path.join(w.runtime, 'twice.sock')).mode & 0o777, 0o600);
  service.$close();
});

test('the command line tool calls a service in JavaScript', async () => {
  w.write('math.ekko.ipc.json', { service: { name: 'math' }, methods: { add: { parameters: [{ name: 'a', type: 'number' }, { name: 'b', type: 'number', default: 1 }], returns: { type: 'number' } } } });
  w.write('math.mjs', "import { serve } from '@ekkojs/ipc';\nawait serve('math', { add: (a, b) => a + b });\nconsole.log('ready');\n");
  await w.run('math.mjs').said('ready');
  const tool = await w.built('ekko-ipc');
  assert.equal((await w.start(tool, ['call', 'math.add', '2', '3']).ended).stdout, '5\n');
  assert.equal((await w.start(tool, ['call', 'math.add', '2']).ended).stdout, '3\n');
  const wrong = await w.start(tool, ['call', 'math.add', 'x']).ended;
  assert.match(wrong.stderr, /SCHEMA_MISMATCH/);
});

test('the command line tool reads a stream of a service in JavaScript', async () => {
  w.write('counter.ekko.ipc.json', { service: { name: 'counter' }, methods: { count: { parameters: [{ name: 'to', type: 'integer' }], stream: 'server', returns: { type: 'integer' } } } });
  w.write('counter.mjs', "import { serve } from '@ekkojs/ipc';\nawait serve('counter', { async* count(to) { for (let i = 1; i <= to; i++) yield i; } });\nconsole.log('ready');\n");
  await w.run('counter.mjs').said('ready');
  assert.equal((await w.start(await w.built('ekko-ipc'), ['call', 'counter.count', '3']).ended).stdout, '1\n2\n3\n');
});

test('a caller that leaves a stream ends the generator, and one that is slow holds it up', async () => {
  w.write('endless.ekko.ipc.json', { service: { name: 'endless' }, methods: { count: { stream: 'server', returns: { type: 'integer' } } } });
  w.write('endless.mjs', `
    import { serve } from '@ekkojs/ipc';
    await serve('endless', { async* count() {
      let i = 0;
      try {
        for (;;) { yield i++; await null; }
      } finally {
        console.log('left', i < 100_000, this.signal.aborted);
      }
    } });
    console.log('ready');
  `);
  const server = await w.run('endless.mjs').said('ready');
  const service = await connect('endless');
  const stream = service.$stream('count');
  const items = [];
  for await (const item of stream) if (items.push(item) === 1000) break;
  assert.deepEqual(items, Array.from({ length: 1000 }, (_, i) => i));
  await server.said('left true true');
  service.$close();
});

test('what a handler finds in this, and by context()', async () => {
  w.write('knows.mjs', `
    import { serve, context } from '@ekkojs/ipc';
    const service = await serve('knows', {
      here() { return [this.method, this.service, this.deadline instanceof Date, this.signal.aborted, typeof this.caller.known]; },
      there: () => { const { method, service } = context(); return [method, service]; },
      late: async () => { await null; try { context(); } catch (error) { return error.name; } },
    }, { maxFrame: 4096 });
    console.log('ready');
    await serve('knows', {}, { maxFrames: 1 }).catch((error) => console.log(error.message));
    try { context(); } catch (error) { console.log(error.message); }
  `);
  const server = await w.run('knows.mjs').said('context() is for handlers');
  assert.match(server.stdout, /there is no option "maxFrames"/);
  const service = await connect('knows');
  assert.deepEqual(await service.here(), ['here', 'knows', true, false, 'boolean']);
  assert.deepEqual(await service.there(), ['there', 'knows']);
  assert.equal(await service.late(), 'TypeError');
  assert.equal((await rejection(service.here('x'.repeat(5000)))).code, 'CONNECTION_LOST');
  service.$close();
});
