// node --import @ekkojs/ipc/register app.mjs: makes `import x from 'ipc:name'`
// work, and require('ipc:name').
import module from 'node:module';

import { tellMocks } from './mocks.js';
import { SCHEME, find, textOf } from './module.js';

const isOurs = (specifier) => typeof specifier === 'string' && specifier.startsWith(SCHEME);

if (globalThis.Bun !== undefined) {
  globalThis.Bun.plugin({
    name: '@ekkojs/ipc',
    setup(build) {
      build.onResolve({ filter: /.*/, namespace: 'ipc' }, ({ path }) => ({ path, namespace: 'ipc' }));
      build.onLoad({ filter: /.*/, namespace: 'ipc' }, ({ path }) => ({ contents: textOf(find(SCHEME + path)), loader: 'js' }));
    },
  });
} else if (module.registerHooks !== undefined) {
  module.registerHooks({
    resolve: (specifier, context, next) => (isOurs(specifier) ? { url: specifier, format: 'module', shortCircuit: true } : next(specifier, context)),
    load: (url, context, next) => (isOurs(url) ? { format: 'module', source: textOf(find(url)), shortCircuit: true } : next(url, context)),
  });
} else {
  // Node 20: imports are loaded by hooks on a thread of their own, and require
  // knows nothing of them.
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  tellMocks((name, methods) => port1.postMessage([name, methods]));
  module.register('./hooks.js', import.meta.url, { data: { port: port2 }, transferList: [port2] });
  const { service } = await import('./index.js');
  const load = module.Module._load;
  module.Module._load = function loadOurs(request, ...rest) {
    if (!isOurs(request)) return Reflect.apply(load, this, [request, ...rest]);
    const found = find(request);
    return service(found.name, found);
  };
}
