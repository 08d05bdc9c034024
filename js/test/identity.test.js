// Who is calling, by the kernel's word.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { connect, serve } from '../index.js';
import { rejection, world } from './world.js';

const w = world();

test('a service that asks knows the process, the user and the program of its callers', { skip: (process.platform !== 'linux' || globalThis.Deno !== undefined) && 'the kernel is asked on Linux alone, and not by Deno' }, async (t) => {
  const address = `unix:${path.join(w.runtime, 'known.sock')}`;
  const service = await serve('known', { who() { return this.caller; } }, { address, identify: true });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(address, { retries: 0 })));
  t.after(async () => {
    for (const client of clients) client.$close();
    await service.close();
  });
  // All at once: nothing is answered before it is known who asks.
  for (const caller of await Promise.all(clients.map((client) => client.who()))) {
    assert.deepEqual(caller, { known: true, pid: process.pid, uid: process.getuid(), gid: process.getgid(), exe: caller.exe, roles: [] });
    assert.ok(path.isAbsolute(caller.exe));
  }
  const tool = await w.built('ekko-ipc');
  const { stdout } = await w.start(tool, ['call', 'known.who']).ended;
  assert.notEqual(JSON.parse(stdout).pid, process.pid);
});

test('a service that does not ask says that nobody is known', async (t) => {
  const address = `unix:${path.join(w.runtime, 'unknown.sock')}`;
  const service = await serve('unknown', { who() { return this.caller; } }, { address });
  const client = await connect(address);
  t.after(async () => { client.$close(); await service.close(); });
  assert.deepEqual(await client.who(), { known: false, roles: [] });
  await assert.rejects(serve('wrong', {}, { identify: 'yes' }), TypeError);
  assert.equal((await rejection(serve('wrong', {}, { maxHeld: 0 }))).name, 'TypeError');
});
