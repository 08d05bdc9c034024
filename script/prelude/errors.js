// IpcError, the one class of everything that goes wrong between services.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  class IpcError extends Error {
    // A handler throws new IpcError('NOT_FOUND', 'no user 7') to answer with
    // a code: one of those that services may use, or one that begins APP_.
    constructor(code, message = code, { details = {}, service, method, cause, executed = details.executed, retryable = details.retryable } = {}) {
      ekko.check(typeof code === 'string', 'the code of an IpcError must be a string', code);
      super(message, cause === undefined ? undefined : { cause });
      this.code = code;
      this.details = details;
      if (service !== undefined) this.service = service;
      if (method !== undefined) this.method = method;
      this.executed = executed ?? 'maybe';
      this.retryable = retryable ?? false;
    }
  }
  ekko.define(IpcError.prototype, 'name', 'IpcError');

  // fromWire makes the error that Go describes. at is the stack of the call,
  // so that the error leads to the line that made it, not to the loop.
  ekko.fromWire = ({ code, message, details }, service, method, at) => {
    const error = new IpcError(code, message, { details, service, method });
    ekko.define(error, 'stack', at === undefined ? '' : host.stack(at));
    return error;
  };

  // toWire describes what a handler threw, for its caller.
  ekko.toWire = (error) => {
    const { code, message = String(error), details } = Object(error);
    if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]*$/.test(code)) return { message: String(message) };
    return { code, message: String(message), details: Object(details) === details ? details : {} };
  };

  // closest finds what a misspelled name was meant to be.
  ekko.closest = (name, names) => {
    let best;
    let least = Math.max(1, Math.floor(name.length / 3)) + 1;
    for (const candidate of names) {
      const d = distance(name.toLowerCase(), candidate.toLowerCase(), least);
      if (d < least) [best, least] = [candidate, d];
    }
    return best;
  };

  // distance counts the letters to insert, drop, replace or swap.
  function distance(a, b, most) {
    if (Math.abs(a.length - b.length) >= most) return most;
    let above;
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], above[j - 2] + 1);
      }
      [above, row] = [row, next];
    }
    return row[b.length];
  }

  ekko.IpcError = IpcError;
})
