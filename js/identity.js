// Identities: who is at the other end of a socket. The kernel knows, and Node
// cannot ask it; but a program that it starts can, if it is given the socket.
import fs from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';

import { local } from './error.js';

const MOST_AT_ONCE = 16; // programs that ask
const PATIENCE = 10_000; // ms for one of them

// SO_PEERCRED of SOL_SOCKET, where these have the usual numbers.
const USUAL = new Set(['x64', 'arm64', 'arm', 'ia32', 'riscv64', 's390x', 'loong64']);
const ASKERS = [
  ['perl', ['-e', 'open(my $s, "+<&=", 3) or exit 2; print join(" ", unpack("iii", getsockopt($s, 1, 17)))']],
  ['python3', ['-c', 'import socket, struct; print(*struct.unpack("3i", socket.socket(fileno=3).getsockopt(1, 17, 12)))']],
];

/** UNKNOWN is who nobody vouches for. */
export const UNKNOWN = Object.freeze({ known: false });

export class Identities {
  #asker;
  #asking = 0;
  #waiting = [];

  /** open finds the program that asks, or throws where it could not. */
  static open() {
    // What Deno gives to a program blocks from then on: our next read of the
    // socket would hold up the whole process.
    const asker = globalThis.Deno === undefined && process.platform === 'linux' && USUAL.has(process.arch) ? ASKERS.find(([program]) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0) : undefined;
    if (asker === undefined) throw local('UNIMPLEMENTED', 'callers cannot be identified here: that needs Linux, Node or Bun, and perl or python3 to ask the kernel', { executed: 'no' }).error();
    return new Identities(asker);
  }

  constructor(asker) { this.#asker = asker; }

  /** of is fulfilled with { known, pid, uid, gid, exe } of a connection. */
  async of(socket) {
    if (this.#asking >= MOST_AT_ONCE) await new Promise((resolve) => { this.#waiting.push(resolve); });
    this.#asking++;
    try {
      return await this.#ask(socket._handle?.fd);
    } finally {
      this.#asking--;
      this.#waiting.shift()?.();
    }
  }

  #ask(fd) {
    if (!(fd >= 0)) return UNKNOWN;
    return new Promise((resolve) => {
      const [program, args] = this.#asker;
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore', fd], timeout: PATIENCE });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
      child.on('error', () => resolve(UNKNOWN));
      child.on('close', () => resolve(read(said)));
    });
  }
}

function read(said) {
  const [, pid, uid, gid] = /^(\d+) (\d+) (\d+)\s*$/.exec(said) ?? [];
  if (!(pid > 0)) return UNKNOWN;
  return Object.freeze({ known: true, pid: Number(pid), uid: Number(uid), gid: Number(gid), ...programOf(pid) });
}

// programOf is missing of a process that has ended, or of another user's.
function programOf(pid) {
  try {
    return { exe: fs.readlinkSync(`/proc/${pid}/exe`) };
  } catch {
    return {};
  }
}
