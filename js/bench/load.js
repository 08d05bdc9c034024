// What is measured in a client: calls one after the other, many at once, and
// events.
import { performance } from 'node:perf_hooks';

/** one makes one call after the other for so many milliseconds, and returns
    what a call takes, in µs. */
export async function one(call, ms) {
  const times = [];
  const begin = performance.now();
  for (let last = begin; last - begin < ms;) {
    await call();
    const now = performance.now();
    times.push((now - last) * 1000);
    last = now;
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  return { p50: at(0.5), p99: at(0.99) };
}

/** many keeps so many calls under way. A timer ends it: to look at the clock
    in each call would be felt. */
export async function many(call, atOnce, ms) {
  let calls = 0;
  let over = false;
  const used = usage();
  setTimeout(() => { over = true; }, ms);
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (!over) {
      await call();
      calls++;
    }
  }));
  return used(calls);
}

/** hear has the service publish events, and returns how many a second arrive,
    and how many do not. */
export async function hear(service, how, events) {
  const { over, stop } = (how === 'loop' ? intoLoop : intoListener)(service);
  await service.$call('ipc.ping'); // what was asked before is agreed by then
  const used = usage();
  const [{ count, dropped }] = await Promise.all([over, service.$with({ timeout: 0 }).flood(events)]);
  const found = { ...used(count), lost: dropped / events };
  await stop();
  return found;
}

function intoListener(service) {
  let count = 0;
  let dropped = 0;
  const stops = [service.subscribe('tick', (_, { gap }) => {
    count++;
    dropped += gap?.count ?? 0;
  })];
  const over = new Promise((resolve) => { stops.push(service.subscribe('over', () => resolve({ count, dropped }))); });
  return { over, stop: () => { for (const stop of stops) stop(); } };
}

function intoLoop(service) {
  const loop = service.on('*', { limit: 8192 });
  const reading = async () => {
    let count = 0;
    for await (const { channel } of loop) {
      if (channel === 'over') break;
      count++;
    }
    return { count, dropped: loop.dropped };
  };
  return { over: reading(), stop: () => {} };
}

// usage begins to measure. The function returned ends that: so many a second,
// and this process's µs of CPU for each.
function usage() {
  const before = process.cpuUsage();
  const begin = performance.now();
  return (count) => {
    const seconds = (performance.now() - begin) / 1000;
    const { user, system } = process.cpuUsage(before);
    return { rate: count / seconds, cpu: (user + system) / count };
  };
}
