// URL and URLSearchParams, by the URL standard. Names in other scripts than
// Latin are put in Unicode form C and encoded, without the tables of IDNA.
(function (ekko) {
  'use strict';

  const PORTS = { __proto__: null, 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443, 'ftp:': 21, 'file:': null };
  const isSpecial = (scheme) => scheme in PORTS;
  const DRIVE = /^[A-Za-z][:|]$/;
  const DOT = /^(?:\.|%2e)$/i;
  const DOTS = /^(?:\.|%2e){2}$/i;

  // What must be percent-encoded where, besides controls and non-ASCII.
  const FRAGMENT = ' "<>`';
  const QUERY = ' "#<>';
  const PATH = `${QUERY}?^\`{}`;
  const USERINFO = `${PATH}/:;=@[\\]|`;

  function encode(text, set) {
    let out = '';
    for (const c of text) {
      const code = c.codePointAt(0);
      if (code > 0x7e || code < 0x20) out += code < 0x80 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(c);
      else if (set.includes(c)) out += `%${code.toString(16).toUpperCase()}`;
      else out += c;
    }
    return out;
  }

  function percentDecode(text) {
    if (!text.includes('%')) return text;
    const bytes = new TextEncoder().encode(text);
    const out = [];
    for (let i = 0; i < bytes.length; i++) {
      const hex = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : '';
      if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
        out.push(parseInt(hex, 16));
        i += 2;
      } else {
        out.push(bytes[i]);
      }
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array(out));
  }

  // punycode encodes one label of a name.
  function punycode(label) {
    const points = Array.from(label, (c) => c.codePointAt(0));
    let out = String.fromCharCode(...points.filter((p) => p < 0x80));
    let handled = out.length;
    const basic = handled;
    if (basic > 0) out += '-';
    let n = 128;
    let delta = 0;
    let bias = 72;
    while (handled < points.length) {
      const next = Math.min(...points.filter((p) => p >= n));
      delta += (next - n) * (handled + 1);
      n = next;
      for (const p of points) {
        if (p < n) delta++;
        if (p !== n) continue;
        let q = delta;
        for (let k = 36; ; k += 36) {
          const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
          if (q < t) break;
          out += digit(t + ((q - t) % (36 - t)));
          q = Math.floor((q - t) / (36 - t));
        }
        out += digit(q);
        bias = adapt(delta, handled + 1, handled === basic);
        delta = 0;
        handled++;
      }
      delta++;
      n++;
    }
    return out;
  }
  const digit = (d) => String.fromCharCode(d < 26 ? d + 97 : d + 22);
  function adapt(delta, count, first) {
    delta = Math.floor(first ? delta / 700 : delta / 2);
    delta += Math.floor(delta / count);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    return k + Math.floor((36 * delta) / (delta + 38));
  }

  // The parsers of hosts return undefined for what is none.
  function parseHost(text, special) {
    if (text.startsWith('[')) {
      const address = text.endsWith(']') ? parseIPv6(text.slice(1, -1)) : undefined;
      return address === undefined ? undefined : `[${address}]`;
    }
    if (!special) return /[\0\t\n\r #/:<>?@[\\\]^|]/.test(text) ? undefined : encode(text, '');
    const name = percentDecode(text).normalize('NFKC').toLowerCase().normalize('NFC').replace(/[\u3002\uff0e\uff61]/g, '.').replaceAll('\u00ad', '');
    const ascii = name.split('.').map((label) => (/^[\0-\x7f]*$/.test(label) ? label : `xn--${punycode(label)}`)).join('.');
    if (ascii === '' || /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(ascii)) return undefined;
    const labels = ascii.split('.');
    if (labels.length > 1 && labels.at(-1) === '') labels.pop();
    return /^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)) ? parseIPv4(labels) : ascii;
  }

  function parseIPv4(parts) {
    if (parts.length > 4) return undefined;
    const numbers = [];
    for (const part of parts) {
      const [, hex, octal] = /^(0x)?(0)?/i.exec(part);
      const digits = hex !== undefined ? part.slice(2) : part;
      const radix = hex !== undefined ? 16 : octal !== undefined && part.length > 1 ? 8 : 10;
      const valid = radix === 16 ? /^[0-9a-f]*$/i : radix === 8 ? /^[0-7]+$/ : /^\d+$/;
      if (!valid.test(digits)) return undefined;
      numbers.push(digits === '' ? 0 : parseInt(digits, radix));
    }
    const last = numbers.pop();
    if (numbers.some((n) => n > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
    const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), last);
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  }

  function parseIPv6(text) {
    const [, head, dotted] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? [undefined, text, undefined];
    if (dotted !== undefined) {
      const bytes = dotted.split('.');
      if (bytes.some((b) => Number(b) > 255 || (b.length > 1 && b.startsWith('0')))) return undefined;
      const [a, b, c, d] = bytes.map(Number);
      text = `${head}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
    }
    const halves = text.split('::');
    if (halves.length > 2) return undefined;
    const [left, right] = halves.map((half) => (half === '' ? [] : half.split(':')));
    const pieces = right === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
    if (pieces.length !== 8 || (right !== undefined && left.length + right.length > 7)) return undefined;
    if (!pieces.every((piece) => /^[0-9a-f]{1,4}$/i.test(piece))) return undefined;
    const numbers = pieces.map((piece) => parseInt(piece, 16));
    let longest = { at: -1, length: 1 };
    for (let i = 0; i < 8; i++) {
      let length = 0;
      while (i + length < 8 && numbers[i + length] === 0) length++;
      if (length > longest.length) longest = { at: i, length };
      i += length;
    }
    const hex = (list) => list.map((n) => n.toString(16)).join(':');
    return longest.at < 0 ? hex(numbers) : `${hex(numbers.slice(0, longest.at))}::${hex(numbers.slice(longest.at + longest.length))}`;
  }

  // walk appends the segments of a path to those that it is relative to.
  function walk(url, text) {
    const special = isSpecial(url.scheme);
    const segments = text.split(special ? /[/\\]/ : '/');
    segments.forEach((segment, i) => {
      const last = i === segments.length - 1;
      if (DOTS.test(segment)) {
        shorten(url);
        if (last) url.path.push('');
      } else if (DOT.test(segment)) {
        if (last) url.path.push('');
      } else if (url.scheme === 'file:' && url.path.length === 0 && DRIVE.test(segment)) {
        url.path.push(`${segment[0]}:`);
      } else {
        url.path.push(encode(segment, PATH));
      }
    });
  }
  function shorten(url) {
    if (url.scheme === 'file:' && url.path.length === 1 && /^[A-Za-z]:$/.test(url.path[0])) return;
    url.path.pop();
  }

  function authority(url, text) {
    const at = text.lastIndexOf('@');
    if (at >= 0) {
      const [, username, password = ''] = /^([^:]*)(?::([^]*))?$/.exec(text.slice(0, at));
      url.username = encode(username, USERINFO);
      url.password = encode(password, USERINFO);
    }
    const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::([^]*))?$/.exec(text.slice(at + 1)) ?? [];
    if (host === undefined || (host === '' && (isSpecial(url.scheme) || at >= 0 || port !== undefined))) return false;
    url.host = host === '' ? '' : parseHost(host, isSpecial(url.scheme));
    return url.host !== undefined && setPort(url, port ?? '');
  }
  function setPort(url, text) {
    if (!/^\d*$/.test(text) || Number(text) > 65535) return false;
    url.port = text === '' || Number(text) === PORTS[url.scheme] ? '' : String(Number(text));
    return true;
  }

  // parse returns the parts of a URL, or undefined.
  function parse(input, base) {
    let text = input.toWellFormed().replace(/^[\0-\x20]+|[\0-\x20]+$/g, '').replace(/[\t\n\r]/g, '');
    const url = { scheme: '', username: '', password: '', host: null, port: '', path: [], opaque: null, query: null, fragment: null };
    const hash = text.indexOf('#');
    if (hash >= 0) {
      url.fragment = encode(text.slice(hash + 1), FRAGMENT);
      text = text.slice(0, hash);
    }
    const [scheme] = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text) ?? [];
    if (scheme === undefined) {
      if (base === undefined) return undefined;
      if (base.opaque !== null) {
        if (text !== '' || hash < 0) return undefined;
        return { ...base, path: [], fragment: url.fragment };
      }
    }
    url.scheme = scheme?.toLowerCase() ?? base.scheme;
    let main = text.slice(scheme?.length ?? 0);
    const special = isSpecial(url.scheme);
    const mark = main.indexOf('?');
    if (mark >= 0) {
      url.query = encode(main.slice(mark + 1), special ? `${QUERY}'` : QUERY);
      main = main.slice(0, mark);
    }
    const slash = (i) => main[i] === '/' || (special && main[i] === '\\');
    const like = base !== undefined && base.opaque === null && base.scheme === url.scheme ? base : undefined;
    if (url.scheme === 'file:') return parseFile(url, main, like, slash);
    if (scheme !== undefined && special && (like === undefined || (slash(0) && slash(1)))) {
      return parseAuthority(url, main.replace(/^[/\\]*/, ''));
    }
    if (scheme !== undefined && !special) {
      if (main.startsWith('//')) return parseAuthority(url, main.slice(2));
      if (main.startsWith('/')) walk(url, main.slice(1));
      else url.opaque = encode(main, '').replace(/ +$/, (spaces) => (url.query === null && url.fragment === null ? '' : `${spaces.slice(1)}%20`));
      return url;
    }
    if (slash(0) && slash(1)) return parseAuthority(url, special ? main.replace(/^[/\\]*/, '') : main.slice(2));
    return parseRelative(url, main, like, slash);
  }

  function parseAuthority(url, rest) {
    const end = rest.search(isSpecial(url.scheme) ? /[/\\]/ : /\//);
    if (!authority(url, end < 0 ? rest : rest.slice(0, end))) return undefined;
    if (end >= 0) walk(url, rest.slice(end + 1));
    else if (isSpecial(url.scheme)) url.path = [''];
    return url;
  }

  function parseRelative(url, main, base, slash) {
    const { username, password, host, port } = base;
    Object.assign(url, { username, password, host, port });
    if (slash(0)) {
      walk(url, main.slice(1));
      return url;
    }
    url.path = [...base.path];
    if (main !== '') {
      shorten(url);
      walk(url, main);
    } else if (url.query === null) {
      url.query = base.query;
    }
    return url;
  }

  function parseFile(url, main, base, slash) {
    url.host = '';
    if (slash(0) && slash(1)) {
      const rest = main.slice(2);
      const end = rest.search(/[/\\]/);
      const host = end < 0 ? rest : rest.slice(0, end);
      if (DRIVE.test(host)) {
        walk(url, rest);
        return url;
      }
      url.host = host === '' ? '' : parseHost(host, true);
      if (url.host === undefined) return undefined;
      if (url.host === 'localhost') url.host = '';
      walk(url, end < 0 ? '' : rest.slice(end + 1));
      return url;
    }
    const drive = /^[A-Za-z][:|](?:[/\\]|$)/;
    if (slash(0)) {
      if (base !== undefined) {
        url.host = base.host;
        if (!drive.test(main.slice(1)) && /^[A-Za-z]:$/.test(base.path[0] ?? '')) url.path.push(base.path[0]);
      }
      walk(url, main.slice(1));
      return url;
    }
    if (base === undefined) {
      walk(url, main);
      return url;
    }
    url.host = base.host;
    if (drive.test(main)) {
      walk(url, main);
      return url;
    }
    return parseRelative(url, main, base, slash);
  }

  const pathOf = (url) => url.opaque ?? (url.path.length === 0 ? '' : `/${url.path.join('/')}`);

  function serialize(url, fragment = true) {
    let out = url.scheme;
    if (url.host !== null) {
      out += '//';
      if (url.username !== '' || url.password !== '') out += `${url.username}${url.password === '' ? '' : `:${url.password}`}@`;
      out += url.host + (url.port === '' ? '' : `:${url.port}`);
    } else if (url.opaque === null && url.path.length > 1 && url.path[0] === '') {
      out += '/.';
    }
    out += pathOf(url);
    if (url.query !== null) out += `?${url.query}`;
    if (fragment && url.fragment !== null) out += `#${url.fragment}`;
    return out;
  }

  const formEncode = (text) => encodeURIComponent(text.toWellFormed()).replace(/%20|[!'()~]/g, (c) => (c === '%20' ? '+' : `%${c.charCodeAt(0).toString(16).toUpperCase()}`));
  const formDecode = (text) => percentDecode(text.replaceAll('+', ' '));

  class URLSearchParams {
    #list = [];
    #changed = () => {};

    constructor(init = '') {
      if (Object(init) !== init) this.#parse(String(init).replace(/^\?/, ''));
      else if (typeof init[Symbol.iterator] === 'function') {
        for (const pair of init) {
          const [name, value, ...rest] = pair;
          ekko.check(value !== undefined && rest.length === 0, 'each pair must have a name and a value', pair);
          this.#list.push([String(name).toWellFormed(), String(value).toWellFormed()]);
        }
      } else {
        for (const name of Object.keys(init)) this.#list.push([name.toWellFormed(), String(init[name]).toWellFormed()]);
      }
    }
    #parse(text) {
      this.#list = text.split('&').filter((part) => part !== '').map((part) => {
        const i = part.indexOf('=');
        return i < 0 ? [formDecode(part), ''] : [formDecode(part.slice(0, i)), formDecode(part.slice(i + 1))];
      });
    }
    static of(query, changed) {
      const params = new URLSearchParams();
      params.#parse(query);
      params.#changed = changed;
      return params;
    }
    static reset(params, query) { params.#parse(query); }

    get size() { return this.#list.length; }
    append(name, value) {
      this.#list.push([String(name).toWellFormed(), String(value).toWellFormed()]);
      this.#changed();
    }
    delete(name, value) {
      this.#list = this.#list.filter((pair) => pair[0] !== String(name) || (value !== undefined && pair[1] !== String(value)));
      this.#changed();
    }
    get(name) { return this.#list.find((pair) => pair[0] === String(name))?.[1] ?? null; }
    getAll(name) { return this.#list.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]); }
    has(name, value) { return this.#list.some((pair) => pair[0] === String(name) && (value === undefined || pair[1] === String(value))); }
    set(name, value) {
      const first = this.#list.find((pair) => pair[0] === String(name));
      if (first === undefined) return this.append(name, value);
      first[1] = String(value).toWellFormed();
      this.#list = this.#list.filter((pair) => pair === first || pair[0] !== String(name));
      this.#changed();
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed();
    }
    forEach(fn, self) { for (const [name, value] of this) fn.call(self, value, name, this); }
    * entries() { for (let i = 0; i < this.#list.length; i++) yield [...this.#list[i]]; }
    * keys() { for (const [name] of this) yield name; }
    * values() { for (const [, value] of this) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([name, value]) => `${formEncode(name)}=${formEncode(value)}`).join('&'); }
    get [Symbol.toStringTag]() { return 'URLSearchParams'; }
    [Symbol.for('nodejs.util.inspect.custom')](_, options, inspect) {
      if (this.#list.length === 0) return 'URLSearchParams {}';
      return `URLSearchParams { ${this.#list.map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`).join(', ')} }`;
    }
  }
  const { of, reset } = URLSearchParams;
  delete URLSearchParams.of;
  delete URLSearchParams.reset;

  class URL {
    #url;
    #params;

    constructor(input, base) {
      const from = base === undefined ? undefined : parse(String(base));
      this.#url = base !== undefined && from === undefined ? undefined : parse(String(input), from);
      if (this.#url === undefined) {
        throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: String(input), ...(base === undefined ? {} : { base: String(base) }) });
      }
    }
    static canParse(input, base) { return URL.parse(input, base) !== null; }
    static parse(input, base) {
      try {
        return new URL(input, base);
      } catch {
        return null;
      }
    }

    get href() { return serialize(this.#url); }
    set href(value) {
      const url = parse(String(value));
      if (url === undefined) throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: String(value) });
      this.#url = url;
      this.#refresh();
    }
    get origin() {
      if (this.#url.scheme === 'blob:') return /^https?:/.test(this.#url.opaque) ? URL.parse(this.#url.opaque)?.origin ?? 'null' : 'null';
      return isSpecial(this.#url.scheme) && this.#url.scheme !== 'file:' ? `${this.protocol}//${this.host}` : 'null';
    }
    get protocol() { return this.#url.scheme; }
    set protocol(value) {
      const [scheme] = /^[A-Za-z][A-Za-z0-9+.-]*(?=:|$)/.exec(String(value)) ?? [];
      if (scheme === undefined) return;
      const next = `${scheme.toLowerCase()}:`;
      if (isSpecial(next) !== isSpecial(this.#url.scheme)) return;
      if (next === 'file:' && (this.#url.username !== '' || this.#url.password !== '' || this.#url.port !== '')) return;
      if (this.#url.scheme === 'file:' && this.#url.host === '') return;
      this.#url.scheme = next;
      setPort(this.#url, this.#url.port);
    }
    get username() { return this.#url.username; }
    set username(value) { if (this.#named) this.#url.username = encode(String(value), USERINFO); }
    get password() { return this.#url.password; }
    set password(value) { if (this.#named) this.#url.password = encode(String(value), USERINFO); }
    get #named() { return this.#url.host !== null && this.#url.host !== '' && this.#url.scheme !== 'file:'; }
    get host() { return (this.#url.host ?? '') + (this.#url.port === '' ? '' : `:${this.#url.port}`); }
    set host(value) { this.#setHost(String(value), true); }
    get hostname() { return this.#url.host ?? ''; }
    set hostname(value) { this.#setHost(String(value), false); }
    #setHost(value, withPort) {
      if (this.#url.opaque !== null) return;
      const [, name, port] = /^(\[[^\]]*\]|[^:/?#\\]*)(?::(\d*))?/.exec(value);
      const host = name === '' ? '' : parseHost(name, isSpecial(this.#url.scheme));
      if (host === undefined || (host === '' && isSpecial(this.#url.scheme) && this.#url.scheme !== 'file:')) return;
      if (port !== undefined && !withPort) return;
      this.#url.host = host;
      if (withPort && port) setPort(this.#url, port);
    }
    get port() { return this.#url.port; }
    set port(value) {
      const [digits] = /^\d*/.exec(String(value));
      if (this.#named && (digits !== '' || value === '')) setPort(this.#url, digits);
    }
    get pathname() { return pathOf(this.#url); }
    set pathname(value) {
      if (this.#url.opaque !== null) return;
      this.#url.path = [];
      const text = String(value).replace(/[\t\n\r]/g, '');
      walk(this.#url, /^[/\\]/.test(text) && (text[0] === '/' || isSpecial(this.#url.scheme)) ? text.slice(1) : text);
    }
    get search() { return this.#url.query ? `?${this.#url.query}` : ''; }
    set search(value) {
      const text = String(value).replace(/^\?/, '').replace(/[\t\n\r]/g, '');
      this.#url.query = value === '' ? null : encode(text, isSpecial(this.#url.scheme) ? `${QUERY}'` : QUERY);
      this.#refresh();
    }
    get searchParams() {
      this.#params ??= of(this.#url.query ?? '', () => {
        const query = String(this.#params);
        this.#url.query = query === '' ? null : query;
      });
      return this.#params;
    }
    #refresh() { if (this.#params !== undefined) reset(this.#params, this.#url.query ?? ''); }
    get hash() { return this.#url.fragment ? `#${this.#url.fragment}` : ''; }
    set hash(value) {
      this.#url.fragment = value === '' ? null : encode(String(value).replace(/^#/, '').replace(/[\t\n\r]/g, ''), FRAGMENT);
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
    get [Symbol.toStringTag]() { return 'URL'; }
    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
      if (depth < 0) return this.href;
      const parts = {};
      for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash']) parts[name] = this[name];
      return `URL ${inspect(parts, options)}`;
    }
  }

  Object.assign(ekko, { URL, URLSearchParams });
})
