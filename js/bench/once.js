// What is measured from outside of a process: what the import hook costs at the
// start, how large the package is, and what the embedded runtime does.
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { Process } from './process.js';
import { environment, here, root } from './stage.js';

const register = pathToFileURL(path.join(root, 'js', 'register.js')).href;

/** start returns how many ms it takes to start an app that does nothing,
    without the hook and with it. */
export function start(node, dir) {
  const app = path.join(dir, 'empty.mjs');
  writeFileSync(app, '');
  const timed = (...args) => {
    const begin = performance.now();
    const { status, stderr } = spawnSync(node, [...args, app]);
    if (status !== 0) throw new Error(`${node} ${args.join(' ')}: ${stderr}`);
    return performance.now() - begin;
  };
  return { bare: timed(), hooked: timed('--import', register) };
}

/** size returns how many bytes the package has, minified and gzipped: all that
    a client needs, and all. undefined where esbuild is not installed. */
export async function size() {
  let esbuild;
  try {
    esbuild = await import('./peers/node_modules/esbuild/lib/main.js');
  } catch {
    return undefined;
  }
  const of = async (exports) => {
    const { outputFiles: [{ contents }] } = await esbuild.build({
      stdin: { contents: `export { ${exports} } from './index.js'`, resolveDir: path.join(root, 'js') },
      bundle: true, minify: true, format: 'esm', platform: 'node', target: 'node20', write: false, logLevel: 'error',
    });
    return gzipSync(contents, { level: 9 }).length;
  };
  return { client: await of('connect, IpcError'), all: await of('connect, IpcError, serve, context') };
}

/** embedded starts a service, and returns what measures the embedded runtime
    with it once. */
export async function embedded({ programs, dir }) {
  const env = environment(dir);
  await Process.start('bench', [path.join(programs, 'bench-js-service')], env);
  return async (ms) => {
    const { stdout } = await promisify(execFile)(path.join(programs, 'ekko-ipc'), ['run', path.join(here, 'embedded.js'), String(ms)], { env });
    return JSON.parse(stdout);
  };
}
