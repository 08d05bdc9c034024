// node js/bench/bench.js: what calls and events cost, beside other ways that a
// program in JavaScript has, all in the same run. `make bench-js` builds and
// installs what that needs, and runs it.
//
//	--quick           a first look, under a minute
//	--peers ipc,echo  some of the peers only
//	--out FILE        write what was measured
//	--docs FILE       write the tables of it into a Markdown file
//	--from FILE       measure nothing: show, or write into --docs, what is there
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { embedded, size, start } from './once.js';
import { endAll } from './process.js';
import { callRow, embeddedRow, eventRow, machine, startRow } from './report.js';
import { peers as all, root, runtimes, setStage } from './stage.js';
import { markdown, writeInto } from './table.js';

const FULL = { rounds: 5, ms: 500, starts: 4 };
const QUICK = { rounds: 2, ms: 100, starts: 2 };

const options = parseArgs({
  options: { quick: { type: 'boolean' }, peers: { type: 'string' }, out: { type: 'string' }, docs: { type: 'string' }, from: { type: 'string' } },
}).values;

function chosen() {
  const names = options.peers?.split(',') ?? all.map(({ name }) => name);
  for (const name of names) if (!all.some((peer) => peer.name === name)) throw new Error(`there is no peer ${JSON.stringify(name)}: there are ${all.map((peer) => peer.name).join(', ')}`);
  if (!names.includes('ipc')) names.unshift('ipc'); // to which the others are compared
  return all.filter(({ name }) => names.includes(name));
}

// measure runs all rounds, of which the first warms up.
async function measure(plan, dir) {
  const where = { programs: path.join(root, '.build'), dir };
  const whole = options.peers === undefined;
  const stages = [];
  for (const runtime of runtimes()) {
    for (const peer of chosen()) stages.push({ ...await setStage(peer, { ...where, runtime }), rounds: [] });
  }
  const heard = new Map();
  const starts = new Map(runtimes().map(([name]) => [name, []]));
  const inside = [];
  const runEmbedded = whole ? await embedded(where) : undefined;
  const note = (map, key, value) => map.set(key, [...map.get(key) ?? [], value]);
  for (let i = 0; i <= plan.rounds; i++) {
    const counts = i > 0;
    for (const stage of stages) {
      const round = await callRound(stage.client, plan.ms);
      if (counts) stage.rounds.push(round);
    }
    for (const { runtime, client } of stages.filter(({ peer }) => peer === 'ipc')) {
      for (const how of ['listener', 'loop']) {
        const found = await client.obey({ order: 'hear', how, ms: plan.ms });
        if (counts) note(heard, `${runtime}/${how}`, found);
      }
    }
    for (const [runtime, node] of runtimes()) {
      for (let n = 0; n < plan.starts; n++) {
        const found = start(node, dir);
        if (counts) note(starts, runtime, found);
      }
    }
    const found = await runEmbedded?.(plan.ms);
    if (counts && found !== undefined) inside.push(found);
    if (process.stderr.isTTY) process.stderr.write(counts ? `round ${i} of ${plan.rounds}\n` : 'warm\n');
  }
  return report(plan, { stages, heard, starts, inside, size: whole ? await size() : undefined });
}

async function callRound(client, ms) {
  const { p50, p99 } = await client.obey({ order: 'one', ms });
  const few = await client.obey({ order: 'many', atOnce: 64, ms });
  const most = await client.obey({ order: 'many', atOnce: 256, ms });
  return { p50, p99, few: few.rate, cpu: few.cpu, most: most.rate };
}

function report({ rounds, ms }, { stages, heard, starts, inside, size: bytes }) {
  const ours = (runtime) => stages.find((stage) => stage.runtime === runtime && stage.peer === 'ipc').rounds;
  return {
    machine: machine(), nodes: [...new Set(stages.map(({ node }) => node.slice(1)))], rounds, each_ms: ms,
    calls: stages.map((stage) => callRow(stage, ours(stage.runtime))),
    events: [...heard].map(([key, found]) => eventRow(...key.split('/'), found)),
    start: [...starts].map(([runtime, found]) => startRow(runtime, found)),
    embedded: inside.length === 0 ? undefined : embeddedRow(inside),
    size: bytes,
  };
}

async function run() {
  if (options.from !== undefined) return JSON.parse(readFileSync(options.from, 'utf8'));
  if ((options.out ?? options.docs) !== undefined && (options.quick || options.peers !== undefined)) throw new Error('--out and --docs are for all peers in full length, not for --quick or --peers');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'ekko-bench-')); // 0700
  const end = () => {
    endAll();
    rmSync(dir, { recursive: true, force: true });
  };
  process.on('SIGINT', () => {
    end();
    process.exit(130);
  });
  try {
    return await measure(options.quick ? QUICK : FULL, dir);
  } finally {
    end();
  }
}

try {
  const found = await run();
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(found, null, 2)}\n`);
  if (options.docs !== undefined) writeInto(options.docs, found);
  process.stdout.write(markdown(found));
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
process.exit();
