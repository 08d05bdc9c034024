// Places: directories in which nobody else can decide what is found.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';

import { Failure, local } from './error.js';

const windows = process.platform === 'win32';
const me = () => process.geteuid?.() ?? -1;

/** MOST_PATH is the longest path of a Unix socket, in bytes. */
const MOST_PATH = 100;

const untrusted = (text) => local('UNTRUSTED_PEER', text, { executed: 'no' });
const octal = (mode) => (mode & 0o7777).toString(8).padStart(4, '0');

// fault says what is wrong with one directory. last: it is the one meant, and
// not one above it.
function fault(stat, last, { secret = false, shared = false }) {
  if (stat.isSymbolicLink()) return 'is a symbolic link';
  if (!stat.isDirectory()) return 'is not a directory';
  if (stat.uid !== me() && (last || stat.uid !== 0)) return `belongs to user ${stat.uid}`;
  if (last && secret && (stat.mode & 0o077) !== 0) return `is open to others (mode ${octal(stat.mode)}, want 0700)`;
  if ((stat.mode & 0o022) === 0) return '';
  if (last || (stat.mode & 0o1000) === 0) return `can be written by others (mode ${octal(stat.mode)})`;
  return shared ? '' : 'is a place where everybody may put things';
}

/** checkDir walks down to a directory and throws UNTRUSTED_PEER if on the way
    somebody else could have put another in its place. It follows only links
    that root alone can have made. create makes what is missing. */
export function checkDir(dir, rule = {}) {
  if (windows) return;
  let at = '/';
  let above = 0;
  let todo = dir.split('/').filter(Boolean);
  for (let links = 0; ;) {
    const stat = look(at, rule.create);
    if (stat.isSymbolicLink() && todo.length > 0 && stat.uid === 0 && (above & 0o022) === 0 && links < 40) {
      links++;
      todo = [...path.resolve(path.dirname(at), fs.readlinkSync(at)).split('/').filter(Boolean), ...todo];
      at = '/';
      above = 0;
      continue;
    }
    const why = fault(stat, todo.length === 0, rule);
    if (why !== '') throw untrusted(`${at} ${why}`);
    if (todo.length === 0) return;
    above = stat.mode;
    at = path.join(at, todo.shift());
  }
}

function look(at, create) {
  try {
    return fs.lstatSync(at);
  } catch (error) {
    if (error.code !== 'ENOENT' || !create) throw error;
    try {
      fs.mkdirSync(at, { mode: 0o700 });
      fs.chmodSync(at, 0o700); // whatever the umask
    } catch (again) {
      if (again.code !== 'EEXIST') throw again; // somebody was quicker
    }
    return fs.lstatSync(at);
  }
}

// runtimePlace chooses the directory of sockets (run.1).
function runtimePlace(env) {
  if (env.EKKO_IPC_RUNTIME_DIR) return [env.EKKO_IPC_RUNTIME_DIR, { shared: true }, 'EKKO_IPC_RUNTIME_DIR'];
  if (env.XDG_RUNTIME_DIR) return [path.join(env.XDG_RUNTIME_DIR, 'ekko-ipc'), { secret: true }, 'XDG_RUNTIME_DIR'];
  const users = `/run/user/${me()}`;
  if (!windows && fs.lstatSync(users, { throwIfNoEntry: false })?.isDirectory()) return [`${users}/ekko-ipc`, { secret: true }, users];
  return [path.join(env.HOME || os.homedir(), '.ekko', 'run'), { secret: true, shared: true }, 'HOME'];
}

/** runtimeDir returns the directory of this user's sockets, and makes it if
    need be. One that is not safe is an error: to go on with the next would let
    others choose. */
export function runtimeDir(env = process.env) {
  const [chosen, rule, why] = runtimePlace(env);
  if (!path.isAbsolute(chosen)) throw local('INVALID_ARGUMENT', `${why}: ${chosen} is not absolute`, { executed: 'no' });
  const dir = path.normalize(chosen).replace(/(?<=.)\/+$/, '');
  try {
    checkDir(dir, { ...rule, create: true });
  } catch (error) {
    if (error instanceof Failure) error.message += ` (directory for sockets, by ${why}; EKKO_IPC_RUNTIME_DIR can name another)`;
    throw error;
  }
  return dir;
}

/** socketPath is the path of the socket of that name (run.3, run.4). */
export function socketPath(name, env = process.env) {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) throw untrusted(`${JSON.stringify(name)} cannot name a socket: letters, digits, dots, - and _ can`);
  const dir = runtimeDir(env);
  const room = MOST_PATH - Buffer.byteLength(dir) - '/.sock'.length;
  if (name.length <= room) return `${dir}/${name}.sock`;
  const tail = `+${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  if (room < tail.length) throw local('INVALID_ARGUMENT', `the directory ${dir} is too long for sockets in it; EKKO_IPC_RUNTIME_DIR can name another`, { executed: 'no' });
  return `${dir}/${name.slice(0, room - tail.length)}${tail}.sock`;
}

/** checkSocketPath refuses what is no path of a socket. */
export function checkSocketPath(at) {
  const wrong = (why) => local('INVALID_ARGUMENT', `unix:${at} is no address: ${why}`, { executed: 'no' });
  if (/^[@\0]/.test(at)) throw wrong('abstract sockets are open to everybody');
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(at)) throw wrong('it holds a control character');
  if (!path.isAbsolute(at) || path.normalize(at) !== at || at.endsWith('/')) throw wrong('the path is not absolute and in its shortest form');
  if (Buffer.byteLength(at) > MOST_PATH) throw wrong(`the path has ${Buffer.byteLength(at)} bytes, and a socket's may have ${MOST_PATH}`);
}

/** checkServer makes sure that the socket at a path is served by this user or
    root (peer.3). Node cannot ask the kernel who is at the other end, so it asks
    who made the socket, in a directory where nobody else can put one. */
export function checkServer(at) {
  if (windows) return;
  checkSocketPath(at);
  let stat;
  try {
    checkDir(path.dirname(at), { shared: true });
    stat = fs.lstatSync(at);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw local('SERVICE_UNAVAILABLE', `nobody serves ${at}: ${error.code === 'ENOENT' ? 'it is not there' : error.message}`, { executed: 'no' });
  }
  if (!stat.isSocket()) throw untrusted(`${at} is not a socket`);
  if (stat.uid !== me() && stat.uid !== 0) throw untrusted(`${at} belongs to user ${stat.uid}`);
}
