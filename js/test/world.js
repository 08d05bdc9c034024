// What the tests need: a place for sockets and manifests, and processes.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const js = fileURLToPath(new URL('..', import.meta.url));
export const root = path.dirname(js.replace(/\/$/, ''));
export const register = path.join(js, 'register.js');

/** runtime is what programs are run in: { kind, program }, as
    EKKO_IPC_TEST_RUNTIME=KIND:PROGRAM says it, else what runs the tests. */
export const runtime = runtimeOf(process.env.EKKO_IPC_TEST_RUNTIME);

function runtimeOf(text) {
  const [, kind, program] = /^(node|bun|deno|embedded):(.+)$/.exec(text ?? '') ?? [];
  if (kind !== undefined) return { kind, program };
  if (text) throw new Error(`EKKO_IPC_TEST_RUNTIME must be node, bun, deno or embedded, a colon, and the path of a program, got ${JSON.stringify(text)}`);
  return { kind: globalThis.Bun !== undefined ? 'bun' : globalThis.Deno !== undefined ? 'deno' : 'node', program: process.execPath };
}

// How each is told to load the hook first; the embedded runtime needs none.
const HOOKED = { node: ['--import', register], bun: ['--preload', register], deno: ['run', '--allow-all', '--preload', register], embedded: ['run'] };

/** world makes a runtime directory of its own, in which this process works too. */
export function world() {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'ekko-')));
  const sockets = path.join(dir, 'run');
  fs.mkdirSync(sockets, { mode: 0o700 });
  install(dir);
  const env = { ...process.env, EKKO_IPC_RUNTIME_DIR: sockets, HOME: dir };
  delete env.EKKO_IPC_PATH;
  delete env.NODE_OPTIONS;
  process.env.EKKO_IPC_RUNTIME_DIR = sockets;
  process.env.HOME = dir;
  const children = new Set();
  after(() => {
    for (const child of children) child.signal('SIGKILL');
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return {
    dir, runtime: sockets, env,
    write(name, text) {
      const file = path.join(dir, name);
      fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      fs.writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text), { mode: 0o600 });
      return file;
    },
    start(program, args, options) {
      const child = new Process(program, args, { cwd: dir, env, ...options });
      children.add(child);
      return child;
    },
    /** run runs a program, written in this world, in the runtime that is tested. */
    run(file, args = [], options = undefined) { return this.start(runtime.program, [...HOOKED[runtime.kind], path.resolve(dir, file), ...args], options); },
    built(name) { return build(name); },
  };
}

// install lets the programs of a world import the package by its name. Deno
// looks into node_modules where there is a package.json.
function install(dir) {
  fs.writeFileSync(path.join(dir, 'package.json'), '{}');
  fs.mkdirSync(path.join(dir, 'node_modules/@ekkojs'), { recursive: true });
  fs.symlinkSync(js.replace(/\/$/, ''), path.join(dir, 'node_modules/@ekkojs/ipc'));
}

// A Process is a child whose output is read line by line.
class Process {
  stdout = '';
  stderr = '';
  #watchers = [];

  constructor(program, args, options) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of ['stdout', 'stderr']) {
      this.child[stream].setEncoding('utf8').on('data', (text) => {
        this[stream] += text;
        for (const watcher of [...this.#watchers]) watcher();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.over = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        for (const watcher of [...this.#watchers]) watcher();
      });
    });
  }

  /** said is fulfilled when the output has the text, or what matches it. */
  said(text, stream = 'stdout') {
    const found = () => (typeof text === 'string' ? this[stream].includes(text) : text.test(this[stream]));
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!found() && !this.over) return;
        this.#watchers.splice(this.#watchers.indexOf(look), 1);
        if (found()) resolve(this);
        else reject(new Error(`the process ended without saying ${text}:\n${this.stdout}${this.stderr}`));
      };
      this.#watchers.push(look);
      look();
    });
  }

  /** kill sends a signal, and is fulfilled when the process has ended. */
  kill(signal) {
    this.signal(signal);
    return this.ended;
  }

  /** signal sends a signal. child.kill would have Deno say, in place of how the
      process ends, that the signal has ended it. */
  signal(signal) {
    if (!this.over) process.kill(this.child.pid, signal);
  }
}

const builds = new Map();

// Go keeps what it has built below the home that there was before world.
const before = { ...process.env };

// build returns a program of this repository: one of the environment's, or one
// that is built here, once.
function build(name) {
  const given = process.env[`EKKO_IPC_TEST_${name.toUpperCase().replaceAll('-', '_')}`];
  if (given) return Promise.resolve(given);
  if (!builds.has(name)) {
    const to = path.join(root, '.build', 'js-test', name);
    const what = name === 'ekko-ipc' ? './cmd/ekko-ipc' : `./examples/${name}`;
    builds.set(name, new Promise((resolve, reject) => {
      const go = spawn('go', ['build', '-buildvcs=false', '-o', to, what], { cwd: root, env: before, stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      go.stderr.on('data', (text) => { said += text; });
      go.on('error', reject);
      go.on('close', (code) => { if (code === 0) resolve(to); else reject(new Error(`go build ${what}: ${said}`)); });
    }));
  }
  return builds.get(name);
}

/** manifest copies an example's manifest into the world. */
export function manifestOf(name) {
  return fs.readFileSync(path.join(root, 'examples', name, `${name}.ekko.ipc.json`), 'utf8');
}

/** rejection is fulfilled with what a promise is rejected with. */
export const rejection = (promise) => Promise.resolve(promise).then((value) => { throw new Error(`fulfilled with ${JSON.stringify(value)}`); }, (error) => error);

/** endedBy says whether a process has ended by a signal, as the system tells it
    or as the embedded runtime does: by a status, and 0 for a service that has
    done what it was told. */
export function endedBy(signal, ended) {
  if (runtime.kind !== 'embedded') return ended.signal === signal;
  return ended.code === 128 + os.constants.signals[signal] || (signal === 'SIGTERM' && ended.code === 0);
}

// Only a turn that ends with a timer looks at sockets in Deno. A test may have
// put a clock of its own in the place of the timers.
const soon = globalThis.Deno === undefined ? globalThis.setImmediate : globalThis.setTimeout;

/** turns lets happen what is under way: where both ends are in this process it
    has arrived in a few turns. */
export async function turns(count) {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => { soon(resolve); });
}

/** until is fulfilled when a fact holds, which is looked at in each turn. */
export async function until(fact) {
  while (!(await fact())) await new Promise((resolve) => { setImmediate(resolve); });
}
