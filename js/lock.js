// Locks: the right to a socket's path, which the kernel gives back when the
// process dies, however it dies.
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';

import { local } from './error.js';

/** Node cannot lock a file, but a program that it starts can: the lock belongs
    to the open file, which both have, and stays when the program has ended. */
const LOCKERS = [
  ['flock', ['-n', '-x', '3']],
  ['perl', ['-e', 'open(my $f, "+<&=", 3) or exit 2; exit(flock($f, 6) ? 0 : 1)']],
  ['python3', ['-c', 'import fcntl,sys\ntry: fcntl.flock(3, fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept BlockingIOError: sys.exit(1)']],
];

const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

export class LockFile {
  #path;
  #fd;

  /** take locks the file at a path, or throws NAME_TAKEN with the holder. */
  static take(path) {
    for (;;) {
      const lock = new LockFile(path);
      // The holder before may have removed the file between our opening it and
      // our lock: then what we hold is no longer the name's.
      if (lock.#stillThere()) {
        lock.#sign();
        return lock;
      }
      fs.closeSync(lock.#fd);
    }
  }

  constructor(path) {
    this.#path = path;
    this.#fd = openLock(path);
    try {
      lock(this.#fd, path);
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  #stillThere() {
    const held = fs.fstatSync(this.#fd);
    const named = fs.lstatSync(this.#path, { throwIfNoEntry: false });
    return named !== undefined && held.dev === named.dev && held.ino === named.ino;
  }

  // sign says for others to read who holds it.
  #sign() {
    fs.fchmodSync(this.#fd, 0o600);
    fs.ftruncateSync(this.#fd);
    fs.writeSync(this.#fd, String(process.pid), 0);
  }

  /** release removes the file while it is still held. */
  release() {
    if (this.#fd === undefined) return;
    if (this.#stillThere()) fs.unlinkSync(this.#path);
    fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openLock(path) {
  const refuse = (why) => local('UNTRUSTED_PEER', `lock file ${path}: ${why}`, { executed: 'no' }).error();
  let fd;
  try {
    fd = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    if (['ELOOP', 'EISDIR', 'ENXIO'].includes(error.code)) throw refuse('it is not a regular file');
    throw error;
  }
  const stat = fs.fstatSync(fd);
  const why = !stat.isFile() ? 'it is not a regular file' : stat.uid !== process.geteuid() ? `it belongs to user ${stat.uid}` : stat.nlink > 1 ? 'it has another name' : undefined;
  if (why === undefined) return fd;
  fs.closeSync(fd);
  throw refuse(why);
}

function lock(fd, path) {
  for (const [program, args] of LOCKERS) {
    const { error, status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
    if (error !== undefined || (status !== 0 && status !== 1)) continue;
    if (status === 0) return;
    const holder = fs.readFileSync(path, 'latin1').slice(0, 16).trim();
    throw local('NAME_TAKEN', `${/^\d+$/.test(holder) ? `process ${holder}` : 'another process'} holds ${path}`, { executed: 'no' }).error();
  }
  throw local('UNIMPLEMENTED', 'no service can be served safely here: Node cannot lock a file, and there is neither flock (util-linux), perl nor python3 to do it', { executed: 'no' }).error();
}
