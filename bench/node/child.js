// A child process of the benchmark that runs in Node. It reads orders from its
// standard input, one JSON value a line, and answers each on its standard
// output, as ../child.go does:
//
//	node child.js ROLE PEER DIR ADDR

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { runLoad } from './load.js';
import { payloadOf, smallSize } from './payload.js';

const [role, name, dir, address] = process.argv.slice(2);
const peer = await import(`./peers/${name}.js`);
const idle = [];
let connection;

/** What this process has used: seconds and KiB. Allocations are not counted. */
function usage() {
	const { user, system } = process.cpuUsage();
	return { cpu: (user + system) / 1e6, rss: Math.round(process.memoryUsage.rss() / 1024) };
}

/** The version of the package that the peer is. */
function version() {
	const path = new URL(`node_modules/${peer.packageName}/package.json`, import.meta.url);
	return JSON.parse(readFileSync(path, 'utf8')).version;
}

async function start() {
	switch (role) {
		case 'serve':
			return { addr: await peer.serve(dir) };
		case 'client':
			connection = await peer.dial(address);
			await connection.call(connection.prepare(payloadOf(smallSize)));
			return {};
		default:
			throw new Error(`no role is called "${role}"`);
	}
}

async function dialIdle(count) {
	for (let i = 0; i < count; i++) {
		try {
			const one = await peer.dial(address);
			idle.push(one);
			await one.call(one.prepare(payloadOf(smallSize)));
		} catch (error) {
			return { conns: idle.length, short: String(error) };
		}
	}
	return { conns: idle.length };
}

async function obey(order) {
	switch (order.do) {
		case 'usage':
			return {};
		case 'settle':
			globalThis.gc?.();
			return {};
		case 'load':
			return { load: await runLoad(connection, order) };
		case 'idle':
			return dialIdle(order.conns);
		case 'drop':
			for (const one of idle.splice(0)) one.close();
			return {};
		default:
			throw new Error(`no order is called "${order.do}"`);
	}
}

async function reply(action) {
	let answer;
	try {
		answer = await action();
	} catch (error) {
		answer = { err: error?.stack ?? String(error) };
	}
	process.stdout.write(`${JSON.stringify({ ...answer, version: version(), usage: usage() })}\n`);
}

process.stdout.on('error', () => process.exit(1)); // nobody listens any more

await reply(start);
for await (const line of createInterface({ input: process.stdin })) {
	await reply(() => obey(JSON.parse(line)));
}
process.exit(0);
