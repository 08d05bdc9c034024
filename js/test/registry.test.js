// Finding services: the same places, in the same order, with the same distrust
// as internal/registry.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { addressesOf, resolve } from '../registry.js';
import { runtimeDir, socketPath } from '../place.js';
import { world } from './world.js';

const w = world();
const options = { cwd: path.join(w.dir, 'work'), env: w.env };
fs.mkdirSync(options.cwd, { mode: 0o700 });
const manifest = (name, more = {}) => ({ service: { name, ...more } });
const find = (name) => resolve(name, options);
const codeOf = (fn) => { try { return fn(); } catch (error) { return error.code; } };

test('the search path, in order', () => {
  assert.equal(codeOf(() => find('db')), 'SERVICE_NOT_FOUND');
  const places = ['.ekko/ipc/db', 'work/services/other', 'work/.ekko/ipc/db', 'work/ipc/some', 'work/db'].map((at) => w.write(`${at}.ekko.ipc.json`, manifest('db')));
  for (const at of places.reverse()) {
    assert.equal(find('db').path, at);
    assert.deepEqual(find('db').addresses, [`unix:${w.runtime}/db.sock`]);
    fs.unlinkSync(at);
  }
  w.write('elsewhere/db.ekko.ipc.json', manifest('db'));
  assert.equal(resolve('db', { ...options, env: { ...w.env, EKKO_IPC_PATH: `${w.dir}/nowhere::${w.dir}/elsewhere` } }).path, path.join(w.dir, 'elsewhere/db.ekko.ipc.json'));
});

test('the mapping file, and what is wrong in it', () => {
  w.write('work/maps/x.ekko.ipc.json', manifest('mapped'));
  w.write('work/ekko.ipc.config.json', { services: { mapped: 'maps/x.ekko.ipc.json', cache: 'unix:/run/cache.sock', both: { manifest: 'maps/x.ekko.ipc.json', address: 'tcp:127.0.0.1:7000' } } });
  assert.deepEqual(find('mapped').addresses, [`unix:${w.runtime}/mapped.sock`]);
  assert.deepEqual([find('cache').addresses, find('cache').manifest], [['unix:/run/cache.sock'], undefined]);
  assert.deepEqual([find('both').addresses, find('both').manifest.service.name], [['tcp:127.0.0.1:7000'], 'mapped']);
  for (const [text, want] of [['{"services":{"a":', /ekko\.ipc\.config\.json/], ['{"services":{"a":"x","a":"y"}}', /:1:\d+: the name "a" stands twice/], ['{"more":1}', /unknown field "more"/], ['{"services":{"a":5}}', /"a" must be/], ['{"services":{"a":"unix:relative"}}', /"a" is mapped to an address/]]) {
    w.write('work/ekko.ipc.config.json', text);
    assert.throws(() => find('mapped'), want);
  }
  fs.unlinkSync(path.join(w.dir, 'work/ekko.ipc.config.json'));
});

test('a socket in the runtime directory', async () => {
  const server = net.createServer();
  await new Promise((done) => { server.listen(socketPath('bare', w.env), done); });
  assert.deepEqual(find('bare').addresses, [`unix:${w.runtime}/bare.sock`]);
  server.close();
});

test('what is not found says what may have been meant, and where it looked', () => {
  const at = w.write('work/database-service.ekko.ipc.json', manifest('database-service'));
  assert.throws(() => find('databse-service'), (error) => {
    assert.match(error.message, /did you mean "database-service"\?\nlooked at:\n/);
    assert.equal(error.details.suggestion, 'database-service');
    assert.ok(error.details.places.some(({ path: place }) => place === options.cwd));
    return true;
  });
  fs.unlinkSync(at);
  assert.equal(codeOf(() => find('no such name')), 'INVALID_NAME');
});

test('F11: what others could have written is not believed', () => {
  const at = w.write('work/db.ekko.ipc.json', manifest('db'));
  for (const mode of [0o666, 0o620, 0o602]) {
    fs.chmodSync(at, mode);
    assert.equal(codeOf(() => find('db')), 'UNTRUSTED_PEER', mode.toString(8));
  }
  fs.chmodSync(at, 0o644);
  assert.equal(find('db').path, at);
  fs.chmodSync(options.cwd, 0o777);
  assert.equal(codeOf(() => find('db')), 'SERVICE_NOT_FOUND', 'a directory that others may write is passed over');
  fs.chmodSync(options.cwd, 0o700);
  fs.writeFileSync(at, '{"service":{"name":"db"},"service":{"name":"evil"}}');
  assert.throws(() => find('db'), /db\.ekko\.ipc\.json:1:\d+: the name "service" stands twice/);
  fs.unlinkSync(at);
});

