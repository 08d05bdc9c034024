// The plugin, in the bundlers: what they build calls the service in Go.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { before } from 'node:test';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';

import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';

import * as plugin from '../../bundler.js';
import { js, manifestOf, register, rejection, world } from '../world.js';

const w = world();
process.chdir(w.dir);
w.write('database-service.ekko.ipc.json', manifestOf('database-service'));
w.write('package.json', { type: 'module' });
w.write('app.js', `
  import { IpcError } from '@ekkojs/ipc';
  import db, { getUserById } from 'ipc:database-service';
  console.log((await db.getUserById(123)).name, (await getUserById(123)).id, db.$manifest.service.version);
  async function nobody() { await db.getUserById(7); }
  await nobody().catch((error) => console.log(error instanceof IpcError, error.code, /nobody/.test(error.stack)));
`);
const said = 'Ada Lovelace 123 1.0.0\ntrue NOT_FOUND true\n';
install(w.dir);

// install puts the package where a program finds it.
function install(dir) {
  const at = path.join(dir, 'node_modules/@ekkojs/ipc');
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.rmSync(at, { force: true });
  fs.symlinkSync(js.replace(/\/$/, ''), at);
}

// The bundlers, each by the same few facts: an entry, a file to write, and the
// options of the plugin.
const bundlers = {
  async rollup(entry, out, options) {
    const bundle = await rollup({ input: entry, plugins: [plugin.rollup(options)], external: [/^node:/], onwarn: (warning) => { if (warning.code !== 'UNRESOLVED_IMPORT') throw new Error(warning.message); } });
    await bundle.write({ file: out, format: 'es', inlineDynamicImports: true });
    await bundle.close();
  },
  async vite(entry, out, options) {
    await vite({
      root: w.dir, logLevel: 'error', configFile: false, plugins: [plugin.vite(options)], ssr: { noExternal: true },
      build: { ssr: entry, outDir: path.dirname(out), emptyOutDir: false, minify: false, rollupOptions: { output: { entryFileNames: path.basename(out) } } },
    });
  },
  async esbuild(entry, out, options) {
    await esbuild.build({ entryPoints: [entry], outfile: out, bundle: true, format: 'esm', platform: 'node', logLevel: 'silent', plugins: [plugin.esbuild(options)] });
  },
  webpack(entry, out, options) {
    const config = {
      mode: 'production', target: 'node20', entry, context: w.dir, experiments: { outputModule: true }, plugins: [plugin.webpack(options)], optimization: { minimize: false },
      output: { path: path.dirname(out), filename: path.basename(out), library: { type: 'module' }, chunkFormat: 'module' },
    };
    return new Promise((resolve, reject) => {
      webpack(config, (error, stats) => {
        const failed = error ?? (stats.hasErrors() ? new Error(stats.toString({ all: false, errors: true })) : undefined);
        if (failed === undefined) resolve();
        else reject(failed);
      });
    });
  },
};

before(async () => { await w.start(await w.built('database-service'), []).said('ready'); });

