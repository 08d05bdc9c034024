// EventTarget, Event, CustomEvent, DOMException, AbortController and
// AbortSignal.
(function (ekko) {
  'use strict';

  const codes = {
    IndexSizeError: 1, NotFoundError: 8, NotSupportedError: 9, InvalidStateError: 11, SyntaxError: 12,
    InvalidAccessError: 15, TypeMismatchError: 17, NetworkError: 19, AbortError: 20, QuotaExceededError: 22,
    TimeoutError: 23, DataCloneError: 25, InvalidCharacterError: 5,
  };

  class DOMException extends Error {
    #name;
    constructor(message = '', options = undefined) {
      const { name = 'Error', ...rest } = typeof options === 'object' && options !== null ? options : { name: options };
      super(String(message), rest);
      this.#name = String(name);
    }
    get name() { return this.#name; }
    get code() { return codes[this.#name] ?? 0; }
    get [Symbol.toStringTag]() { return 'DOMException'; }
  }

  class Event {
    #type;
    #options;
    #target = null;
    #canceled = false;
    stopped = false;

    constructor(type, options = {}) {
      ekko.check(arguments.length > 0, 'an Event needs its type', undefined);
      this.#type = String(type);
      this.#options = options ?? {};
      Object.defineProperty(this, 'stopped', { enumerable: false });
    }
    get type() { return this.#type; }
    get target() { return this.#target; }
    get currentTarget() { return this.#target; }
    get srcElement() { return this.#target; }
    get bubbles() { return Boolean(this.#options.bubbles); }
    get cancelable() { return Boolean(this.#options.cancelable); }
    get composed() { return Boolean(this.#options.composed); }
    get defaultPrevented() { return this.#canceled; }
    get isTrusted() { return false; }
    preventDefault() { if (this.cancelable) this.#canceled = true; }
    stopPropagation() {}
    stopImmediatePropagation() { this.stopped = true; }
    composedPath() { return this.#target === null ? [] : [this.#target]; }
    static dispatched(event, target) { event.#target = target; }
    get [Symbol.toStringTag]() { return 'Event'; }
  }
  const { dispatched } = Event;
  delete Event.dispatched;

  class CustomEvent extends Event {
    #detail;
    constructor(type, options = {}) {
      super(type, options);
      this.#detail = options?.detail ?? null;
    }
    get detail() { return this.#detail; }
    get [Symbol.toStringTag]() { return 'CustomEvent'; }
  }

  class EventTarget {
    #listeners = new Map();

    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      ekko.check(typeof listener === 'function' || typeof listener === 'object', 'the listener must be a function or an object with handleEvent', listener);
      const { once = false, signal } = typeof options === 'object' && options !== null ? options : {};
      if (signal?.aborted) return;
      const list = this.#listeners.get(String(type)) ?? [];
      if (list.some((entry) => entry.listener === listener)) return;
      this.#listeners.set(String(type), [...list, { listener, once }]);
      signal?.addEventListener('abort', () => this.removeEventListener(type, listener), { once: true });
    }

    removeEventListener(type, listener) {
      const list = this.#listeners.get(String(type));
      if (list === undefined) return;
      const rest = list.filter((entry) => entry.listener !== listener);
      if (rest.length > 0) this.#listeners.set(String(type), rest);
      else this.#listeners.delete(String(type));
    }

    // A listener that throws does not stop the others.
    dispatchEvent(event) {
      ekko.check(event instanceof Event, 'dispatchEvent takes an Event', event);
      dispatched(event, this);
      for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
        if (once) this.removeEventListener(event.type, listener);
        try {
          if (typeof listener === 'function') listener.call(this, event);
          else listener.handleEvent(event);
        } catch (error) {
          queueMicrotask(() => { throw error; });
        }
        if (event.stopped) break;
      }
      return !event.defaultPrevented;
    }
    get [Symbol.toStringTag]() { return 'EventTarget'; }
  }

  // Only what is in here can make a signal or abort it.
  const key = {};
  let abort;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    #followers = null; // signals made by AbortSignal.any of this one
    #onabort = null;
    #call; // the listener that calls onabort

    constructor(secret) {
      if (secret !== key) throw new TypeError('Illegal constructor');
      super();
    }
    get onabort() { return this.#onabort; }
    set onabort(listener) {
      this.#onabort = typeof listener === 'function' ? listener : null;
      if (this.#call !== undefined) return;
      this.#call = (event) => this.#onabort?.call(this, event);
      this.addEventListener('abort', this.#call);
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    get [Symbol.toStringTag]() { return 'AbortSignal'; }

    static abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
      const signal = new AbortSignal(key);
      abort(signal, reason);
      return signal;
    }

    static timeout(delay) {
      ekko.check(typeof delay === 'number' && delay >= 0 && delay <= Number.MAX_SAFE_INTEGER, 'the delay must be milliseconds', delay);
      const signal = new AbortSignal(key);
      setTimeout(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay).unref();
      return signal;
    }

    static any(signals) {
      const sources = [...signals];
      for (const source of sources) ekko.check(source instanceof AbortSignal, 'AbortSignal.any takes signals', source);
      const signal = new AbortSignal(key);
      const done = sources.find((source) => source.aborted);
      if (done !== undefined) {
        abort(signal, done.reason);
        return signal;
      }
      for (const source of sources) (source.#followers ??= new Set()).add(signal);
      return signal;
    }

    static {
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason = reason;
        const followers = signal.#followers;
        signal.#followers = null;
        signal.dispatchEvent(new Event('abort'));
        for (const follower of followers ?? []) abort(follower, reason);
      };
    }
  }

  class AbortController {
    #signal = new AbortSignal(key);
    get signal() { return this.#signal; }
    abort(reason = new DOMException('This operation was aborted', 'AbortError')) { abort(this.#signal, reason); }
    get [Symbol.toStringTag]() { return 'AbortController'; }
  }

  Object.assign(ekko, { DOMException, Event, CustomEvent, EventTarget, AbortSignal, AbortController });
})
