// The registry: where a service lives, by its manifest, by a mapping file, or
// by its socket. It looks and never connects, so that an import can wait for it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { parseAddress } from './address.js';
import { Failure, isObject, local } from './error.js';
import { parse } from './json.js';
import { checkName, closest, isName } from './name.js';
import { checkSocketPath, runtimeDir, socketPath } from './place.js';

const SUFFIX = '.ekko.ipc.json';
const MAPPING = 'ekko.ipc.config.json';
const MOST_BYTES = 256 << 10;
const MOST_DIRS = 64;
const MOST_MANIFESTS = 1024;

const windows = process.platform === 'win32';
const me = () => process.geteuid?.() ?? -1;

/** Untrusted says that somebody else could have written what was found. */
class Untrusted extends Error {}

/** resolve finds a service: { name, addresses, manifest, path, places }. The
    error is SERVICE_NOT_FOUND with the places looked at, or says what is wrong
    with the one that was meant. */
export function resolve(name, { cwd = process.cwd(), env = process.env } = {}) {
  checkName(name);
  const search = new Search(name, cwd, env);
  const found = search.manifests() ?? search.mappings() ?? search.socket();
  if (found === undefined) throw search.notFound();
  return { name, ...found, places: search.places };
}

/** manifestOf looks for the manifest of a service that is to be served, or
    mocked, by its name; undefined where nobody has described it. */
export function manifestOf(name) {
  try {
    return resolve(name).manifest;
  } catch (error) {
    if (error.code === 'SERVICE_NOT_FOUND' && error.details.places !== undefined) return undefined;
    throw error;
  }
}

class Search {
  places = [];
  #known = new Set(); // names of services that there are

  constructor(name, cwd, env) {
    this.name = name;
    this.cwd = cwd;
    this.env = env;
    this.home = env.HOME || os.homedir();
  }

  #note(at, outcome) { this.places.push({ path: at, outcome }); }

