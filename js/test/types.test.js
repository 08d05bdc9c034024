// The types, as types: bad.ts has a mark where the compiler has to complain.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';

import { js, world } from './world.js';

const w = world();

test('wrong arguments, events, payloads and options do not compile, right ones do', async () => {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { code, stdout } = await w.start(process.execPath, [tsc, '-p', path.join(js, 'test/types')]).ended;
  assert.equal(code, 0, stdout);
});
