// Makes `import x from 'ipc:name'` work, and require('ipc:name'), in a program
// that it is loaded before: node --import, bun --preload, deno run --preload.
import module from 'node:module';

// What finds a service is loaded for the first that is imported: a program that
// imports none would wait longer for that than for all else here.
const require = module.createRequire(import.meta.url);
let ours;
const modules = () => ours ??= require('./module.js');
// Node 22 cannot require what a program is just importing, as it may be with
// parts of this package.
const beforehand = globalThis.Deno !== undefined || Number.parseInt(process.versions.node, 10) < 24;

const SCHEME = 'ipc:'; // as module.js has it
const isOurs = (specifier) => typeof specifier === 'string' && specifier.startsWith(SCHEME);

function textOf(specifier) {
  const { find, textOf } = modules();
  return textOf(find(specifier));
}

if (beforehand) ours = await import('./module.js');
if (globalThis.Bun !== undefined) plugInto(globalThis.Bun);
else if (module.registerHooks === undefined) {
  // Node 20: imports are loaded by hooks on a thread of their own, and require
  // knows nothing of them.
  module.register('./hooks.js', import.meta.url);
  await hookRequire();
} else {
  module.registerHooks({
    resolve: (specifier, context, next) => (isOurs(specifier) ? { url: specifier, format: 'module', shortCircuit: true } : next(specifier, context)),
    load: (url, context, next) => (isOurs(url) ? { format: 'module', source: textOf(url), shortCircuit: true } : next(url, context)),
  });
  // Deno asks the hooks about imports, and only half about what is required.
  if (globalThis.Deno !== undefined) await hookRequire();
}

function plugInto(bun) {
  bun.plugin({
    name: '@ekkojs/ipc',
    setup(build) {
      build.onResolve({ filter: /.*/, namespace: 'ipc' }, ({ path }) => ({ path, namespace: 'ipc' }));
      build.onLoad({ filter: /.*/, namespace: 'ipc' }, ({ path }) => ({ contents: textOf(SCHEME + path), loader: 'js' }));
    },
  });
}

async function hookRequire() {
  const { service } = await import('./client.js');
  const load = module._load;
  module._load = function loadOurs(request, ...rest) {
    if (!isOurs(request)) return Reflect.apply(load, this, [request, ...rest]);
    const found = ours.find(request);
    return service(found.name, found);
  };
}
