// The stage: which peers there are, in which Node they run, and how the
// processes of one are started.
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Process } from './process.js';

export const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../..');

const child = path.join(here, 'child.js');
const modules = path.join(here, 'peers', 'node_modules');

/** peers are those that calls are measured of. A service is in Node, and then
    the same one as its client, unless its program is named. The broker of NATS
    is asked for first. */
export const peers = [
  { name: 'ipc', service: ({ programs }) => [path.join(programs, 'bench-js-service')] },
  { name: 'echo' },
  { name: 'echo-joined' },
  { name: 'grpc-js', service: inGo('grpc', 'grpc-go') },
  { name: 'nats', broker: inGo('nats', 'nats'), service: inGo('nats', 'nats') },
  { name: 'moleculer' },
  { name: 'node-ipc' },
  { name: 'vscode-jsonrpc' },
];

// inGo is a child of the program in bench/ with that one peer in it.
function inGo(program, name) {
  return ({ programs, dir, role, address }) => [path.join(programs, 'bench-peers', program), 'child', role, name, dir, address];
}

const inNode = ({ node, role, peer, dir }) => [node, child, role, peer, dir];

/** runtimes are the Nodes to measure in, by name: those that are installed
    beside the peers, else the one there is. */
export function runtimes() {
  const found = ['20', '24'].map((major) => [`Node ${major}`, path.join(modules, `node${major}-${process.platform}-${process.arch}`, 'bin', 'node')])
    .filter(([, program]) => existsSync(program));
  return found.length > 0 ? found : [[`Node ${process.versions.node.split('.')[0]}`, process.execPath]];
}

/** environment is what all processes have: a folder for sockets, and where
    the service is found. */
export function environment(dir) {
  return { ...process.env, EKKO_IPC_RUNTIME_DIR: dir, EKKO_IPC_PATH: path.join(here, 'service') };
}

/** setStage starts the processes of a peer, and returns the client. Sockets are
    in a folder below dir. */
export async function setStage(peer, { runtime: [runtime, node], programs, dir }) {
  const own = await mkdtemp(path.join(dir, 's'));
  const env = environment(own);
  const name = `${peer.name} in ${runtime}`;
  const given = { node, programs, dir: own, peer: peer.name };
  let address = '';
  for (const [role, program] of [['broker', peer.broker], ['serve', peer.service ?? inNode]]) {
    if (program === undefined) continue;
    const [, said] = await Process.start(`${name}, ${role}`, program({ ...given, role, address }), env);
    address = said.addr;
  }
  const [client, said] = await Process.start(`${name}, client`, [node, child, 'client', peer.name, address], env);
  return { runtime, peer: peer.name, client, node: said.node, version: said.version };
}
