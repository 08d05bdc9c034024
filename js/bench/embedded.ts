// What is measured in the embedded runtime, by ekko-ipc run: the same calls as
// in load.js. It prints the figures as JSON.
import bench from 'ipc:bench';

const ms = Number(process.argv[2]);
const value = { orderId: 456, customer: 'Ada Lovelace', total: 99.99, items: ['tea', 'rusk', 'jam'], note: 'parcel' };

async function one() {
  const times: number[] = [];
  const begin = performance.now();
  for (let last = begin; last - begin < ms;) {
    await bench.echo(value);
    const now = performance.now();
    times.push((now - last) * 1000);
    last = now;
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))];
  return { p50: at(0.5), p99: at(0.99) };
}

async function many(atOnce: number) {
  let calls = 0;
  let over = false;
  const begin = performance.now();
  setTimeout(() => { over = true; }, ms);
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (!over) {
      await bench.echo(value);
      calls++;
    }
  }));
  return calls / (performance.now() - begin) * 1000;
}

await one(); // to warm up
console.log(JSON.stringify({ ...await one(), few: await many(64), most: await many(256) }));
