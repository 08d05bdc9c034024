// Bundlers: what makes `import x from 'ipc:name'` work in Vite, Rollup, esbuild
// and webpack.
//
//   import { vite } from '@ekkojs/ipc/bundler';
//   export default { plugins: [vite()] };
//
// In the mode generate, which is the default, the module of the service becomes
// part of the bundle, with what its manifest promises, and the program needs no
// flag. Where the service is, the program finds out where it runs. In the mode
// external the import stays as it is.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { check, isObject } from './error.js';
import { SCHEME, find, textOf } from './module.js';

const NAME = '@ekkojs/ipc';
const INDEX = fileURLToPath(new URL('./index.js', import.meta.url));
const MODES = ['generate', 'external'];

const isOurs = (specifier) => typeof specifier === 'string' && specifier.startsWith(SCHEME);

// modeOf checks the options.
function modeOf(options) {
  check(isObject(options), 'the options of the plugin must be an object', options);
  const { mode = 'generate', ...rest } = options;
  for (const key of Object.keys(rest)) throw new TypeError(`there is no option ${JSON.stringify(key)}: there is mode`);
  check(MODES.includes(mode), `mode must be one of '${MODES.join("', '")}'`, mode);
  return mode;
}

// libraryFor is what a module imports that is generated for a file of the
// program: the package as that file would find it, so that the program and the
// module share it. Where it is not installed, it is this one.
function libraryFor(dir) {
  try {
    createRequire(path.join(dir, 'module.js')).resolve(NAME);
    return NAME;
  } catch {
    return INDEX;
  }
}

// generate writes the module of a service, without the addresses of the machine
// that builds, but for one that a mapping file names.
function generate(specifier, library) {
  const found = find(specifier);
  const { name, manifest, addresses } = found;
  const fixed = manifest === undefined && !addresses[0].startsWith('unix:') ? addresses : undefined;
  return { text: textOf({ name, manifest, addresses: fixed }, library), file: found.path };
}

/** rollup is the plugin for Rollup and for what takes its plugins. */
export function rollup(options = {}) {
  const mode = modeOf(options);
  const importers = new Map(); // by module: a file that imports it
  return {
    name: NAME,
    async resolveId(source, importer) {
      if (isOurs(source)) {
        if (mode === 'external') return { id: source, external: true };
        if (!importers.has(source)) importers.set(source, importer);
        return `\0${source}`;
      }
      // A virtual module lies nowhere: what it imports is looked for from where
      // it is imported.
      if (importer?.startsWith(`\0${SCHEME}`) && source === NAME) return this.resolve(source, importers.get(importer.slice(1)), { skipSelf: true });
      return null;
    },
    load(id) {
      if (!id.startsWith(`\0${SCHEME}`)) return null;
      const importer = importers.get(id.slice(1));
      const { text, file } = generate(id.slice(1), libraryFor(importer === undefined ? process.cwd() : path.dirname(importer)));
      if (file !== undefined) this.addWatchFile(file);
      return { code: text, moduleSideEffects: false };
    },
  };
}

/** vite is the plugin for Vite. It comes before Vite's own, which would take ipc:
    for the address of something on the network. */
export function vite(options = {}) {
  return { ...rollup(options), enforce: 'pre' };
}

/** esbuild is the plugin for esbuild. */
export function esbuild(options = {}) {
  const mode = modeOf(options);
  return {
    name: NAME,
    setup(build) {
      build.onResolve({ filter: /^ipc:/ }, ({ path: specifier, resolveDir }) => (mode === 'external' ? { path: specifier, external: true }
        : { path: specifier, namespace: NAME, sideEffects: false, pluginData: { resolveDir } }));
      build.onLoad({ filter: /.*/, namespace: NAME }, ({ path: specifier, pluginData: { resolveDir } }) => {
        try {
          const { text, file } = generate(specifier, libraryFor(resolveDir));
          return { contents: text, loader: 'js', resolveDir, watchFiles: file === undefined ? [] : [file] };
        } catch (error) {
          return { errors: [{ text: error.message, detail: error }] };
        }
      });
    },
  };
}

/** webpack is the plugin for webpack 5. */
export function webpack(options = {}) {
  const mode = modeOf(options);
  return {
    apply(compiler) {
      const { NormalModule, ExternalsPlugin } = compiler.webpack;
      if (mode === 'external') {
        new ExternalsPlugin('module', ({ request }, done) => (isOurs(request) ? done(null, request) : done())).apply(compiler);
        return;
      }
      compiler.hooks.compilation.tap(NAME, (compilation, { normalModuleFactory }) => {
        normalModuleFactory.hooks.resolveForScheme.for('ipc').tap(NAME, (resource, { contextInfo, context }) => {
          resource.path = resource.resource;
          resource.context = contextInfo.issuer ? path.dirname(contextInfo.issuer) : context;
          resource.data = { type: 'javascript/esm', sideEffectFree: true };
          return true;
        });
        NormalModule.getCompilationHooks(compilation).readResource.for('ipc').tap(NAME, (loader) => {
          const { text, file } = generate(loader.resource, libraryFor(loader.context ?? compiler.context));
          if (file !== undefined) loader.addDependency(file);
          return text;
        });
      });
    },
  };
}
