// A Door is the socket at which a service is found. It is bound beside its
// path, made private, and renamed over whatever a dead process left there: a
// client finds the old one or the new one, never one that others may open and
// never none (run.5 to run.7).
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { Failure, local } from './error.js';
import { LockFile } from './lock.js';
import { checkDir, checkSocketPath } from './place.js';

const taken = (at) => local('NAME_TAKEN', `another process serves ${at}`, { executed: 'no' }).error();

export class Door {
  #path;
  #lock;
  #server;
  #made; // which file is our socket
  #vacated = false;

  /** open serves a path, and calls take with each connection. */
  static async open(at, take) {
    checkSocketPath(at);
    checkDir(path.dirname(at), { shared: true });
    const door = new Door(at, LockFile.take(`${at}.lock`));
    try {
      await door.#start(take);
      return door;
    } catch (error) {
      door.#lock.release();
      throw error;
    }
  }

  constructor(at, lock) {
    this.#path = at;
    this.#lock = lock;
  }

  async #start(take) {
    const made = `${this.#path}~`;
    removeSocket(made); // a process that was killed here may have left it
    await checkFree(this.#path);
    this.#server = net.createServer({ allowHalfOpen: true }, take);
    await listen(this.#server, made);
    fs.chmodSync(made, 0o600);
    this.#made = fs.lstatSync(made);
    fs.renameSync(made, this.#path);
    this.#server.on('error', () => {}); // of one connection that could not be accepted
  }

  ref() { this.#server.ref(); }
  unref() { this.#server.unref(); }

  /** close takes the name away, so that nobody new finds the socket, takes who
      has come meanwhile, and then gives the lock up. */
  async close() {
    if (this.#vacated) return;
    this.#vacated = true;
    const stat = fs.lstatSync(this.#path, { throwIfNoEntry: false });
    if (stat !== undefined && stat.dev === this.#made.dev && stat.ino === this.#made.ino) fs.unlinkSync(this.#path);
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => { setImmediate(resolve); });
    this.#server.close();
    this.#lock.release();
  }
}

// listen binds with a mask that leaves no moment in which others may connect.
// In a worker the mask cannot be set, and the directory has to do.
function listen(server, made) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    const mask = isMainThread ? process.umask(0o177) : undefined;
    try {
      server.listen(made);
    } finally {
      if (mask !== undefined) process.umask(mask);
    }
  });
}

function ownSocket(at) {
  const stat = fs.lstatSync(at, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const why = !stat.isSocket() ? 'exists and is not a socket' : stat.uid !== process.geteuid() ? `belongs to user ${stat.uid}` : undefined;
  if (why !== undefined) throw local('UNTRUSTED_PEER', `${at} ${why}`, { executed: 'no' }).error();
  return true;
}

function removeSocket(at) {
  if (ownSocket(at)) fs.unlinkSync(at);
}

// checkFree makes sure that what is at the path may be replaced. Processes that
// do not know our locks are found by knocking.
function checkFree(at) {
  if (!ownSocket(at)) return undefined;
  return new Promise((resolve, reject) => {
    const knock = net.connect({ path: at });
    const timer = setTimeout(() => { knock.destroy(); reject(taken(at)); }, 1000);
    knock.on('connect', () => { clearTimeout(timer); knock.destroy(); reject(taken(at)); });
    knock.on('error', ({ code }) => {
      clearTimeout(timer);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve();
      else reject(taken(at));
    });
  });
}

/** errorOf makes an error of whatever kept a door from opening. */
export const errorOf = (error, service) => (error instanceof Failure ? error.error(service) : error);
