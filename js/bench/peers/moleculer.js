export * from '../../../bench/node/peers/moleculer.js';
