// Hooks of Node's module loader, as it takes them on a thread of their own
// (Node 20). Later versions take those of register.js.
import { SCHEME, find, textOf } from './module.js';

export async function resolve(specifier, context, next) {
  return specifier.startsWith(SCHEME) ? { url: specifier, format: 'module', shortCircuit: true } : next(specifier, context);
}

export async function load(url, context, next) {
  return url.startsWith(SCHEME) ? { format: 'module', source: textOf(find(url)), shortCircuit: true } : next(url, context);
}
