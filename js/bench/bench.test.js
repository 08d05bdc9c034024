// The benchmark itself: that it measures something, and that the tables in the
// documentation are those of its results. Needs nothing that is to be installed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import { endAll } from './process.js';
import { aims, callRow, median } from './report.js';
import { here, peers, root, setStage } from './stage.js';
import { markdown, withTables } from './table.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'ekko-bench-'));
after(() => {
  endAll();
  rmSync(dir, { recursive: true, force: true });
});

const results = JSON.parse(readFileSync(path.join(here, 'results.json'), 'utf8'));

test('the documentation has the tables of the results', () => {
  const text = readFileSync(path.join(root, 'docs', 'javascript.md'), 'utf8');
  assert.equal(withTables(text, results), text, 'node js/bench/bench.js --from js/bench/results.json --docs docs/javascript.md writes them');
});

test('what is aimed at is told apart from what is reached', () => {
  const calls = [{ runtime: 'Node 20', peer: 'ipc', p50_us: 1, p99_us: 2, calls_64: 3, calls_256: 4, cpu_us: 4.1 },
    { runtime: 'Node 20', peer: 'echo', p50_us: 1, p99_us: 2, calls_64: 3, calls_256: 4, cpu_us: 1, ipc_p50_ratio: 1.2, ipc_64_ratio: 1.4 }];
  const report = { ...results, calls, events: [], start: [], embedded: { ...results.embedded, calls_64: 28_000 }, size: undefined };
  assert.deepEqual(aims(report).map(({ unit, met }) => [unit, met]), [['× echo', true], ['× echo', false], ['µs a call', false], ['calls a second', true]]);
  assert.match(markdown(report), /\| ≥ 1\.5 × echo \| 1\.40 \| \*\*missed\*\* \|/);
});

test('ratios are taken within a round', () => {
  const ours = [{ p50: 10, few: 100 }, { p50: 100, few: 10 }, { p50: 10, few: 100 }];
  const row = callRow({ runtime: 'Node 20', peer: 'echo', rounds: ours.map(({ p50, few }) => ({ p50: 2 * p50, p99: 1, few: few / 4, most: 1, cpu: 1 })) }, ours);
  assert.deepEqual([row.ipc_p50_ratio, row.ipc_64_ratio], [0.5, 4]);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('peers are measured', async () => {
  const programs = path.join(root, '.build');
  execFileSync('go', ['build', '-buildvcs=false', '-o', path.join(programs, 'bench-js-service'), './js/bench/service'], { cwd: root });
  for (const name of ['ipc', 'echo', 'echo-joined']) {
    const { client } = await setStage(peers.find((peer) => peer.name === name), { runtime: ['Node', process.execPath], programs, dir });
    const { p50, p99 } = await client.obey({ order: 'one', ms: 5 });
    assert.ok(p50 > 0 && p50 <= p99, `${name}: ${p50} ${p99}`);
    const { rate, cpu } = await client.obey({ order: 'many', atOnce: 64, ms: 5 });
    assert.ok(rate > 0 && cpu >= 0, `${name}: ${rate} ${cpu}`);
    if (name !== 'ipc') continue;
    for (const how of ['listener', 'loop']) {
      const heard = await client.obey({ order: 'hear', how, ms: 5 });
      assert.ok(heard.rate > 0, `${how}: ${JSON.stringify(heard)}`);
    }
  }
});

test('an order that fails says why', async () => {
  const { client } = await setStage(peers.find(({ name }) => name === 'echo'), { runtime: ['Node', process.execPath], programs: '', dir });
  await assert.rejects(client.obey({ order: 'hop' }), /echo in Node, client: Error: there is no order "hop"/);
});