const bare = (args, options) => w.start(process.execPath, [args].flat(), options).ended;

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`${name}: what is built calls a service, without a flag`, async () => {
    const out = path.join(w.dir, name, 'generate.js');
    await bundle(path.join(w.dir, 'app.js'), out);
    const { code, stdout, stderr } = await bare(out);
    assert.equal(stdout, said, stderr);
    assert.equal(code, 0);
  });

  // Rollup by itself leaves packages where they are.
  if (name !== 'rollup') test(`${name}: what is built needs neither the package nor the manifest`, async () => {
    const out = path.join(w.dir, name, 'alone.js');
    await bundle(path.join(w.dir, 'app.js'), out);
    const text = fs.readFileSync(out, 'utf8');
    assert.doesNotMatch(text, new RegExp(w.runtime), 'the bundle knows where services live here');
    const away = fs.realpathSync(fs.mkdtempSync('/tmp/ekko-'));
    try {
      fs.writeFileSync(path.join(away, 'alone.mjs'), text);
      const { stdout, stderr } = await bare('alone.mjs', { cwd: away });
      assert.equal(stdout, said, stderr);
    } finally {
      fs.rmSync(away, { recursive: true });
    }
  });

  test(`${name}: in the mode external the import stays`, async () => {
    const out = path.join(w.dir, name, 'external.js');
    await bundle(path.join(w.dir, 'app.js'), out, { mode: 'external' });
    assert.match(fs.readFileSync(out, 'utf8'), /from ?["']ipc:database-service["']/);
    const { stdout, stderr } = await bare(['--import', register, out]);
    assert.match(stdout, /^Ada Lovelace 123/, stderr);
  });

  test(`${name}: a service that is not there is an error of the build`, async () => {
    const entry = w.write(`missing-${name}.js`, "import db from 'ipc:databse-service';\nconsole.log(db);\n");
    const { message } = await rejection(bundle(entry, path.join(w.dir, name, 'missing.js')));
    assert.match(message, /cannot import 'ipc:databse-service': SERVICE_NOT_FOUND: [^]*did you mean "database-service"\?/);
    assert.match(message, /looked at:/);
  });
}

test('a manifest that changes is a reason to build again', async () => {
  const manifest = path.join(w.dir, 'database-service.ekko.ipc.json');
  const entry = path.join(w.dir, 'app.js');
  const bundle = await rollup({ input: entry, plugins: [plugin.rollup()], external: () => false, onwarn() {} });
  assert.ok(bundle.watchFiles.includes(manifest), bundle.watchFiles.join());
  await bundle.close();
  const config = { mode: 'development', target: 'node20', entry, context: w.dir, experiments: { outputModule: true }, plugins: [plugin.webpack()], output: { path: w.dir, filename: 'watched.js' } };
  const stats = await new Promise((resolve, reject) => { webpack(config, (error, all) => (error ? reject(error) : resolve(all))); });
  assert.ok([...stats.compilation.fileDependencies].includes(manifest));
  const seen = [];
  const spy = { name: 'spy', setup(build) { plugin.esbuild().setup({ ...build, onLoad: (filter, load) => build.onLoad(filter, async (args) => { const loaded = await load(args); seen.push(...loaded.watchFiles); return loaded; }) }); } };
  await esbuild.build({ entryPoints: [entry], bundle: true, format: 'esm', platform: 'node', write: false, plugins: [spy] });
  assert.deepEqual(seen, [manifest]);
});

test('a program without the package gets this one', async () => {
  const entry = w.write('lonely/app.js', "import db from 'ipc:database-service';\nconsole.log((await db.getUserById(123)).name);\n");
  fs.rmSync(path.join(w.dir, 'node_modules'), { recursive: true });
  for (const [name, bundle] of Object.entries(bundlers)) {
    const out = path.join(w.dir, 'lonely', `${name}.js`);
    await bundle(entry, out);
    const { stdout, stderr } = await bare(out);
    assert.equal(stdout, 'Ada Lovelace\n', `${name}: ${stderr}`);
  }
});

test('wrong options', () => {
  for (const make of [plugin.rollup, plugin.vite, plugin.esbuild, plugin.webpack]) {
    assert.throws(() => make({ mode: 'inline' }), /mode must be one of 'generate', 'external', got "inline"/);
    assert.throws(() => make({ moed: 'generate' }), /there is no option "moed"/);
    assert.throws(() => make(5), TypeError);
  }
});

test('the entry for browsers needs nothing of Node', async () => {
  const entry = w.write('page.js', `import { connect } from ${JSON.stringify(path.join(js, 'browser.js'))};\nglobalThis.connect = connect;\n`);
  const { outputFiles: [{ contents, text }] } = await esbuild.build({ entryPoints: [entry], bundle: true, platform: 'browser', format: 'iife', target: 'es2022', minify: true, write: false, logLevel: 'silent' });
  const sent = [];
  // A page has this, of what the client uses, and no more.
  class WebSocket {
    bufferedAmount = 0;
    constructor() { queueMicrotask(() => this.onopen()); }
    send(message) {
      const { messageId, channel, data } = JSON.parse(message);
      sent.push(channel);
      this.onmessage({ data: JSON.stringify({ type: 'response', messageId: '1', correlationId: messageId, data: data ?? null }) });
    }
    close() {}
  }
  const page = vm.createContext({ WebSocket, URL, crypto: { getRandomValues: (bytes) => crypto.getRandomValues(bytes) }, performance, setTimeout, clearTimeout, setInterval, clearInterval, queueMicrotask, console, AbortController });
  vm.runInContext(text, page);
  const answer = await vm.runInContext("connect('echo', { url: 'wss://example.com/ipc' }).then((echo) => echo.repeat('ü'.repeat(600_000)).catch(({ code }) => echo.repeat(code)))", page);
  assert.equal(JSON.stringify(answer), '["MESSAGE_TOO_LARGE"]');
  assert.deepEqual(sent, ['echo.repeat']);
  assert.ok(contents.length > 0 && gzipSync(contents).length < 20 << 10, `${gzipSync(contents).length} bytes gzipped`);
});

test('tests in Vitest find their mocks, with the plugin of Vite', async () => {
  const at = (file) => JSON.stringify(path.join(js, file));
  w.write('vitest/vitest.config.mjs', `import { vite } from ${at('bundler.js')};\nexport default { plugins: [vite()], test: { include: ['*.test.js'] } };\n`);
  w.write('vitest/database-service.ekko.ipc.json', manifestOf('database-service'));
  w.write('vitest/greet.js', `
    import db, { getUserById } from 'ipc:database-service';
    export const greet = async (id) => \`Hello \${(await getUserById(id)).name} \${(await db.getUserById(id)).id}\`;
  `);
  w.write('vitest/listen.js', `
    import db from 'ipc:database-service';
    export const heard = [];
    db.subscribe('user.created', ({ name }) => heard.push(name));
  `);
  w.write('vitest/greet.test.js', `
    import { afterAll, expect, test, vi } from 'vitest';
    import { mock, restoreAll } from ${at('testing.js')};
    import { greet } from './greet.js'; // is hoisted above the mock, which its calls find all the same

    const getUserById = vi.fn(async (id) => ({ id, name: 'Ada', email: '' }));
    const db = mock('database-service', { getUserById });
    afterAll(restoreAll);

    test('greets by name', async () => {
      expect(await greet(7)).toBe('Hello Ada 7');
      expect(getUserById).toHaveBeenCalledTimes(2);
      expect(db.callsOf('getUserById')).toEqual([[7], [7]]);
    });

    test('listens', async () => {
      const { heard } = await import('./listen.js');
      await db.emit('user.created', { id: 1, name: 'Grace', timestamp: '' });
      expect(heard).toEqual(['Grace']);
    });
  `);
  const vitest = path.join(js, 'test/bundlers/node_modules/vitest/vitest.mjs');
  install(path.join(w.dir, 'vitest'));
  fs.symlinkSync(path.dirname(path.dirname(vitest)) + '/vitest', path.join(w.dir, 'vitest/node_modules/vitest'));
  const { code, stdout, stderr } = await w.start(process.execPath, [vitest, 'run', '--no-color', '--no-cache'], { cwd: path.join(w.dir, 'vitest') }).ended;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /Tests {2}2 passed/);
});
