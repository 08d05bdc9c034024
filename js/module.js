// Modules: the text of the module that `import x from 'ipc:name'` gets.
import { IpcError } from './error.js';
import { mockedMethods } from './mocks.js';
import { resolve } from './registry.js';

const CLIENT = new URL('./client.js', import.meta.url).href;

/** SCHEME begins the specifiers that are ours. */
export const SCHEME = 'ipc:';

/** find resolves the service of a specifier. The error is of the import: it
    needs no stack, which would be the loader's. */
export function find(specifier) {
  const name = decodeURIComponent(specifier.slice(SCHEME.length));
  const mocked = mockedMethods(name);
  try {
    return { ...resolve(name), mocked };
  } catch (error) {
    if (!(error instanceof IpcError)) throw error;
    if (mocked !== undefined) return { name, addresses: [], manifest: undefined, mocked };
    error.message = `cannot import '${specifier}': ${error.code}: ${error.message}`;
    error.stack = `${error.name}: ${error.message}`;
    throw error;
  }
}

/** textOf writes the module of a service. Its methods are named exports; in
    quotes, as a name may be a word of the language. */
export function textOf({ name, addresses, manifest, mocked = [] }, library = CLIENT) {
  const lines = [
    `import { service as $open, bind as $bind } from ${JSON.stringify(library)};`,
    // As a literal, a member called __proto__ would be none.
    `const $s = $open(${JSON.stringify(name)}, JSON.parse(${JSON.stringify(JSON.stringify({ addresses, manifest }))}));`,
    "export { $s as default, $s as 'module.exports' };",
  ];
  [...new Set([...Object.keys(manifest?.methods ?? {}), ...mocked])].forEach((method, i) => {
    // Whoever awaits the module would call then.
    if (method === 'default' || method === 'module.exports' || method === 'then') return;
    lines.push(`const $${i} = $bind($s, ${JSON.stringify(method)});`, `export { $${i} as ${JSON.stringify(method)} };`);
  });
  return `${lines.join('\n')}\n`;
}
