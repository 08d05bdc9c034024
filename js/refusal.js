// Refusals: what a service says no with, before anything was done.
import { Failure } from './error.js';

/** refuse is a failure before anything was done. */
export const refuse = (code, message, details = {}) => new Failure(code, message, { executed: 'no', retryable: false, origin: 'service', ...details });
