// IpcError: the one class of all that goes wrong between services.

// What a code says of itself, unless the details say otherwise: whether the
// work was done, and whether asking again may help. Codes that are not here
// are "maybe" and not retryable, as is any code that this version does not know.
const NO = ['no', false];
const AGAIN = ['no', true];
const DONE = ['yes', false];
const KNOWN = new Map(Object.entries({
  MALFORMED_MESSAGE: NO, MESSAGE_TOO_LARGE: NO, PROTOCOL_ERROR: NO, UNSUPPORTED_VERSION: NO, UNAUTHENTICATED: NO,
  PERMISSION_DENIED: NO, HANDSHAKE_TIMEOUT: AGAIN, SERVICE_NOT_FOUND: NO, METHOD_NOT_FOUND: NO, CHANNEL_NOT_FOUND: NO,
  SERVICE_UNAVAILABLE: AGAIN, SERVICE_VERSION_MISMATCH: NO, INVALID_ARGUMENT: NO, SCHEMA_MISMATCH: NO,
  RESPONSE_SCHEMA_MISMATCH: DONE, DAEMON_UNAVAILABLE: AGAIN, REGISTRY_UNAVAILABLE: AGAIN, SHUTTING_DOWN: AGAIN,
  QUEUE_FULL: AGAIN, OVERLOADED: AGAIN, RATE_LIMITED: AGAIN, QUOTA_EXCEEDED: NO, CIRCUIT_OPEN: AGAIN, NAME_TAKEN: NO,
  LEASE_LOST: NO, INVALID_NAME: NO, INVALID_PATTERN: NO, ALREADY_EXISTS: NO, NOT_FOUND: NO, CONFLICT: NO,
  STORAGE_FULL: NO, STORAGE_UNAVAILABLE: ['maybe', true], DUPLICATE: DONE, TRANSPORT_UNSUPPORTED: NO, TLS_ERROR: NO,
  UNTRUSTED_PEER: NO, UNIMPLEMENTED: NO,
}));
const UNKNOWN = ['maybe', false];
const EXECUTED = new Set(['no', 'yes', 'maybe']);

const defaultsOf = (code) => KNOWN.get(code) ?? (code.startsWith('APP_') ? DONE : UNKNOWN);

/** Everything that goes wrong between services: decide by its code. */
export class IpcError extends Error {
  constructor(code, message = code, options = {}) {
    if (typeof code !== 'string' || code === '') throw new TypeError(`the code of an IpcError must be a string, got ${show(code)}`);
    const { details = {}, service, method, cause } = options;
    const [executed, retryable] = defaultsOf(code);
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    if (service !== undefined) this.service = service;
    if (method !== undefined) this.method = method;
    this.executed = options.executed ?? (EXECUTED.has(details.executed) ? details.executed : executed);
    this.retryable = options.retryable ?? (typeof details.retryable === 'boolean' ? details.retryable : retryable);
  }
}
Object.defineProperty(IpcError.prototype, 'name', { value: 'IpcError', writable: true, configurable: true });

/** A Failure is an error that has no stack yet: who waited for the call makes
    it one, so that the stack leads to the caller's line and not to the socket. */
export class Failure {
  constructor(code, message, details = {}, cause = undefined) {
    this.code = code;
    this.message = message;
    this.details = details;
    this.cause = cause;
    const [executed, retryable] = defaultsOf(code);
    this.executed = EXECUTED.has(details.executed) ? details.executed : executed;
    this.retryable = typeof details.retryable === 'boolean' ? details.retryable : retryable;
  }

  /** error makes the IpcError, here and now. */
  error(service, method) {
    const { code, message, details, cause, executed, retryable } = this;
    return withoutOurFrames(new IpcError(code, message, { details, service, method, cause, executed, retryable }));
  }
}

// PLACES is the directory of our files as stacks name it: Node and Deno write
// URLs, and Bun writes paths. There is none if a bundler has put them into one
// file with the program, where nobody can tell its frames from ours.
const PLACES = placesOf(/^(.*\/)error\.js$/.exec(import.meta.url ?? '')?.[1]);
const SCHEDULED = ['(node:internal/process/task_queues', 'processTicksAndRejections (native:'];

function placesOf(url) {
  return url === undefined ? [] : [url, decodeURIComponent(new URL(url).pathname)];
}

// ours are the files beside this one; a program may lie below them.
function isOurs(line) {
  const place = PLACES.find((each) => line.includes(each));
  if (place !== undefined) return !line.slice(line.indexOf(place) + place.length).includes('/');
  return SCHEDULED.some((each) => line.includes(each));
}

/** withoutOurFrames leaves in an error's stack the frames of the program. */
function withoutOurFrames(error) {
  const lines = String(error.stack ?? '').split('\n');
  const kept = lines.filter((line) => !isOurs(line));
  if (kept.length < lines.length) error.stack = kept.join('\n');
  return error;
}

/** stackHere is where the program stands. */
export function stackHere() {
  const frames = String(new Error().stack ?? '').split('\n').slice(1).filter((line) => !isOurs(line));
  return frames.length === 0 ? undefined : `\n${frames.join('\n')}`;
}

/** local is a failure that this side has made up itself. */
export const local = (code, message, details = {}) => new Failure(code, message, { ...details, origin: 'client' });

const EXPECTED = [['executed', (v) => EXECUTED.has(v) || typeof v === 'string'], ['retryable', (v) => typeof v === 'boolean'], ['retryAfterMs', (v) => typeof v === 'number' && v >= 0], ['origin', (v) => typeof v === 'string'], ['path', (v) => typeof v === 'string']];

/** fromWire reads the error object of a response, whatever it turns out to be. */
export function fromWire(said) {
  const { code, message } = Object(said);
  if (typeof code !== 'string' || code === '' || !(message == null || typeof message === 'string')) {
    return new Failure('INTERNAL', 'the service sent an error that cannot be read', { executed: 'maybe', origin: 'client' });
  }
  const details = isObject(said.details) ? { ...said.details } : {};
  for (const [name, ok] of EXPECTED) if (Object.hasOwn(details, name) && !ok(details[name])) delete details[name];
  if (details.executed !== undefined && !EXECUTED.has(details.executed)) details.executed = 'maybe';
  if (details.retryAfterMs !== undefined) details.retryAfterMs = Math.ceil(details.retryAfterMs);
  return new Failure(code, message ?? '', details);
}

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** show names a wrong argument in a TypeError. */
export function show(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/** check throws the TypeError that a wrong argument deserves. */
export function check(ok, what, value) {
  if (!ok) throw new TypeError(`${what}, got ${show(value)}`);
}

/** checkSignal lets undefined pass. */
export function checkSignal(signal) {
  check(signal === undefined || (typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function'), 'the signal must be an AbortSignal', signal);
}

/** whenAborted calls fn when the signal ends, and returns how to stop that. */
export function whenAborted(signal, fn) {
  signal.addEventListener('abort', fn, { once: true });
  return () => signal.removeEventListener('abort', fn);
}

/** emitWarning tells whoever looks after the program, in the way of the runtime. */
export const emitWarning = (warning) => (globalThis.process?.emitWarning === undefined ? console.warn(warning) : process.emitWarning(warning));

// A warning is told once: a peer that refuses a thousand events is one fact.
const told = new Set();

/** warn tells the user of a failure that no call waits for. */
export function warn(key, error) {
  if (told.has(key) || told.size >= 256) return;
  told.add(key);
  emitWarning(error);
}
