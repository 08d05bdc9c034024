// What is measured in the embedded runtime: ekko-ipc run embedded.js MS. It prints
// the figures as JSON.
import bench from 'ipc:bench';

import { checkObject, payloadOf, smallSize } from '../../bench/node/payload.js';
import { many, one } from './load.js';

const ms = Number(process.argv[2]);
const value = JSON.parse(payloadOf(smallSize));
const call = () => bench.echo(value);

checkObject(value, await call()); // once: an engine without a compiler takes as long for that as for a tenth of the call
await one(call, ms); // to warm up
const { p50, p99 } = await one(call, ms);
const { rate: few } = await many(call, 64, ms);
const { rate: most } = await many(call, 256, ms);
console.log(JSON.stringify({ p50, p99, few, most }));
