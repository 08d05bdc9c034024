// The package as npm would send it out, before those who judge packages; and its
// types, before the compilers that people have.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { formatMessage } from 'publint/utils';
import { publint } from 'publint';

import { js, world } from '../world.js';

const w = world();
const here = fileURLToPath(new URL('.', import.meta.url));
const tool = (name) => path.join(here, 'node_modules', name);

const { exports: exported } = JSON.parse(fs.readFileSync(path.join(js, 'package.json'), 'utf8'));

// Who packs a package has a home of his own, where npm keeps what it knows.
const npm = { ...w.env, npm_config_cache: path.join(w.dir, 'npm'), npm_config_update_notifier: 'false' };

async function pack() {
  const { code, stdout, stderr } = await w.start('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', w.dir], { cwd: js, env: npm }).ended;
  assert.equal(code, 0, stderr);
  return Object.values(JSON.parse(stdout))[0];
}

test('publint has nothing to say', async () => {
  const { messages, pkg } = await publint({ pkgDir: js, level: 'suggestion', strict: true, pack: false });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg, { color: false })), []);
});

test('what is packed is what programs need, and its types are found by all', async () => {
  const { filename, files } = await pack();
  const names = files.map((file) => file.path);
  assert.ok(names.includes('index.js') && names.includes('index.d.ts'));
  assert.deepEqual(names.filter((name) => name.includes('/') || !/\.js$|\.d\.ts$|^package\.json$|^README|^LICENSE/.test(name)), []);
  const { code, stdout, stderr } = await w.start(process.execPath, [tool('@arethetypeswrong/cli/dist/index.js'), filename, '--profile', 'esm-only', '--no-color', '--no-emoji']).ended;
  assert.equal(code, 0, stdout + stderr);
  for (const each of Object.keys(exported)) assert.ok(stdout.includes(`"${path.posix.join('@ekkojs/ipc', each)}"`), `${each} was not judged: ${stdout}`);
});

const compile = (compiler, project) => w.start(process.execPath, [tool(`${compiler}/bin/tsc`), '--pretty', 'false', '-p', project]).ended;

// An app as people have it, with one mistake.
w.write('app/tsconfig.json', { compilerOptions: { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'esnext.disposable'], types: [], paths: { '@ekkojs/ipc': [path.join(js, 'index.d.ts')] } }, files: ['app.ts', path.join(js, 'test/types/ekko-env.d.ts')] });
w.write('app/app.ts', "import service from 'ipc:database-service';\nexport const user = service.getUserById('123');\n");

for (const compiler of ['typescript', 'typescript-6', 'typescript-7']) {
  test(`${compiler}: right programs compile, and each mistake is one`, async () => {
    const { code, stdout } = await compile(compiler, path.join(js, 'test/types'));
    assert.equal(code, 0, stdout);
  });

  test(`${compiler}: a wrong argument does not compile`, async () => {
    const { code, stdout } = await compile(compiler, path.join(w.dir, 'app'));
    assert.notEqual(code, 0);
    assert.match(stdout, /^[^\n]*app\.ts\(2,41\): error TS2345: Argument of type 'string' is not assignable to parameter of type 'number'\.\s*$/);
  });
}
