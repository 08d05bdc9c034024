export * from '../../../bench/node/peers/node-ipc.js';
