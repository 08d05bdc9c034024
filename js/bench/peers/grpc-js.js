export * from '../../../bench/node/peers/grpc-js.js';
