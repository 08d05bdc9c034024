// The peer is grpc-js with its defaults over a Unix socket; the message is one
// field of bytes, as in ../../grpc.go, encoded by proto-loader.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { checkBytes } from '../payload.js';

export const packageName = '@grpc/grpc-js';

const { Echo } = grpc.loadPackageDefinition(loadSync(fileURLToPath(new URL('echo.proto', import.meta.url)))).bench;

export async function serve(dir) {
	const address = `unix:${join(dir, 'grpc-js.sock')}`;
	const server = new grpc.Server();
	server.addService(Echo.service, {
		echo: ({ request }, callback) => callback(null, { value: request.value }),
	});
	await new Promise((resolve, reject) => {
		server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
	});
	return address;
}

export async function dial(address) {
	// A pool of its own, or all clients of an address would share a connection.
	const client = new Echo(address, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
	return {
		prepare: (text) => ({ value: Buffer.from(text) }),
		call: (message) =>
			new Promise((resolve, reject) => {
				client.echo(message, (error, received) => {
					if (error) return reject(error);
					checkBytes(message.value, received.value);
					resolve();
				});
			}),
		close: () => client.close(),
	};
}
