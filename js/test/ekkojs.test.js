// The client that ekko-ipc gen ekkojs writes, against the service in Go, in Node
// with the modules and sockets of the EkkoJS runtime.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

import { connect } from '../index.js';
import { manifestOf, until, world } from './world.js';

const w = world();
process.chdir(w.dir);
const shim = fileURLToPath(new URL('./ekkojs/shim.js', import.meta.url));
const manifest = JSON.parse(manifestOf('database-service'));
w.write('database-service.ekko.ipc.json', manifest);

// port leads a port of this machine to a service's socket.
async function port(socket) {
  const sockets = new Set();
  const server = net.createServer((from) => {
    const to = net.connect({ path: path.join(w.runtime, socket) });
    for (const [one, other] of [[from, to], [to, from]]) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => { other.destroy(); sockets.delete(one); }).pipe(other);
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { address: `tcp:127.0.0.1:${server.address().port}`, sockets, close() { server.close(); for (const each of sockets) each.destroy(); } };
}

let database;
let tool;
before(async () => {
  tool = await w.built('ekko-ipc');
  await w.start(await w.built('database-service'), []).said('ready');
  database = await port('ekko-db-service.sock');
  w.write('ekko.json', { name: 'shop', type: 'run', entry: 'src/main.ts', exports: { './ipc/*': './ipc/*.js' }, imports: { 'ipc:database-service': 'shop/ipc/database-service' } });
  const { code, stderr } = await generate();
  assert.equal(code, 0, stderr);
});
after(() => database.close());

const generate = (...more) => w.start(tool, ['gen', 'ekkojs', 'database-service', '--address', database.address, ...more]).ended;

// run runs a program of the project, and is fulfilled when it has ended by itself.
let programs = 0;
function start(text) {
  const file = w.write(`src/program${++programs}.js`, text);
  fs.writeFileSync(path.join(w.dir, 'src/package.json'), '{"type":"module"}');
  return w.start(process.execPath, ['--import', shim, file]);
}
const run = (text) => start(text).ended;

test('the first snippet, word for word', async () => {
  const { code, stdout, stderr } = await run(`
// EkkoJS Client
import service from 'ipc:database-service';
const result = await service.getUserById(123);
console.log(result);
`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Ada Lovelace/);
});

test('what ekko.json lacks is said, and nothing when it lacks nothing', async () => {
  assert.doesNotMatch((await generate()).stderr, /ekko\.json/);
  const complete = fs.readFileSync('ekko.json');
  fs.writeFileSync('ekko.json', '// mine\n{ "name": "shop", /* so far */ "type": "run" }');
  const { stderr } = await generate();
  assert.match(stderr, /ekko\.json has to say:\n {2}"exports": \{ "\.\/ipc\/\*": "\.\/ipc\/\*\.js" \},\n {2}"imports": \{ "ipc:database-service": "shop\/ipc\/database-service" \}\n/);
  fs.writeFileSync('ekko.json', complete);
});

test('named imports, errors, streams', async () => {
  const { stdout, stderr } = await run(`
    import db, { getUserById, exportUsers } from 'ipc:database-service';
    console.log((await getUserById(123)).id, db.$manifest.service.version);
    try {
      await db.getUserById(7);
    } catch ({ name, code, executed }) {
      console.log(name, code, executed);
    }
    for await (const user of exportUsers()) console.log('exported', user.id);
  `);
  assert.match(stdout, /^123 1\.0\.0\nIpcError NOT_FOUND no\nexported /, stderr);
});

test('long messages, and what UTF-8 makes of them', async () => {
  const { stdout, stderr } = await run(`
    import db from 'ipc:database-service';
    for (const text of ['ü🎈\\n', 'x🎈'.repeat(60_000), '🎈'.repeat(100_000)]) console.log((await db.$call('ipc.ping', text))[0] === text);
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => db.$call('ipc.ping', i)));
    console.log(answers.every(([answer], i) => answer === i));
  `);
  assert.equal(stdout, 'true\ntrue\ntrue\ntrue\n', stderr);
});

test('a subscription keeps the program, and comes back after a lost connection', async () => {
  const program = start(`
    import db from 'ipc:database-service';
    let heard = 0;
    const stop = db.subscribe('user.created', ({ name }) => {
      console.log('heard', name);
      if (++heard === 2) stop();
    });
    await db.$call('ipc.ping');
    console.log('listening');
  `);
  await program.said('listening');
  const service = await connect('database-service');
  const create = (name) => service.createUser({ name, email: `${name}${Math.random()}@example.com` });
  await create('Grace');
  await program.said('heard Grace');
  for (const socket of database.sockets) socket.destroy();
  // Nobody says when it is back, but that it hears again.
  await until(async () => {
    await create('Edsger');
    return program.stdout.includes('heard Edsger');
  });
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  service.$close();
});

test('a connection that nobody waits for is closed, and made again', async () => {
  const { code, stdout, stderr } = await run(`
    import db from 'ipc:database-service';
    import { tcp } from 'ekko:net';
    const { connect, close } = tcp;
    let made = 0;
    const closed = new Promise((resolve) => { tcp.close = (handle) => { close(handle); resolve(); }; });
    tcp.connect = (...where) => { made++; return connect(...where); };
    await db.getUserById(123);
    await closed;
    console.log((await db.getUserById(123)).id, made);
  `);
  assert.equal(stdout, '123 2\n', stderr);
  assert.equal(code, 0);
});

test('a service that is down is an error of the call', async () => {
  const gone = await port('nothing.sock');
  gone.close();
  w.write('ekko.json', { name: 'shop', type: 'run', exports: { './down/*': './down/*.js' }, imports: { 'ipc:database-service': 'shop/down/database-service' } });
  await w.start(tool, ['gen', 'ekkojs', 'database-service', '--address', gone.address, '-o', 'down']).ended;
  const { stdout, stderr } = await run("import db from 'ipc:database-service';\nawait db.$with({ timeout: 5000 }).getUserById(1).catch(({ code, executed }) => console.log(code, executed));\n");
  assert.equal(stdout, 'SERVICE_UNAVAILABLE no\n', stderr);
});