test('where a manifest may lead', () => {
  const address = (transport) => codeOf(() => addressesOf(manifest('db', { transport }), w.env));
  const run = w.runtime;
  for (const [transport, want] of [
    [{}, [`unix:${run}/db.sock`]], [{ type: 'namedpipe', address: '\\\\.\\pipe\\ekko-db' }, [`unix:${run}/ekko-db.sock`]], [{ type: 'unix', address: 'x.sock' }, [`unix:${run}/x.sock`]],
    [{ type: 'unix', address: `${run}/deep//x.sock` }, [`unix:${run}/deep/x.sock`]], [{ type: 'unix', address: `unix:${run}/x.sock` }, [`unix:${run}/x.sock`]],
    [{ type: 'tcp', port: 7000 }, ['tcp:127.0.0.1:7000']], [{ type: 'tcp', address: '::1', port: 7000 }, ['tcp:[::1]:7000']], [{ type: 'tcp', address: 'localhost:7001' }, ['tcp:127.0.0.1:7001']],
    [{ type: 'shm', fallback: ['tcp', 'unix'], port: 7000 }, ['tcp:127.0.0.1:7000', `unix:${run}/db.sock`]],
    ...['../x', 'a/../../x', '..', 'sub/x', '..\\x', '@abstract', '\u0000abstract', 'a\nb', '.sock', '/tmp/x.sock', run, `${run}/../x.sock`, `${run}-evil/x.sock`, 'unix:x.sock', 'unix:/etc/x.sock', `${run}/${'x'.repeat(100)}`].map((at) => [{ type: 'unix', address: at }, 'UNTRUSTED_PEER']),
    ...['0.0.0.0', '::', '10.1.2.3', 'example.com', '127.0.0.1.example.com'].map((host) => [{ type: 'tcp', address: host, port: 7000 }, 'UNTRUSTED_PEER']),
    [{ type: 'tcp' }, 'SCHEMA_MISMATCH'], [{ type: 'tcp', port: 70000 }, 'SCHEMA_MISMATCH'], [{ type: 'tcp', port: 7000, tls: {} }, 'TRANSPORT_UNSUPPORTED'],
    [{ type: 'fifo' }, 'TRANSPORT_UNSUPPORTED'], [{ type: 'shm' }, 'TRANSPORT_UNSUPPORTED'], [{ type: 'stdio' }, 'TRANSPORT_UNSUPPORTED'],
  ]) assert.deepEqual(address(transport), want, JSON.stringify(transport));
});

test('the runtime directory is made closed, and refused if it is not', () => {
  // A Failure is no Error yet.
  const says = (text) => ({ message }) => text.test(message);
  const named = (dir) => runtimeDir({ EKKO_IPC_RUNTIME_DIR: dir });
  const dir = path.join(w.dir, 'made', 'for', 'us');
  assert.equal(named(dir), dir);
  assert.equal(fs.statSync(dir).mode & 0o777, 0o700);
  fs.chmodSync(dir, 0o770);
  assert.throws(() => named(dir), says(/can be written by others \(mode 0770\)/));
  fs.symlinkSync(dir, path.join(w.dir, 'link'));
  assert.throws(() => named(path.join(w.dir, 'link')), says(/is a symbolic link/));
  assert.throws(() => named('relative'), says(/is not absolute/));
  fs.mkdirSync(path.join(w.dir, 'ekko-ipc'), { mode: 0o755 });
  assert.throws(() => runtimeDir({ XDG_RUNTIME_DIR: w.dir }), says(/is a place where everybody|is open to others/));
});

test('a long name has a socket of its own', () => {
  const [a, b] = ['a', 'b'].map((end) => socketPath('x'.repeat(150) + end, w.env));
  assert.notEqual(a, b);
  assert.ok(Buffer.byteLength(a) <= 100);
  assert.match(a, /\+[0-9a-f]{16}\.sock$/);
});