  #dirs() {
    const { home } = this;
    const list = this.env.EKKO_IPC_PATH ? this.env.EKKO_IPC_PATH.split(path.delimiter)
      : ['.', 'ipc', '.ekko/ipc', 'services', ...(home ? [path.join(home, '.ekko/ipc'), path.join(home, '.ekkojs/ipc')] : []), '/etc/ekko/ipc'];
    return [...new Set(list.filter(Boolean).map((dir) => path.resolve(this.cwd, dir)))].slice(0, MOST_DIRS);
  }

  /** manifests looks through the search path. */
  manifests() {
    for (const dir of this.#dirs()) {
      const found = this.#folder(dir);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // folder looks by the name of a file, then by what the files say.
  #folder(dir) {
    let files;
    try {
      checkDir(dir);
      files = fs.readdirSync(dir).filter((file) => file.endsWith(SUFFIX) && file !== SUFFIX).sort();
    } catch (error) {
      this.#note(dir, outcomeOf(error));
      return undefined;
    }
    const named = this.name + SUFFIX;
    let readable = 0;
    if (files.includes(named)) files = [named, ...files.filter((file) => file !== named)];
    for (const file of files.slice(0, MOST_MANIFESTS)) {
      const at = path.join(dir, file);
      try {
        const manifest = readManifest(at);
        this.#known.add(manifest.service.name);
        if (manifest.service.name === this.name) return { manifest, addresses: within(at, () => addressesOf(manifest, this.env)), path: at };
        if (file === named) this.#note(at, `describes ${JSON.stringify(manifest.service.name)}`);
        readable++;
      } catch (error) {
        if (error instanceof Failure) throw error.error(this.name);
        // The user's own file that cannot be used is an error if it is the one
        // asked for; what others may have planted is passed over.
        if (file === named && !planted(at, error)) throw this.#broken(at, error);
        this.#note(at, outcomeOf(error));
      }
    }
    this.#note(dir, readable === 0 ? 'no manifests' : `no match in ${readable} manifest${readable === 1 ? '' : 's'}`);
    return undefined;
  }

  /** mappings looks into the mapping files. */
  mappings() {
    for (const dir of new Set([this.cwd, ...(this.home ? [path.join(this.home, '.ekko')] : [])])) {
      const at = path.join(dir, MAPPING);
      let mapping;
      try {
        mapping = readMapping(at);
      } catch (error) {
        if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR' && !planted(at, error)) throw this.#broken(at, error);
        this.#note(at, outcomeOf(error));
        continue;
      }
      for (const name of Object.keys(mapping)) this.#known.add(name);
      if (Object.hasOwn(mapping, this.name)) return this.#mapped(at, mapping[this.name]);
      this.#note(at, 'does not map the name');
    }
    return undefined;
  }

  #mapped(at, { manifest: file, address }) {
    try {
      if (file === undefined) return { manifest: undefined, addresses: [address], path: at };
      const meant = path.resolve(path.dirname(at), file);
      checkDir(path.dirname(meant));
      const manifest = readManifest(meant);
      return { manifest, addresses: address === undefined ? within(meant, () => addressesOf(manifest, this.env)) : [address], path: meant };
    } catch (error) {
      if (error instanceof Failure) throw error.error(this.name);
      throw this.#broken(at, error);
    }
  }

  /** socket looks for a socket of that name. Whether anybody serves it, the
      first call finds out. */
  socket() {
    try {
      const at = socketPath(this.name, this.env);
      for (const file of fs.readdirSync(path.dirname(at))) if (file.endsWith('.sock')) this.#known.add(file.slice(0, -5));
      const stat = fs.lstatSync(at, { throwIfNoEntry: false });
      if (stat?.isSocket()) return { manifest: undefined, addresses: [`unix:${at}`], path: at };
      this.#note(at, stat === undefined ? 'not there' : 'not a socket');
    } catch (error) {
      this.#note('runtime directory', error.message);
    }
    return undefined;
  }

  #broken(at, error) {
    const text = error.message.includes(at) ? error.message : `${at}: ${error.message}`;
    return local(error instanceof Untrusted ? 'UNTRUSTED_PEER' : 'SERVICE_NOT_FOUND', `service ${JSON.stringify(this.name)}: ${text}`, { executed: 'no' }).error(this.name);
  }

  /** notFound names what may have been meant, and every place looked at. */
  notFound() {
    const near = closest(this.name, [...this.#known].filter(isName));
    const lines = this.places.map(({ path: at, outcome }) => `\n  ${at}: ${outcome.replaceAll('\n', ' ')}`);
    const text = `service ${JSON.stringify(this.name)} not found${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}\nlooked at:${lines.join('')}`;
    const error = local('SERVICE_NOT_FOUND', text, { executed: 'no', ...(near === undefined ? {} : { suggestion: near }) }).error(this.name);
    Object.defineProperty(error.details, 'places', { value: this.places }); // the text has them, too
    return error;
  }
}

function outcomeOf(error) {
  switch (error.code) {
    case 'ENOENT': return 'not there';
    case 'ENOTDIR': return 'not a directory';
    case 'EACCES': return 'permission denied';
  }
  return error instanceof Untrusted ? `refused: ${error.message}` : `broken: ${error.message}`;
}

// planted says whether a file may have been put where it is by somebody else.
function planted(at, error) {
  if (!(error instanceof Untrusted)) return false;
  const stat = fs.statSync(at, { throwIfNoEntry: false });
  return stat === undefined || (stat.uid !== 0 && stat.uid !== me()) || !safe(path.dirname(at));
}

function safe(dir) {
  try {
    checkDir(dir);
    return true;
  } catch {
    return false;
  }
}

/** checkDir throws unless a directory and all above it can be written by
    nobody but the user and root. What a link leads to is where the files are. */
function checkDir(dir) {
  if (windows) {
    fs.readdirSync(dir);
    return;
  }
  const real = fs.realpathSync(dir);
  for (let at = real; ; at = path.dirname(at)) {
    const stat = fs.lstatSync(at);
    if (!stat.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    checkOwner(stat);
    if ((stat.mode & 0o022) !== 0 && !(at !== real && (stat.mode & 0o1000) !== 0)) throw new Untrusted(`others may change ${at} (mode ${(stat.mode & 0o7777).toString(8)}): run chmod go-w ${JSON.stringify(at)}`);
    if (at === path.dirname(at)) return;
  }
}

function checkOwner(stat) {
  if (stat.uid !== 0 && stat.uid !== me()) throw new Untrusted(`it belongs to user ${stat.uid}`);
}

// readTrusted reads a file that nobody but the user and root can have written.
// It is opened once, and judged as opened.
function readTrusted(at) {
  const fd = fs.openSync(at, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw new Untrusted('it is not a regular file');
    if (!windows) {
      checkOwner(stat);
      if ((stat.mode & 0o022) !== 0) throw new Untrusted(`others may change it (mode ${(stat.mode & 0o7777).toString(8)}): run chmod go-w ${JSON.stringify(at)}`);
    }
    if (stat.size > MOST_BYTES) throw new Error(`it has ${stat.size} bytes, and may have ${MOST_BYTES}`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(fd));
  } finally {
    fs.closeSync(fd);
  }
}

function readJSON(at) {
  const text = readTrusted(at);
  try {
    return parse(text);
  } catch (error) {
    const lines = error.at === undefined ? undefined : text.slice(0, error.at).split('\n');
    throw new Error(`${at}${lines === undefined ? '' : `:${lines.length}:${lines.at(-1).length + 1}`}: ${error.message}`);
  }
}

function readManifest(at) {
  const manifest = readJSON(at);
  const name = manifest?.service?.name;
  if (!isName(name)) throw new Error(`${at}: service.name must be a name, not ${JSON.stringify(name)}`);
  for (const part of ['methods', 'events', 'channels', 'types']) {
    if (manifest[part] !== undefined && !isObject(manifest[part])) throw new Error(`${at}: ${JSON.stringify(part)} must be an object`);
  }
  return manifest;
}

function readMapping(at) {
  if (fs.lstatSync(at)) checkDir(path.dirname(at));
  const file = readJSON(at);
  if (!isObject(file)) throw new Error(`${at}: it is not an object`);
  for (const field of Object.keys(file)) if (field !== 'services' && field !== '$schema') throw new Error(`${at}: unknown field ${JSON.stringify(field)}: only "services" is known`);
  const entries = Object.create(null);
  for (const [name, value] of Object.entries(file.services ?? {})) entries[name] = entryOf(at, name, value);
  return entries;
}

// entryOf reads what one name is mapped to.
function entryOf(at, name, value) {
  const wrong = (why) => new Error(`${at}: ${JSON.stringify(name)} ${why}`);
  if (typeof value === 'string') value = isAddress(value) ? { address: value } : { manifest: value };
  if (!isObject(value)) throw wrong('must be a path, an address, or an object with "manifest" and "address"');
  for (const field of Object.keys(value)) if (field !== 'manifest' && field !== 'address') throw wrong(`has an unknown field ${JSON.stringify(field)}`);
  const { manifest, address } = value;
  if (manifest === undefined && address === undefined) throw wrong('is mapped to nothing');
  for (const text of [manifest, address]) if (text !== undefined && (typeof text !== 'string' || text === '' || text.includes('\0'))) throw wrong(`is mapped to ${JSON.stringify(text)}`);
  if (address !== undefined) {
    try {
      const { path: socket } = parseAddress(address);
      if (socket !== undefined) checkSocketPath(socket);
    } catch (error) {
      throw wrong(`is mapped to an address that cannot be used: ${error.message}`);
    }
  }
  return { manifest, address };
}

// One letter and a colon is a Windows drive.
const isAddress = (text) => /^[a-z]{2,}:/.test(text);

function within(at, fn) {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Failure) error.message = `${at}: ${error.message}`;
    throw error;
  }
}

