// What is measured in a client: calls one after the other, many at once, and
// events. It runs in the embedded runtime, too, which has no process.cpuUsage.

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

/** hear has the service publish events for so many milliseconds, and returns how
    many a second arrive, and how many do not. The service is never more than a
    few events ahead: to publish what is then dropped takes a processor, too. */
export async function hear(service, how, ms) {
  const heard = (how === 'loop' ? intoLoop : intoListener)(service);
  await service.$call('ipc.ping'); // what was asked before is agreed by then
  let published = 0;
  let over = false;
  const used = usage();
  setTimeout(() => { over = true; }, ms);
  await Promise.all(Array.from({ length: AHEAD }, async () => {
    while (!over) {
      await service.flood(EVENTS);
      published += EVENTS;
    }
  }));
  const found = used(heard.count);
  heard.stop();
  return { ...found, lost: heard.dropped / published };
}
const EVENTS = 256; // that one call publishes
const AHEAD = 4; // such calls at once

function intoListener(service) {
  const heard = { count: 0, dropped: 0, stop: undefined };
  heard.stop = service.subscribe('tick', (_, { gap }) => {
    heard.count++;
    heard.dropped += gap?.count ?? 0;
  });
  return heard;
}

function intoLoop(service) {
  const loop = service.on('tick');
  const heard = { count: 0, get dropped() { return loop.dropped; }, stop: () => loop.return() };
  (async () => { for await (const _ of loop) heard.count++; })();
  return heard;
}

// usage begins to measure. The function returned ends that: so many a second,
// and this process's µs of CPU for each.
function usage() {
  const before = process.cpuUsage?.();
  const begin = performance.now();
  return (count) => {
    const seconds = (performance.now() - begin) / 1000;
    if (before === undefined) return { rate: count / seconds };
    const { user, system } = process.cpuUsage(before);
    return { rate: count / seconds, cpu: (user + system) / count };
  };
}
