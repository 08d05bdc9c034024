// Hooks of Node's module loader, as it takes them on a thread of their own
// (Node 20). Later versions take those of register.js.
import { receiveMessageOnPort } from 'node:worker_threads';

import { MOCKS, hearMock } from './mocks.js';
import { SCHEME, find, textOf } from './module.js';

// By this the other thread tells of its mocks.
const mocks = new BroadcastChannel(MOCKS);
mocks.onmessage = ({ data }) => hearMock(...data);

export async function resolve(specifier, context, next) {
  return specifier.startsWith(SCHEME) ? { url: specifier, format: 'module', shortCircuit: true } : next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith(SCHEME)) return next(url, context);
  hear();
  return { format: 'module', source: textOf(find(url)), shortCircuit: true };
}

// What was told before an import was asked for is there by now, though it may
// not have had its turn.
function hear() {
  for (let told = receiveMessageOnPort(mocks); told !== undefined; told = receiveMessageOnPort(mocks)) hearMock(...told.message);
}