/** addressesOf returns where the service of a manifest is to be reached, first
    choice first. A manifest may come from anywhere, so it leads only to where
    other users cannot wait for us. */
export function addressesOf(manifest, env = process.env) {
  const { name, transport = {} } = manifest.service;
  const choices = [transport, ...[transport.fallback ?? []].flat().map((each) => (typeof each === 'string' ? { type: each, port: transport.port } : each))];
  const addresses = [];
  let unsupported;
  for (const choice of choices) {
    try {
      addresses.push(addressOf(name, choice, env));
    } catch (error) {
      if (error.code !== 'TRANSPORT_UNSUPPORTED') throw error;
      unsupported ??= error;
    }
  }
  if (addresses.length === 0) throw unsupported;
  return addresses;
}

const refused = (name, address, why) => local('UNTRUSTED_PEER', `service ${JSON.stringify(name)}: address ${JSON.stringify(address)} refused: ${why}`, { executed: 'no' });
const unsupported = (name, why) => local('TRANSPORT_UNSUPPORTED', `service ${JSON.stringify(name)}: ${why}`, { executed: 'no' });

function addressOf(name, { type = 'auto', address = '', port, tls }, env) {
  switch (type) {
    case 'auto': case 'unix': case 'namedpipe': return socketAddress(name, address || name, env);
    case 'tcp': return tcpAddress(name, address, port, tls);
  }
  throw unsupported(name, `transport type ${JSON.stringify(type)} is not built in; use "unix", or list it under "fallback"`);
}

function socketAddress(name, address, env) {
  const bare = address.replace(/^\\\\\.\\pipe\\/, '');
  const given = bare.replace(/^unix:/, '');
  if (given === bare && !path.isAbsolute(given)) {
    const socket = given.replace(/\.sock$/, '');
    if (socket === '' || socket === '.' || socket === '..') throw refused(name, address, 'it names no socket');
    if (/[/\\]/.test(socket)) throw refused(name, address, 'a relative address is a bare name in the runtime directory');
    return `unix:${socketPath(socket, env)}`;
  }
  const dir = runtimeDir(env);
  const clean = path.normalize(given);
  if (!path.isAbsolute(given) || !clean.startsWith(`${dir}/`)) throw refused(name, address, `it is not in the runtime directory ${dir}`);
  if (Buffer.byteLength(clean) > 100) throw refused(name, address, 'it is too long for a socket');
  return `unix:${clean}`;
}

function tcpAddress(name, address, port, tls) {
  // Going on without would say in the clear what was meant to be secret.
  if (tls != null) throw unsupported(name, 'tls is not built in; use "unix", or tcp on this machine without it');
  let host = address.replace(/^tcp:/, '');
  const both = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(host);
  if (port == null && both !== null) [, host, port] = both;
  host = host.replace(/^\[|\]$/g, '');
  if (host === '' || host === 'localhost') host = '127.0.0.1';
  if (!(Number(port) >= 1 && Number(port) <= 65535)) throw local('SCHEMA_MISMATCH', `service ${JSON.stringify(name)}: a tcp transport needs a port from 1 to 65535`, { executed: 'no' });
  if (!/^127\.\d+\.\d+\.\d+$/.test(host) && host !== '::1') throw refused(name, host, 'it is not a loopback address, and tcp is not encrypted');
  return host.includes(':') ? `tcp:[${host}]:${port}` : `tcp:${host}:${port}`;
}
