// The peer is node-ipc over a Unix socket. It has events and no calls: what
// belongs together is found by a number, as everybody who uses it has to do.

import { join } from 'node:path';
import ipc from 'node-ipc';
import { checkObject } from '../payload.js';

export const packageName = 'node-ipc';

const { IPC } = ipc;

function quiet() {
	const one = new IPC();
	one.config.silent = true;
	one.config.retry = 100;
	one.config.maxConnections = 1 << 16;
	return one;
}

export function serve(dir) {
	const path = join(dir, 'node-ipc.sock');
	return new Promise((resolve, reject) => {
		const own = quiet();
		own.serve(path, () => {
			own.server.on('echo', (message, socket) => own.server.emit(socket, 'echo', message));
			resolve(path);
		});
		own.server.on('error', reject);
		own.server.start();
	});
}

export function dial(path) {
	const own = quiet();
	const waiting = new Map();
	let last = 0;
	return new Promise((resolve, reject) => {
		own.connectTo('bench', path, () => {
			const service = own.of.bench;
			service.on('error', reject);
			service.on('echo', ({ id, data }) => {
				const { sent, settle, fail } = waiting.get(id);
				waiting.delete(id);
				try {
					checkObject(sent, data);
					settle();
				} catch (error) {
					fail(error);
				}
			});
			service.on('connect', () =>
				resolve({
					prepare: JSON.parse,
					call: (sent) =>
						new Promise((settle, fail) => {
							const id = ++last;
							waiting.set(id, { sent, settle, fail });
							service.emit('echo', { id, data: sent });
						}),
					close: () => own.disconnect('bench'),
				}),
			);
		});
	});
}
