// The report is what results.json has: medians over the rounds, and what was
// aimed at.
import os from 'node:os';

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const round = (value, digits) => Number(value.toFixed(digits));

/** machine is where and when figures are taken. */
export function machine() {
  const [cpu] = os.cpus();
  return {
    cpu: cpu?.model ?? 'unnamed CPU', cores: os.cpus().length, mem_gib: Math.floor(os.totalmem() / 2 ** 30),
    system: `${process.platform}/${process.arch} ${os.release().split('.').slice(0, 2).join('.')}`, date: new Date().toISOString().slice(0, 10),
  };
}

/** callRow is one peer in one runtime. ours are the rounds of our own calls
    there: a ratio is taken within a round, which a slow round that is slow for
    both does not disturb. Both ratios say how many times ours is that peer. */
export function callRow({ runtime, peer, version, rounds }, ours) {
  const of = (name, digits) => round(median(rounds.map((one) => one[name])), digits);
  const ratio = (name) => round(median(rounds.map((one, i) => ours[i][name] / one[name])), 2);
  return {
    runtime, peer, version, p50_us: of('p50', 1), p99_us: of('p99', 1), calls_64: of('few', 0), calls_256: of('most', 0), cpu_us: of('cpu', 2),
    ...(ours === rounds ? {} : { ipc_p50_ratio: ratio('p50'), ipc_64_ratio: ratio('few') }),
  };
}

/** eventRow is how events are received in one runtime. */
export function eventRow(runtime, into, rounds) {
  const of = (name, digits) => round(median(rounds.map((one) => one[name])), digits);
  return { runtime, into, per_s: of('rate', 0), cpu_us: of('cpu', 2), lost_percent: round(median(rounds.map(({ lost }) => 100 * lost)), 0) };
}

/** startRow is what the import hook costs in one runtime. */
export function startRow(runtime, rounds) {
  return {
    runtime, bare_ms: round(median(rounds.map(({ bare }) => bare)), 1), hook_ms: round(median(rounds.map(({ bare, hooked }) => hooked - bare)), 1),
  };
}

/** embeddedRow is the embedded runtime. */
export function embeddedRow(rounds) {
  const of = (name, digits) => round(median(rounds.map((one) => one[name])), digits);
  return { p50_us: of('p50', 1), p99_us: of('p99', 1), calls_64: of('few', 0), calls_256: of('most', 0) };
}

/** aims are what was aimed at, each with what was measured and whether that is
    enough. What was not measured is left out. */
export function aims({ calls, events, start, embedded, size }) {
  const list = [];
  const most = (what, limit, unit, found) => { if (found !== undefined) list.push({ what, aim: `≤ ${limit}`, unit, found, met: found <= limit }); };
  const least = (what, limit, unit, found) => { if (found !== undefined) list.push({ what, aim: `≥ ${limit.toLocaleString('en')}`, unit, found, met: found >= limit }); };
  const client = 'Node 20';
  const row = (peer) => calls.find((one) => one.runtime === client && one.peer === peer);
  most(`one after the other, p50, ${client}`, 1.2, '× echo', row('echo')?.ipc_p50_ratio);
  for (const [peer, limit] of [['echo', 1.5], ['grpc-js', 20], ['nats', 10], ['moleculer', 8], ['node-ipc', 2.2]]) {
    least(`64 at once, ${client}`, limit, `× ${peer}`, row(peer)?.ipc_64_ratio);
  }
  most(`CPU of the client, 64 at once, ${client}`, 4, 'µs a call', row('ipc')?.cpu_us);
  for (const into of ['listener', 'loop']) {
    least(`events into a ${into}, Node 24`, 750_000, 'a second', events.find((one) => one.runtime === 'Node 24' && one.into === into)?.per_s);
  }
  most('the import hook at the start, Node 24', 15, 'ms', start.find(({ runtime }) => runtime === 'Node 24')?.hook_ms);
  least('64 at once, embedded runtime', 28_000, 'calls a second', embedded?.calls_64);
  most('all that a client needs, minified and gzipped', 6, 'kB', size === undefined ? undefined : round(size.client / 1000, 1));
  return list;
}
