// How values look when they are shown: as Node shows them, as far as
// JavaScript itself can see into them.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  const colors = {
    number: 33, bigint: 33, boolean: 33, string: 32, symbol: 32, undefined: 90, null: 1, special: 36, date: 35, regexp: 31, key: 0,
  };
  const closing = { 1: 22 };
  const custom = Symbol.for('nodejs.util.inspect.custom');
  const ITEMS = 100;

  const IDENTIFIER = /^[A-Za-z_]\w*$/;

  function quote(text, single = false) {
    const mark = single || !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'";
    let out = '';
    for (let i = 0; i < text.length; i++) {
      const c = text[i];
      const code = text.charCodeAt(i);
      if (c === mark || c === '\\') out += '\\' + c;
      else if (code === 10) out += '\\n';
      else if (code === 13) out += '\\r';
      else if (code === 9) out += '\\t';
      else if (code === 8) out += '\\b';
      else if (code === 12) out += '\\f';
      else if (code === 11) out += '\\v';
      else if (code < 32 || code === 127 || (code >= 128 && code < 160)) out += '\\x' + code.toString(16).toUpperCase().padStart(2, '0');
      else if (code >= 0xd800 && code <= 0xdfff && !text.slice(i, i + 2).isWellFormed()) out += '\\u' + code.toString(16).toUpperCase();
      else if (code >= 0xd800 && code <= 0xdbff) out += c + text[++i];
      else out += c;
    }
    return mark + out + mark;
  }

  // The name of the class of an object; null for one that has none.
  function className(value) {
    for (let object = value; object !== null; object = Object.getPrototypeOf(object)) {
      const own = Object.getOwnPropertyDescriptor(object, 'constructor')?.value;
      if (typeof own === 'function' && own.name !== '' && (object !== value || own.prototype === value)) return own.name;
    }
    return null;
  }

  // kind asks an object what it is by what only such objects can do.
  const probes = [
    ['Map', (v) => Object.getOwnPropertyDescriptor(Map.prototype, 'size').get.call(v)],
    ['Set', (v) => Object.getOwnPropertyDescriptor(Set.prototype, 'size').get.call(v)],
    ['Date', (v) => Date.prototype.getTime.call(v)],
    ['RegExp', (v) => Object.getOwnPropertyDescriptor(RegExp.prototype, 'source').get.call(v) && v !== RegExp.prototype],
    ['ArrayBuffer', (v) => Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get.call(v)],
    ['Number', (v) => Number.prototype.valueOf.call(v)],
    ['String', (v) => String.prototype.valueOf.call(v)],
    ['Boolean', (v) => Boolean.prototype.valueOf.call(v)],
    ['BigInt', (v) => BigInt.prototype.valueOf.call(v)],
    ['Symbol', (v) => Symbol.prototype.valueOf.call(v)],
  ];
  function kind(value) {
    if (Array.isArray(value)) return 'Array';
    if (typeof value === 'function') return 'Function';
    if (ArrayBuffer.isView(value)) return value instanceof DataView ? 'DataView' : 'TypedArray';
    if (Error.isError?.(value) ?? value instanceof Error) return 'Error';
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    if (tag === 'Object' && Object.getPrototypeOf(value) === Object.prototype) return 'Object';
    if (value instanceof Promise) return 'Promise';
    if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) return 'Weak';
    for (const [name, probe] of probes) {
      try {
        if (probe(value) !== false || name === 'Boolean') return name;
      } catch { /* it is none of these */ }
    }
    return 'Object';
  }

  class Printer {
    constructor(options) {
      this.depth = options.depth === null ? Infinity : options.depth ?? 2;
      this.paint = options.colors ? (text, style) => `\x1b[${colors[style]}m${text}\x1b[${closing[colors[style]] ?? 39}m` : (text) => text;
      this.hidden = options.showHidden ?? false;
      this.compact = options.compact ?? 3;
      this.width = options.breakLength ?? 80;
      this.sorted = options.sorted ?? false;
      this.options = options;
      this.path = []; // the objects that hold what is being shown
      this.circular = new Map();
      this.indent = 0;
      this.deepest = 0;
    }

    value(value, typed = false) {
      switch (typeof value) {
        case 'string': return this.string(value, typed);
        case 'number': return this.paint(Object.is(value, -0) ? '-0' : String(value), 'number');
        case 'bigint': return this.paint(`${value}n`, 'bigint');
        case 'boolean': return this.paint(String(value), 'boolean');
        case 'undefined': return this.paint('undefined', 'undefined');
        case 'symbol': return this.paint(value.toString(), 'symbol');
      }
      if (value === null) return this.paint('null', 'null');
      if (this.path.includes(value)) {
        if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
        return this.paint(`[Circular *${this.circular.get(value)}]`, 'special');
      }
      return this.object(value);
    }

    string(text, typed) {
      const most = 10000;
      const rest = text.length > most ? text.length - most : 0;
      const shown = rest > 0 ? text.slice(0, most) : text;
      const more = rest > 0 ? `... ${rest} more character${rest > 1 ? 's' : ''}` : '';
      if (!typed && this.compact !== true && shown.length > 16 && shown.length > this.width - this.indent - 4 && shown.includes('\n')) {
        const lines = shown.split(/(?<=\n)/);
        return lines.map((line) => this.paint(quote(line), 'string')).join(` +\n${' '.repeat(this.indent + 2)}`) + more;
      }
      return this.paint(quote(shown), 'string') + more;
    }

    object(value) {
      const special = value[custom];
      if (typeof special === 'function' && special !== ekko.inspect) {
        const result = special.call(value, this.depth - this.path.length, this.options, ekko.inspect);
        return typeof result === 'string' ? result.replaceAll('\n', `\n${' '.repeat(this.indent)}`) : this.value(result);
      }
      const type = kind(value);
      const name = className(value);
      if (this.path.length > this.depth && !isEmpty(value, type)) {
        return this.paint(type === 'Array' ? '[Array]' : `[${name ?? 'Object: null prototype'}]`, 'special');
      }
      this.path.push(value);
      const level = this.path.length;
      if (!isEmpty(value, type)) this.deepest = level; // inner objects raise it
      let shown;
      try {
        shown = this.parts(value, type, name);
      } finally {
        this.path.pop();
      }
      const { prefix = '', entries, braces, bare = '', list = false } = shown;
      const reference = this.circular.get(value);
      const mark = reference === undefined ? '' : `${this.paint(`<ref *${reference}>`, 'special')} `;
      if (entries.length === 0) return mark + (bare !== '' ? bare : `${prefix}${braces[0]}${braces[1]}`);
      const head = mark + (bare !== '' ? `${bare} ` : prefix);
      const rows = list && entries.length > 6 ? this.columns(entries, value) : entries;
      return this.join(rows, rows === entries, head, bare, braces, level);
    }

    // parts says what an object consists of.
    parts(value, type, name) {
      const tag = this.tag(value, name);
      const label = (plain, size) => {
        const known = name === null ? `[${plain}${size}: null prototype]` : `${name}${size}`;
        return `${known}${tag} `;
      };
      switch (type) {
        case 'Array': {
          const prefix = name === 'Array' && tag === '' ? '' : label('Array', `(${value.length})`);
          return { prefix, entries: [...this.items(value), ...this.members(value, isIndex)], braces: ['[', ']'], list: true };
        }
        case 'TypedArray':
          return { prefix: label(name, `(${value.length})`), entries: [...this.items(value), ...this.members(value, isIndex)], braces: ['[', ']'], list: true };
        case 'Map': {
          const entries = [];
          Map.prototype.forEach.call(value, (v, k) => entries.push(this.inside(() => `${this.value(k)} => ${this.value(v)}`)));
          return { prefix: label('Map', `(${entries.length})`), entries: [...this.cut(entries), ...this.members(value)], braces: ['{', '}'] };
        }
        case 'Set': {
          const entries = [];
          Set.prototype.forEach.call(value, (v) => entries.push(this.inside(() => this.value(v))));
          return { prefix: label('Set', `(${entries.length})`), entries: [...this.cut(entries), ...this.members(value)], braces: ['{', '}'] };
        }
        case 'Function': return { bare: this.paint(functionName(value, name, tag), 'special'), entries: this.members(value), braces: ['{', '}'] };
        case 'Error': return this.error(value, name);
        case 'Date': {
          const time = Date.prototype.getTime.call(value);
          return { bare: this.paint(Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(value), 'date'), entries: this.members(value), braces: ['{', '}'] };
        }
        case 'RegExp': return { bare: this.paint(RegExp.prototype.toString.call(value), 'regexp'), entries: this.members(value), braces: ['{', '}'] };
        case 'Promise': return { prefix: label('Promise', ''), entries: this.members(value), braces: ['{', '}'] };
        case 'Weak': return { prefix: label(name, ''), entries: [this.paint('<items unknown>', 'special')], braces: ['{', '}'] };
        case 'ArrayBuffer': {
          const bytes = new Uint8Array(value);
          const hex = Array.from(bytes.subarray(0, 50), (b) => b.toString(16).padStart(2, '0')).join(' ');
          const rest = bytes.length > 50 ? ` ... ${bytes.length - 50} more byte${bytes.length > 51 ? 's' : ''}` : '';
          const entries = [`${this.paint('[Uint8Contents]', 'special')}: <${hex}${rest}>`, `byteLength: ${this.value(bytes.length)}`];
          return { prefix: label('ArrayBuffer', ''), entries: [...entries, ...this.members(value)], braces: ['{', '}'] };
        }
        case 'DataView':
          return {
            prefix: label('DataView', ''), braces: ['{', '}'],
            entries: ['byteLength', 'byteOffset', 'buffer'].map((key) => this.inside(() => `${key}: ${this.value(value[key])}`)),
          };
        case 'Number': case 'String': case 'Boolean': case 'BigInt': case 'Symbol': {
          const inner = Object(value).valueOf();
          const text = typeof inner === 'string' ? quote(inner) : typeof inner === 'bigint' ? `${inner}n` : Object.is(inner, -0) ? '-0' : String(inner);
          const members = this.members(value, type === 'String' ? isIndex : undefined);
          return { bare: this.paint(`[${type}: ${text}]`, typeof inner), entries: members, braces: ['{', '}'] };
        }
      }
      const plain = name === 'Object' && tag === '' ? '' : label('Object', '');
      return { prefix: plain, entries: this.members(value), braces: ['{', '}'] };
    }

    tag(value, name) {
      let tag;
      if (Object.getOwnPropertyDescriptor(value, Symbol.toStringTag)?.enumerable) return ''; // it is a member
      try {
        tag = value[Symbol.toStringTag];
      } catch {
        return '';
      }
      return typeof tag === 'string' && tag !== '' && tag !== name ? ` [${tag}]` : '';
    }

    inside(show) {
      this.indent += 2;
      try {
        return show();
      } finally {
        this.indent -= 2;
      }
    }

    cut(entries) {
      if (entries.length <= ITEMS) return entries;
      const rest = entries.length - ITEMS;
      return [...entries.slice(0, ITEMS), `... ${rest} more item${rest > 1 ? 's' : ''}`];
    }

    // items are the elements of an array, holes counted together.
    items(value) {
      const out = [];
      for (let i = 0; i < value.length; i++) {
        if (out.length === ITEMS) {
          const rest = value.length - i;
          out.push(`... ${rest} more item${rest > 1 ? 's' : ''}`);
          break;
        }
        if (!Object.hasOwn(value, i)) {
          const first = i;
          while (i + 1 < value.length && !Object.hasOwn(value, i + 1)) i++;
          const n = i - first + 1;
          out.push(this.paint(`<${n} empty item${n > 1 ? 's' : ''}>`, 'undefined'));
          continue;
        }
        out.push(this.inside(() => this.member(value, i, true)));
      }
      return out;
    }

    // members are the properties of an object, with their names.
    members(value, skip = () => false) {
      const names = this.hidden ? Object.getOwnPropertyNames(value) : Object.keys(value);
      if (this.sorted) names.sort(typeof this.sorted === 'function' ? this.sorted : undefined);
      const symbols = Object.getOwnPropertySymbols(value).filter((key) => this.hidden || Object.getOwnPropertyDescriptor(value, key)?.enumerable);
      return [...names.filter((name) => !skip(name)), ...symbols].map((key) => {
        const hidden = !Object.getOwnPropertyDescriptor(value, key)?.enumerable;
        const shown = hidden ? `[${String(key)}]` : typeof key === 'symbol' ? `[${this.paint(key.toString(), 'symbol')}]`
          : key === '__proto__' ? "['__proto__']" : IDENTIFIER.test(key) ? key : this.paint(quote(key, true), 'string');
        return this.inside(() => `${shown}: ${this.member(value, key)}`);
      });
    }

    member(value, key) {
      const { value: inner, get, set } = Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key] };
      if (get !== undefined) return this.paint(set === undefined ? '[Getter]' : '[Getter/Setter]', 'special');
      if (set !== undefined) return this.paint('[Setter]', 'special');
      return this.value(inner);
    }

    // error shows the stack, below a line that says what went wrong.
    error(value, name) {
      const hide = new Set(['stack', 'message', 'name']);
      const read = (key) => {
        try {
          return value[key];
        } catch {
          return undefined;
        }
      };
      const title = String(read('name') ?? name ?? 'Error');
      const code = read('code');
      const message = String(read('message') ?? '');
      const named = name !== null && name !== title && title === 'Error' ? name : title;
      const marked = typeof code === 'string' && !named.includes(code) ? `${named} [${code}]` : named;
      let text = message === '' ? marked : `${marked}: ${message}`;
      const stack = read('stack');
      if (typeof stack === 'string' && stack !== '') {
        const frames = host.stack(stack).replace(/\n+$/, '');
        text = frames.startsWith('    at ') ? `${text}\n${frames}` : frames === '' ? text : frames;
      }
      if (!text.includes('\n    at ')) text = `[${text}]`;
      const entries = this.members(value, (key) => hide.has(key) || (key === 'cause' && !Object.hasOwn(value, 'cause')));
      for (const key of ['cause', 'errors']) {
        if (Object.hasOwn(value, key) && !Object.keys(value).includes(key)) {
          entries.push(this.inside(() => `[${key}]: ${this.value(value[key])}`));
        }
      }
      if (this.indent > 0) text = text.replaceAll('\n', `\n${' '.repeat(this.indent)}`);
      return { bare: text, entries, braces: ['{', '}'] };
    }

    // columns puts the many short elements of an array into a table that is
    // about two and a half times as wide as it is high on the screen.
    columns(entries, value) {
      const more = entries.at(-1).startsWith('... ') ? 1 : 0;
      const cells = entries.slice(0, entries.length - more);
      const lengths = cells.map(plainLength);
      const widest = Math.max(...lengths) + 2;
      const total = lengths.reduce((sum, n) => sum + n + 2, 0);
      const narrow = widest * 3 + this.indent < this.width;
      if (!narrow || (total / widest <= 5 && widest > 8) || cells.some((cell) => cell.includes('\n'))) return entries;

      const usual = Math.max(widest - 3 - Math.sqrt(widest - total / entries.length), 1);
      const count = Math.min(
        Math.round(Math.sqrt(2.5 * usual * cells.length) / usual),
        Math.floor((this.width - this.indent) / widest),
        this.compact * 4,
        15,
      );
      if (count <= 1) return entries;
      const widths = Array.from({ length: count }, (_, c) => Math.max(...lengths.filter((_, i) => i % count === c)));
      const right = cells.every((_, i) => typeof value[i] === 'number' || typeof value[i] === 'bigint');
      const rows = [];
      for (let i = 0; i < cells.length; i += count) {
        const row = cells.slice(i, i + count);
        rows.push(row.map((cell, c) => {
          const pad = ' '.repeat(widths[c] - lengths[i + c]);
          return right ? pad + cell : c === row.length - 1 ? cell : `${cell}, ${pad}`;
        }).join(right ? ', ' : ''));
      }
      return more === 1 ? [...rows, entries.at(-1)] : rows;
    }

    // join puts the parts on one line if they fit there and what is in them
    // is not nested too deep.
    join(rows, whole, head, bare, braces, level) {
      if (whole && this.deepest - level < this.compact) {
        const length = rows.reduce((sum, row) => sum + plainLength(row), 2 * rows.length + this.indent + plainLength(head) + braces[0].length + 10);
        if (length <= this.width && !rows.some((row) => row.includes('\n')) && !bare.includes('\n')) {
          return `${head}${braces[0]} ${rows.join(', ')} ${braces[1]}`;
        }
      }
      const margin = `\n${' '.repeat(this.indent)}`;
      return `${head}${braces[0]}${margin}  ${rows.join(`,${margin}  `)}${margin}${braces[1]}`;
    }
  }

  // What holds nothing is shown however deep it is.
  function isEmpty(value, type) {
    if (Object.keys(value).length > 0) return false;
    return type === 'Object' || (type === 'Array' && value.length === 0) || ((type === 'Map' || type === 'Set') && value.size === 0);
  }

  const isIndex = (key) => /^(?:0|[1-9]\d*)$/.test(key);
  const plainLength = (text) => text.replace(/\x1b\[\d+m/g, '').length;

  function functionName(value, name, tag) {
    const source = Function.prototype.toString.call(value);
    if (/^class\b/.test(source)) {
      const parent = Object.getPrototypeOf(value);
      const base = typeof parent === 'function' && parent.name !== '' ? ` extends ${parent.name}` : '';
      return `[class ${value.name === '' ? '(anonymous)' : value.name}${base}]`;
    }
    const type = name === null ? 'Function (null prototype)' : name;
    return `[${type}${value.name === '' ? ' (anonymous)' : `: ${value.name}`}]${tag === ` [${type}]` ? '' : tag}`;
  }

  const inspect = (value, options = {}) => new Printer(options ?? {}).value(value);

  // format is what console.log does with its arguments.
  function format(options, ...args) {
    let out = '';
    let next = 0;
    if (typeof args[0] === 'string') {
      next = 1;
      out = args[0].replace(/%[sdifjoOc%]/g, (spec) => {
        if (spec === '%%') return '%';
        if (next >= args.length) return spec;
        const arg = args[next++];
        switch (spec) {
          case '%s': return typeof arg === 'string' ? arg : typeof arg === 'bigint' ? `${arg}n` : typeof arg === 'object' && arg !== null ? inspect(arg, { ...options, depth: 0, colors: false }) : Object.is(arg, -0) ? '-0' : String(arg);
          case '%d': return typeof arg === 'bigint' ? `${arg}n` : String(typeof arg === 'symbol' ? NaN : Number(arg));
          case '%i': return typeof arg === 'bigint' ? `${arg}n` : String(typeof arg === 'symbol' ? NaN : parseInt(arg, 10));
          case '%f': return String(typeof arg === 'symbol' ? NaN : parseFloat(arg));
          case '%j': try {
            return JSON.stringify(arg);
          } catch {
            return '[Circular]';
          }
          case '%o': return inspect(arg, { ...options, showHidden: true, depth: 4 });
          case '%O': return inspect(arg, options);
        }
        return '';
      });
    }
    for (; next < args.length; next++) {
      const text = typeof args[next] === 'string' ? args[next] : inspect(args[next], options);
      out += next === 0 ? text : ` ${text}`;
    }
    return out;
  }

  ekko.inspect = inspect;
  ekko.format = format;
})
