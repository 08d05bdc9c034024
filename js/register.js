// Makes `import x from 'ipc:name'` work, and require('ipc:name'), in a program
// that it is loaded before: node --import, bun --preload, deno run --preload.
import module from 'node:module';

import { tellMocks } from './mocks.js';
import { SCHEME, find, textOf } from './module.js';

const isOurs = (specifier) => typeof specifier === 'string' && specifier.startsWith(SCHEME);

if (globalThis.Bun !== undefined) plugInto(globalThis.Bun);
else if (module.registerHooks === undefined) {
  // Node 20: imports are loaded by hooks on a thread of their own, and require
  // knows nothing of them.
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  tellMocks((name, methods) => port1.postMessage([name, methods]));
  module.register('./hooks.js', import.meta.url, { data: { port: port2 }, transferList: [port2] });
  await hookRequire();
} else {
  module.registerHooks({
    resolve: (specifier, context, next) => (isOurs(specifier) ? { url: specifier, format: 'module', shortCircuit: true } : next(specifier, context)),
    load: (url, context, next) => (isOurs(url) ? { format: 'module', source: textOf(find(url)), shortCircuit: true } : next(url, context)),
  });
  // Deno asks the hooks about imports, and only half about what is required.
  if (globalThis.Deno !== undefined) await hookRequire();
}

function plugInto(bun) {
  bun.plugin({
    name: '@ekkojs/ipc',
    setup(build) {
      build.onResolve({ filter: /.*/, namespace: 'ipc' }, ({ path }) => ({ path, namespace: 'ipc' }));
      build.onLoad({ filter: /.*/, namespace: 'ipc' }, ({ path }) => ({ contents: textOf(find(SCHEME + path)), loader: 'js' }));
    },
  });
}

async function hookRequire() {
  const { service } = await import('./index.js');
  const load = module._load;
  module._load = function loadOurs(request, ...rest) {
    if (!isOurs(request)) return Reflect.apply(load, this, [request, ...rest]);
    const found = find(request);
    return service(found.name, found);
  };
}
