// Hooks of Node's module loader, as it takes them on a thread of their own
// (Node 20). Later versions take those of register.js.
import { receiveMessageOnPort } from 'node:worker_threads';

import { hearMock } from './mocks.js';
import { SCHEME, find, textOf } from './module.js';

let port;

/** initialize is called first, with what register.js sends along: a port by
    which the other thread tells of its mocks. */
export function initialize(data) { port = data?.port; }

export async function resolve(specifier, context, next) {
  return specifier.startsWith(SCHEME) ? { url: specifier, format: 'module', shortCircuit: true } : next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith(SCHEME)) return next(url, context);
  hear();
  return { format: 'module', source: textOf(find(url)), shortCircuit: true };
}

// What was told before an import was asked for is there by now.
function hear() {
  for (let told = port && receiveMessageOnPort(port); told !== undefined; told = receiveMessageOnPort(port)) hearMock(...told.message);
}
