// ekko-ipc run --runtime, with the runtime that is tested: the real one, found
// in PATH under its own name.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { before } from 'node:test';

import { endedBy, manifestOf, runtime, world } from './world.js';

const w = world();
w.write('database-service.ekko.ipc.json', manifestOf('database-service'));

// Nothing is found in PATH but the runtime.
const bin = path.join(w.dir, 'bin');
fs.mkdirSync(bin);
if (runtime.kind !== 'embedded') fs.symlinkSync(runtime.program, path.join(bin, runtime.kind));

let tool;
before(async () => {
  tool = await w.built('ekko-ipc');
  await w.start(await w.built('database-service'), []).said('ready');
});

const run = (args, flags = ['--runtime', runtime.kind]) => w.start(tool, ['run', ...flags, ...args], { env: { ...w.env, PATH: bin } });

test('a program calls, and has its arguments and its exit status', async () => {
  w.write('app.mjs', `
    import service from 'ipc:database-service';
    console.log((await service.getUserById(123)).name, process.argv.slice(2).join());
    process.exit(7);
  `);
  const { code, stdout, stderr } = await run(['app.mjs', '--loud', 'x y']).ended;
  assert.equal(stdout, 'Ada Lovelace --loud,x y\n', stderr);
  assert.equal(code, 7);
});

test('signals are the program\'s own', async () => {
  w.write('waits.mjs', "process.on('SIGINT', () => { console.log('mine'); process.exit(3); });\nsetInterval(() => {}, 1000);\nconsole.log('ready');\n");
  const { code, stdout } = await (await run(['waits.mjs']).said('ready')).kill('SIGINT');
  assert.equal(stdout, 'ready\nmine\n');
  assert.equal(code, 3);
  w.write('listens.mjs', "import service from 'ipc:database-service';\nservice.subscribe('user.created', () => {});\nawait service.$call('ipc.ping');\nconsole.log('ready');\n");
  assert.ok(endedBy('SIGTERM', await (await run(['listens.mjs']).said('ready')).kill('SIGTERM')));
});

test('auto takes what the project is for, and is there', async () => {
  const mark = { node: 'package.json', bun: 'bunfig.toml', deno: 'deno.json', embedded: 'package.json' }[runtime.kind];
  w.write('project/which.mjs', `
    import 'ipc:database-service';
    console.log(globalThis.Bun ? 'bun' : globalThis.Deno ? 'deno' : process.versions.quickjs ? 'embedded' : 'node');
  `);
  if (mark !== 'package.json') w.write(`project/${mark}`, mark.endsWith('json') ? '{}' : '');
  const { stdout, stderr } = await run(['project/which.mjs'], ['--runtime', 'auto']).ended;
  assert.equal(stdout, `${runtime.kind}\n`, stderr);
});
