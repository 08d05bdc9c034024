// What handlers throw, as their callers are told of it.
import { Failure, isObject } from './error.js';
import { isWellFormed } from './json.js';

/** FRAME_REST is how much of a frame is kept for what is not data. */
export const FRAME_REST = 512;
const SHORT = 128; // letters of a message that is too long

// What a handler may answer; any other code would speak for the library (err.4).
const ALLOWED = new Set(['INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'CONFLICT', 'SCHEMA_MISMATCH', 'UNIMPLEMENTED', 'HANDLER_FAILED', 'APP_ERROR']);

/** failureOf makes a Failure of what the handler of a method threw, which may
    be anything: even to look at it may throw. stopped is the error for which the
    handler was told to stop, if it was. */
export function failureOf(error, method, stopped, maxFrame) {
  let failure;
  try {
    failure = read(error, method, stopped);
  } catch {
    tellOfBug(method, 'something that cannot be read');
    failure = bug('the handler failed');
  }
  return fitting(failure, maxFrame);
}

function read(error, method, stopped) {
  const { code, message, details, retryable } = Object(error);
  if (stopped !== undefined && (error === stopped || error?.name === 'AbortError' || typeof code !== 'string')) {
    return new Failure(stopped.code, stopped.message, { executed: 'maybe', retryable: false, origin: 'service' });
  }
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]*$/.test(code) || isSystem(error)) {
    tellOfBug(method, error);
    return bug(message === undefined ? String(error) : String(message));
  }
  const said = message === undefined ? code : String(message);
  const more = { ...(isObject(details) ? details : {}), origin: 'service', ...(typeof retryable === 'boolean' ? { retryable } : {}) };
  if (ALLOWED.has(code) || code.startsWith('APP_')) return new Failure(code, said, more);
  // What another service said of its own work says nothing of this one's.
  return new Failure('APP_ERROR', said, { ...more, executed: 'yes', original: code });
}

const bug = (message) => new Failure('HANDLER_FAILED', message, { executed: 'maybe', retryable: false, origin: 'service' });

// An error of the system has a code of the system's: ENOENT and its like.
const isSystem = (error) => typeof error?.errno === 'number' || typeof error?.syscall === 'string';

/** tellOfBug shows a bug here, where it can be mended. */
export function tellOfBug(method, error) {
  try {
    console.error(`the handler of ${method} failed:`, error);
  } catch {
    console.error(`the handler of ${method} failed`);
  }
}

// fitting leaves out what cannot be written, or not into one frame.
function fitting(failure, maxFrame) {
  try {
    const text = JSON.stringify([failure.message, failure.details]);
    if (isWellFormed(text) && Buffer.byteLength(text) <= maxFrame - FRAME_REST) return failure;
  } catch { /* it is left out */ }
  const { executed, retryable } = failure;
  return new Failure(failure.code, failure.message.slice(0, SHORT).toWellFormed(), { executed, retryable, origin: 'service' });
}
