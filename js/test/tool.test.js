// The command line tool at a service in JavaScript.
import assert from 'node:assert/strict';
import test from 'node:test';

import { world } from './world.js';

const w = world();

test('the command line tool reads, works and keeps order at a service in JavaScript', async () => {
  w.write('mill.ekko.ipc.json', { service: { name: 'mill' }, methods: {}, events: { 'flour.ground': {} }, channels: { flour: { events: ['flour.*'], retention: { maxMessages: 10 } }, sacks: { type: 'queue' } } });
  w.write('mill.mjs', `import { serve } from '@ekkojs/ipc';\nconst mill = await serve('mill', {}, { snapshots: { flour: () => ({ kilos: 7 }) } });\nfor (let i = 1; i <= 12; i++) mill.publish('flour.ground', { i });\nawait mill.publish('sacks', 'the first');\nconsole.log('ready');\n`);
  const service = await w.run('mill.mjs').said('ready');
  const tool = await w.built('ekko-ipc');
  const run = async (...args) => {
    const { stdout, stderr, code } = await w.start(tool, args).ended;
    assert.equal(code, 0, stderr);
    return stdout.trim().split('\n').map((line) => JSON.parse(line));
  };
  const heard = await run('sub', 'mill', 'flour', '--from', 'first', '--filter', 'i > 10', '--count', '2');
  assert.deepEqual(heard.map(({ data, seq }) => [data.i, seq]), [[11, 11], [12, 12]]);
  assert.deepEqual((await run('sub', 'mill', 'flour', '--from', 'snapshot', '--count', '1'))[0].data, { kilos: 7 });
  const late = await w.start(tool, ['sub', 'mill', 'flour', '--from', '1', '--count', '1']).ended;
  assert.match(late.stderr, /CURSOR_INVALID/);
  assert.deepEqual((await run('sub', 'mill', 'sacks', '--group', 'carriers', '--count', '1'))[0].data, 'the first');
  const [sacks] = (await run('queue', 'ls', 'mill')).filter(({ channel }) => channel === 'sacks');
  assert.deepEqual([sacks.messages, sacks.groups[0].name, sacks.groups[0].acked], [0, 'carriers', 1]);
  await run('pub', 'mill', 'sacks', '"torn"', '--id', 'sack-number-2', '--confirm');
  assert.equal((await run('pub', 'mill', 'sacks', '"torn"', '--id', 'sack-number-2', '--confirm'))[0].duplicate, true);
  assert.equal((await run('queue', 'show', 'mill.sacks'))[0].data, 'torn');
  assert.equal((await service.kill('SIGTERM')).signal, 'SIGTERM');
});
