// A process of the benchmark with one peer in it. It reads orders from its
// standard input, a JSON value a line, answers each on its standard output, and
// ends with its input:
//
//	node child.js serve PEER DIR
//	node child.js client PEER ADDRESS
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { payloadOf, smallSize } from '../../bench/node/payload.js';
import { hear, many, one } from './load.js';

const [role, name, where] = process.argv.slice(2);
const peer = await import(`./peers/${name}.js`);
let connection;
let call;

async function start() {
  if (role === 'serve') return { addr: await peer.serve(where) };
  connection = await peer.dial(where);
  const message = connection.prepare(payloadOf(smallSize));
  call = () => connection.call(message);
  await call();
  return { node: process.version, version: version() };
}

// version is that of the package that the peer is; none of our own.
function version() {
  if (peer.packageName === undefined) return undefined;
  for (const folder of ['peers', '../../bench/node']) {
    try {
      return JSON.parse(readFileSync(new URL(`${folder}/node_modules/${peer.packageName}/package.json`, import.meta.url), 'utf8')).version;
    } catch { /* then it is in the other one */ }
  }
  return undefined;
}

function obey({ order, ms, atOnce, how }) {
  switch (order) {
    case 'one': return one(call, ms);
    case 'many': return many(call, atOnce, ms);
    case 'hear': return hear(connection.service, how, ms);
    default: throw new Error(`there is no order ${JSON.stringify(order)}`);
  }
}

async function reply(action) {
  let answer;
  try {
    answer = await action();
  } catch (error) {
    answer = { err: error?.stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

process.stdout.on('error', () => process.exit(1)); // nobody listens any more
await reply(start);
for await (const line of createInterface({ input: process.stdin })) await reply(() => obey(JSON.parse(line)));
process.exit(0);
