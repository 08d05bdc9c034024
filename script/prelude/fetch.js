// fetch, over Go's HTTP client. Bodies are read as a whole.
(function (ekko) {
  'use strict';

  const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

  class Headers {
    #list = new Map(); // lower-case name → values

    constructor(init = {}) {
      ekko.check(Object(init) === init, 'headers must be an object or pairs', init);
      const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
      for (const [name, value] of pairs) this.append(name, value);
    }
    append(name, value) {
      const key = this.#key(name);
      this.#list.set(key, [...(this.#list.get(key) ?? []), this.#value(value)]);
    }
    set(name, value) { this.#list.set(this.#key(name), [this.#value(value)]); }
    get(name) { return this.#list.get(this.#key(name))?.join(', ') ?? null; }
    has(name) { return this.#list.has(this.#key(name)); }
    delete(name) { this.#list.delete(this.#key(name)); }
    getSetCookie() { return [...(this.#list.get('set-cookie') ?? [])]; }
    forEach(fn, self) { for (const [name, value] of this) fn.call(self, value, name, this); }
    * entries() {
      for (const name of [...this.#list.keys()].sort()) {
        const values = this.#list.get(name);
        if (name === 'set-cookie') for (const value of values) yield [name, value];
        else yield [name, values.join(', ')];
      }
    }
    * keys() { for (const [name] of this) yield name; }
    * values() { for (const [, value] of this) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    get [Symbol.toStringTag]() { return 'Headers'; }

    #key(name) {
      ekko.check(NAME.test(String(name)), 'a header must have a valid name', name);
      return String(name).toLowerCase();
    }
    #value(value) {
      const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
      ekko.check(!/[\0\n\r]/.test(text), 'the value of a header must be one line', value);
      return text;
    }
  }

  // take turns what may be a body into bytes and their type.
  function take(body) {
    if (body === undefined || body === null) return { bytes: null, type: null };
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return { bytes: ekko.bytes(body).slice(), type: null };
    if (body instanceof URLSearchParams) return { bytes: new TextEncoder().encode(String(body)), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    return { bytes: new TextEncoder().encode(String(body)), type: 'text/plain;charset=UTF-8' };
  }

  class Body {
    #bytes; // or the text, as it came
    #used = false;

    constructor(content) { this.#bytes = content; }
    get bodyUsed() { return this.#used; }
    get body() { return null; }

    #take() {
      if (this.#used) throw new TypeError('the body has been read already');
      this.#used = this.#bytes !== null;
      return this.#bytes;
    }
    async text() {
      const content = this.#take() ?? '';
      return typeof content === 'string' ? content.replace(/^\ufeff/, '') : new TextDecoder().decode(content);
    }
    async json() { return JSON.parse(await this.text()); }
    async bytes() {
      const content = this.#take() ?? '';
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    }
    async arrayBuffer() { return (await this.bytes()).buffer; }
    static content(body) {
      if (body.#used) throw new TypeError('the body has been read already');
      return body.#bytes;
    }
  }
  const { content } = Body;
  delete Body.content;

  class Request extends Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : undefined;
      const method = String(init.method ?? from?.method ?? 'GET');
      const normal = /^(?:get|head|post|put|delete|options)$/i.test(method) ? method.toUpperCase() : method;
      ekko.check(NAME.test(normal), 'the method must be a word', method);
      const { bytes, type } = init.body !== undefined ? take(init.body) : { bytes: from === undefined ? null : content(from), type: null };
      if (bytes !== null && (normal === 'GET' || normal === 'HEAD')) throw new TypeError(`a ${normal} request has no body`);
      super(bytes);
      this.method = normal;
      this.url = from?.url ?? new URL(String(input)).href;
      this.headers = new Headers(init.headers ?? from?.headers);
      this.redirect = init.redirect ?? from?.redirect ?? 'follow';
      this.signal = init.signal ?? from?.signal ?? new ekko.AbortController().signal;
      ekko.checkSignal(this.signal);
      ekko.check(['follow', 'error', 'manual'].includes(this.redirect), "redirect must be 'follow', 'error' or 'manual'", this.redirect);
      if (type !== null && !this.headers.has('content-type')) this.headers.set('content-type', type);
    }
    clone() { return new Request(this); }
    get [Symbol.toStringTag]() { return 'Request'; }
  }

  class Response extends Body {
    constructor(body, { status = 200, statusText = '', headers } = {}) {
      const { bytes, type } = typeof body === 'string' ? { bytes: body, type: 'text/plain;charset=UTF-8' } : take(body);
      super(bytes);
      if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError(`the status must be between 200 and 599, got ${status}`);
      this.status = status;
      this.statusText = String(statusText);
      this.headers = new Headers(headers);
      this.url = '';
      this.redirected = false;
      this.type = 'default';
      if (type !== null && !this.headers.has('content-type')) this.headers.set('content-type', type);
    }
    get ok() { return this.status >= 200 && this.status < 300; }
    clone() {
      const copy = new Response(content(this), this);
      return Object.assign(copy, { url: this.url, redirected: this.redirected, type: this.type });
    }
    static json(value, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(JSON.stringify(value), { ...init, headers });
    }
    static error() { return Object.assign(new Response(null), { type: 'error', status: 0 }); }
    static redirect(url, status = 302) { return new Response(null, { status, headers: { location: new URL(url).href } }); }
    get [Symbol.toStringTag]() { return 'Response'; }
  }

  const waiting = new Map();
  const settle = (id) => {
    const request = waiting.get(id);
    if (request === undefined) return undefined;
    waiting.delete(id);
    ekko.unref();
    request.forget();
    return request;
  };

  ekko.on('fetched', ([, id, { url, text, bytes, headers, redirected, status, statusText }]) => {
    const request = settle(id);
    if (request === undefined) return;
    const body = text ?? (bytes === undefined ? null : Uint8Array.fromBase64(bytes));
    const response = new Response(null);
    const filled = status === 204 || status === 304 ? response : new Response(body);
    Object.assign(filled, { status, statusText, url, redirected, type: 'basic', headers: new Headers(headers) });
    request.resolve(filled);
  });
  ekko.on('unfetched', ([, id, message]) => {
    settle(id)?.reject(new TypeError('fetch failed', { cause: new Error(message) }));
  });

  ekko.fetch = async function fetch(input, init) {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const scheme = new URL(request.url).protocol;
    if (scheme !== 'http:' && scheme !== 'https:') throw new TypeError(`fetch speaks http and https, not ${scheme}`);
    const body = content(request);
    return new Promise((resolve, reject) => {
      const id = ekko.nextCall();
      const forget = ekko.whenAborted(signal, () => {
        if (settle(id) === undefined) return;
        ekko.send('cancel', id);
        reject(signal.reason);
      });
      waiting.set(id, { resolve, reject, forget });
      ekko.ref();
      ekko.send('fetch', id, JSON.stringify({
        url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect,
        body: body === null ? null : (typeof body === 'string' ? new TextEncoder().encode(body) : body).toBase64(),
      }));
    });
  };
  Object.assign(ekko, { Headers, Request, Response });
})
