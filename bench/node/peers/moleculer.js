// The peer is Moleculer with its TCP transporter, without discovery by
// broadcast: the client is told where the service is. Each end is a node that
// listens; what listens is kept to the loopback interface, which Moleculer has
// no setting for.

import net from 'node:net';
import moleculer from 'moleculer';
import { checkObject } from '../payload.js';

export const packageName = 'moleculer';

const { listen } = net.Server.prototype;

net.Server.prototype.listen = function (options, ...rest) {
	return listen.call(this, { host: '127.0.0.1', ...options }, ...rest);
};

function node(nodeID, urls) {
	const options = { udpDiscovery: false, gossipPeriod: 1, maxPacketSize: 8 << 20, urls };
	return new moleculer.ServiceBroker({ nodeID, logger: false, metrics: false, transporter: { type: 'TCP', options } });
}

export async function serve() {
	const broker = node('service', []);
	broker.createService({ name: 'bench', actions: { echo: ({ params }) => params } });
	await broker.start();
	return `127.0.0.1:${broker.transit.tx.opts.port}`;
}

export async function dial(address) {
	const broker = node('client', [`tcp://${address}/service`]);
	await broker.start();
	broker.transit.tx.sendGossipRequest(); // instead of waiting for the next round of it
	await broker.waitForServices('bench', 30_000, 20);
	return {
		prepare: JSON.parse,
		call: async (sent) => checkObject(sent, await broker.call('bench.echo', sent)),
		close: () => broker.stop(),
	};
}
