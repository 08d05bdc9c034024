// node js/bench/bench.js: what a call and an event cost, beside a plain echo in
// the same run. The rounds of the two alternate, and medians are shown: machines
// with other work on them differ by a quarter from one minute to the next.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ekko-bench-'));
process.env.EKKO_IPC_RUNTIME_DIR = dir;
fs.chmodSync(dir, 0o700);
const { connect } = await import('../index.js');

const rounds = Number(process.argv[2] ?? 5);
const children = [];

function start(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve) => { child.stdout.once('data', resolve); });
}

// A message of about 250 bytes, as a call is.
const data = { text: 'x'.repeat(110) };
const line = Buffer.from(`${'x'.repeat(249)}\n`);

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

// sequential returns the median time of one exchange, in µs.
async function sequential(exchange, n = 10_000) {
  const times = [];
  for (let i = 0; i < n; i++) {
    const begin = performance.now();
    await exchange();
    times.push((performance.now() - begin) * 1000);
  }
  return median(times);
}

// many keeps so many exchanges under way. It returns exchanges a second, and
// this process's µs of CPU for each.
async function many(exchange, atOnce, n = 100_000) {
  let left = n;
  const before = process.cpuUsage();
  const begin = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => { while (left-- > 0) await exchange(); }));
  const { user, system } = process.cpuUsage(before);
  return [n / (performance.now() - begin) * 1000, (user + system) / n];
}

// echoOf makes exchanges of a plain echo: each with a write of its own, or
// those of a turn joined.
async function echoOf(at, joined) {
  const socket = net.connect(at);
  await new Promise((resolve) => { socket.on('connect', resolve); });
  const waiting = [];
  let held = 0;
  socket.on('data', (chunk) => {
    for (held += chunk.length; held >= line.length; held -= line.length) waiting.shift()();
  });
  let count = 0;
  const flush = () => {
    socket.write(count === 1 ? line : Buffer.concat(Array(count).fill(line)));
    count = 0;
  };
  return () => new Promise((resolve) => {
    waiting.push(resolve);
    if (!joined) socket.write(line);
    else if (count++ === 0) queueMicrotask(flush);
  });
}

// received returns how many events a second arrive, how many were lost, and
// this process's µs of CPU for each.
async function received(service, listen) {
  const { promise, resolve } = Promise.withResolvers?.() ?? withResolvers();
  const stop = listen(resolve);
  await service.$call('ipc.ping');
  const before = process.cpuUsage();
  const begin = performance.now();
  await service.$with({ timeout: 0 }).flood(EVENTS);
  const { count, dropped } = await promise;
  const rate = count / (performance.now() - begin) * 1000;
  const { user, system } = process.cpuUsage(before);
  stop();
  return [rate, dropped, (user + system) / count];
}
const EVENTS = 300_000;

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}

const intoListener = (service) => (resolve) => {
  let count = 0;
  let dropped = 0;
  const stops = [
    service.subscribe('tick', (_, { gap }) => { count++; dropped += gap?.count ?? 0; }),
    service.subscribe('over', () => resolve({ count, dropped })),
  ];
  return () => { for (const stop of stops) stop(); };
};

const intoLoop = (service) => (resolve) => {
  const loop = service.on('*', { limit: 8192 });
  let count = 0;
  (async () => {
    for await (const { channel } of loop) {
      if (channel === 'over') resolve({ count, dropped: loop.dropped });
      else count++;
    }
  })();
  return () => loop.return();
};

try {
  const binary = path.join(dir, 'bench');
  execFileSync('go', ['build', '-buildvcs=false', '-o', binary, './js/bench/service'], { cwd: root });
  await start(binary, []);
  await start(process.execPath, [path.join(here, 'echo.js'), path.join(dir, 'echo.sock')]);
  const service = await connect(`unix:${path.join(dir, 'bench.sock')}`);
  const call = () => service.echo(data);
  const single = await echoOf(path.join(dir, 'echo.sock'), false);
  const joined = await echoOf(path.join(dir, 'echo.sock'), true);
  const found = { callP50: [], echoP50: [], call64: [], cpu64: [], single64: [], singleCPU: [], joined64: [], call256: [], listener: [], loop: [], dropped: [], listenerCPU: [], loopCPU: [] };
  for (let i = 0; i <= rounds; i++) {
    const round = {
      callP50: await sequential(call), echoP50: await sequential(single),
    };
    [round.call64, round.cpu64] = await many(call, 64);
    [round.single64, round.singleCPU] = await many(single, 64);
    [round.joined64] = await many(joined, 64);
    [round.call256] = await many(call, 256);
    [round.listener, round.dropped, round.listenerCPU] = await received(service, intoListener(service));
    [round.loop, , round.loopCPU] = await received(service, intoLoop(service));
    if (i > 0) for (const [name, value] of Object.entries(round)) found[name].push(value); // the first is to warm up
  }
  const m = Object.fromEntries(Object.entries(found).map(([name, list]) => [name, median(list)]));
  const n = (value, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  console.log(`Node ${process.version}, ${os.cpus().length} processors, medians of ${rounds} rounds

                                            call   plain echo    ratio
sequential, p50 (µs)              ${n(m.callP50, 1).padStart(14)}${n(m.echoP50, 1).padStart(13)}${n(m.callP50 / m.echoP50, 2).padStart(9)}
64 at once, a write each (1/s)    ${n(m.call64).padStart(14)}${n(m.single64).padStart(13)}${n(m.call64 / m.single64, 2).padStart(9)}
64 at once, writes joined (1/s)   ${n(m.call64).padStart(14)}${n(m.joined64).padStart(13)}${n(m.call64 / m.joined64, 2).padStart(9)}
256 at once (1/s)                 ${n(m.call256).padStart(14)}
CPU of the client (µs a call)     ${n(m.cpu64, 2).padStart(14)}${n(m.singleCPU, 2).padStart(13)}
events into a listener (1/s)      ${n(m.listener).padStart(14)}   (${n(m.dropped)} of ${n(EVENTS)} lost on the way)
events into a loop (1/s)          ${n(m.loop).padStart(14)}
CPU of the client (µs an event)   ${n(m.listenerCPU, 2).padStart(14)}${n(m.loopCPU, 2).padStart(13)}  (listener, loop)`);
  service.$close();
} finally {
  for (const child of children) child.kill('SIGKILL');
  fs.rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
