// @ekkojs/ipc: services of other processes, and services of this one.
export { bind, connect, service } from './client.js';
export { IpcError } from './error.js';
export { context, serve } from './service.js';
