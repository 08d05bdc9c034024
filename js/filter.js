// Filters: conditions on the data of events, as subscribers write them. They
// are read here, front to back, and tested in condition.js.
import { Failure } from './error.js';
import { Comparison, Exists, Truth } from './condition.js';

const MOST_BYTES = 1024;
const MOST_NODES = 64; // conditions, &&, || and !
const MOST_DEPTH = 16; // ! and parentheses within each other
const MOST_STEPS = 16; // of a path
const MOST_VALUES = 64; // of a list

const ORDERED = new Set(['<', '<=', '>', '>=']);
const OF_TEXTS = new Set(['startsWith', 'endsWith', 'contains']);
const OPERATORS = new Set(['==', '!=', 'in', ...ORDERED, ...OF_TEXTS]);
const WORDS = new Map([['true', true], ['false', false], ['null', null]]);

const NAME = /[\p{L}_$][\p{L}\p{Nd}_$-]*/uy;
const ESCAPE = /\\(?:["'\\/bfnrt]|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u(?![dD][89a-fA-F])[\da-fA-F]{4})/y;
const SPACE = /[ \t\r\n]*/y;
const SIGNS = /[=!<>&|~^+*/%][=<>&|~^+*/%]*/y;

// How other languages write the operators.
const OTHERWISE = new Map(Object.entries({
  '=': '==', '===': '==', is: '==', eq: '==', equals: '==', '!==': '!=', '<>': '!=', ne: '!=', '=<': '<=', '=>': '>=',
  lt: '<', lte: '<=', gt: '>', gte: '>=', '&': '&&', and: '&&', '|': '||', or: '||', like: 'contains', includes: 'contains', '~': 'contains',
}));

/** parseFilter reads a filter: { matches(data) }. What breaks the grammar is
    thrown as a Failure, with its place. */
export function parseFilter(text) {
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) throw new Failure('INVALID_ARGUMENT', `filter: ${bytes} bytes, and ${MOST_BYTES} are allowed`);
  const parser = new Parser(text);
  const filter = parser.either();
  parser.end();
  return filter;
}

class Every {
  constructor(parts) { this.parts = parts; }
  matches(data) { return this.parts.every((part) => part.matches(data)); }
}

class Some {
  constructor(parts) { this.parts = parts; }
  matches(data) { return this.parts.some((part) => part.matches(data)); }
}

class Not {
  constructor(part) { this.part = part; }
  matches(data) { return !this.part.matches(data); }
}

// A Parser stands at a place in the text. Its methods read what their name
// says from there on.
class Parser {
  #text;
  #at = 0;
  #nodes = 0;
  #depth = 0;

  constructor(text) { this.#text = text; }

  // People get the place in characters from 1, programs in bytes from 0.
  #fail(at, why) {
    const before = this.#text.slice(0, at);
    return new Failure('INVALID_ARGUMENT', `filter, column ${1 + [...before].length}: ${why}`, { executed: 'no', retryable: false, origin: 'service', offset: Buffer.byteLength(before) });
  }

  #expected(what) {
    const word = this.#ahead(NAME) ?? this.#ahead(SIGNS) ?? '';
    let hint = '';
    if (what === 'a field' && /["'\d-]/.test(this.#next)) hint = ': the field stands first, the value after it';
    else if (what === 'a value' && this.#ahead(NAME) !== undefined) hint = ': a text needs quotes, which a shell may have taken away';
    else if (what.includes('&&') && OTHERWISE.has(word.toLowerCase())) hint = `: did you mean "${OTHERWISE.get(word.toLowerCase())}"?`;
    return this.#fail(this.#at, `expected ${what}, found ${this.#found(word)}${hint}`);
  }

  #found(word) {
    if (this.#at === this.#text.length) return 'the end';
    if (/["']/.test(this.#next)) return 'a text';
    if (/[-\d]/.test(this.#next)) return 'a number';
    return JSON.stringify((word === '' ? [...this.#text.slice(this.#at, this.#at + 2)][0] : word).slice(0, 32));
  }

  get #next() { return this.#text.charAt(this.#at); }

  #ahead(pattern) {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  // read goes past what fits the pattern, if that is what comes.
  #read(pattern) {
    const found = this.#ahead(pattern);
    this.#at += found?.length ?? 0;
    return found;
  }

  #space() { this.#read(SPACE); }

  #take(text) {
    this.#space();
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  end() {
    this.#space();
    if (this.#at < this.#text.length) throw this.#expected('&&, || or the end');
  }

  either() { return this.#joined('||', Some, () => this.#joined('&&', Every, () => this.#unary(false))); }

  #joined(operator, Kind, read) {
    const parts = [read()];
    while (this.#take(operator)) {
      this.#count();
      parts.push(read());
    }
    return parts.length === 1 ? parts[0] : new Kind(parts);
  }

  #count() {
    if (++this.#nodes > MOST_NODES) throw this.#fail(this.#at, `more than ${MOST_NODES} conditions and operators`);
  }

  #enter() {
    if (++this.#depth > MOST_DEPTH) throw this.#fail(this.#at, `more than ${MOST_DEPTH} levels of parentheses and !`);
    this.#at++;
  }

  #unary(negated) {
    this.#space();
    if (this.#next !== '(' && this.#next !== '!') return this.#condition(negated);
    const not = this.#next === '!';
    this.#enter();
    if (not) this.#count();
    const inner = not ? this.#unary(true) : this.either();
    if (!not && !this.#take(')')) throw this.#expected('&&, || or )');
    this.#depth--;
    return not ? new Not(inner) : inner;
  }

  #condition(negated) {
    this.#count();
    const exists = this.#exists();
    if (exists !== undefined) return exists;
    const path = this.#path();
    this.#space();
    const at = this.#at;
    const operator = this.#operator(path);
    if (operator === undefined) return new Truth(path);
    if (negated) throw this.#fail(at, `expected && or || after a field with !: what ! is about needs parentheses, as in !(… ${operator} …)`);
    return new Comparison(path, operator, operator === 'in' ? this.#list() : [this.#operand(operator)]);
  }

  #exists() {
    const start = this.#at;
    if (this.#read(NAME) !== 'exists' || !this.#take('(')) {
      this.#at = start;
      return undefined;
    }
    this.#space();
    const path = this.#path();
    if (!this.#take(')')) throw this.#expected(')');
    return new Exists(path);
  }

  // operator reads what follows a field; nothing where the condition ends.
  #operator(path) {
    const start = this.#at;
    const found = this.#read(NAME) ?? this.#read(SIGNS);
    if (OPERATORS.has(found)) return found;
    this.#at = start;
    if (found === '&&' || found === '||' || this.#next === ')' || start === this.#text.length) return undefined;
    if (path.length === 1 && /^not$/i.test(path[0])) throw this.#fail(start, `expected an operator, found ${this.#found(found ?? '')}: did you mean "!" for "not"?`);
    throw this.#expected('an operator, && or ||');
  }

  #operand(operator) {
    this.#space();
    const start = this.#at;
    const value = this.#value();
    const isText = typeof value === 'string';
    if (OF_TEXTS.has(operator) && !isText) throw this.#fail(start, `expected a text after ${operator}, found ${this.#text.slice(start, this.#at)}`);
    if (ORDERED.has(operator) && !isText && !(value instanceof Object)) throw this.#fail(start, `expected a number or a text after ${operator}, found ${value}`);
    return value;
  }

  #list() {
    const values = [];
    if (!this.#take('[')) throw this.#expected('[ after in');
    if (this.#take(']')) return values;
    for (;;) {
      this.#space();
      if (values.length === MOST_VALUES) throw this.#fail(this.#at, `more than ${MOST_VALUES} values in a list`);
      values.push(this.#value());
      if (this.#take(']')) return values;
      if (!this.#take(',')) throw this.#expected(', or ]');
    }
  }

  // path reads a field: names, and indices as numbers.
  #path() {
    const start = this.#at;
    const path = [];
    const name = this.#read(NAME);
    if (name === undefined && this.#next !== '[') throw this.#expected('a field');
    if (WORDS.has(name)) {
      this.#at = start;
      throw this.#fail(start, `expected a field, found ${name}: a field of that name is written ["${name}"]`);
    }
    if (name !== undefined) path.push(name);
    while (this.#next === '.' || this.#next === '[') {
      const step = this.#next === '.' ? this.#afterDot() : this.#bracket();
      if (path.length === MOST_STEPS) throw this.#fail(start, `more than ${MOST_STEPS} steps in a path`);
      path.push(step);
    }
    return path;
  }

  #afterDot() {
    this.#at++;
    const name = this.#read(NAME);
    if (name !== undefined) return name;
    const digits = this.#ahead(/\d+/y);
    if (digits !== undefined) throw this.#fail(this.#at, `expected a name after the dot, found ${digits}: did you mean "[${digits}]"?`);
    throw this.#expected('a name after the dot');
  }

  #bracket() {
    this.#at++;
    this.#space();
    const start = this.#at;
    let step;
    if (/["']/.test(this.#next)) step = this.#string();
    else {
      const digits = this.#read(/\d+/y);
      if (digits === undefined) throw this.#expected('an index, or a name in quotes');
      if (digits.length > 9) throw this.#fail(start, `the index ${digits.slice(0, 32)} is too large`);
      step = Number(digits);
    }
    if (!this.#take(']')) throw this.#expected(']');
    return step;
  }

  // value reads what is compared with: a text, true, false, null, or a number,
  // which is { number } as it was written.
  #value() {
    const start = this.#at;
    if (/["']/.test(this.#next)) return this.#string();
    if (/[-\d]/.test(this.#next)) return this.#number();
    const word = this.#read(NAME);
    if (WORDS.has(word)) return WORDS.get(word);
    this.#at = start;
    throw this.#expected('a value');
  }

  #number() {
    const start = this.#at;
    const zeros = this.#ahead(/-?0\d+/y);
    if (zeros !== undefined) throw this.#fail(start, `expected a number without leading zeros, found ${JSON.stringify(zeros.slice(0, 32))}`);
    this.#read(/-/y);
    let whole = this.#digits();
    if (whole && this.#read(/\./y) !== undefined) whole = this.#digits();
    if (whole && this.#read(/[eE][+-]?/y) !== undefined) whole = this.#digits();
    if (!whole) throw this.#expected('a digit');
    const number = this.#text.slice(start, this.#at);
    const rest = this.#ahead(/[^ \t\r\n)\]&|,]+/y);
    if (rest !== undefined) throw this.#fail(start, `expected a number, found ${JSON.stringify((number + rest).slice(0, 32))}: a text needs quotes`);
    return { number };
  }

  #digits() { return this.#read(/\d+/y) !== undefined; }

  #string() {
    const quote = this.#next;
    const start = this.#at++;
    let text = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const c = this.#next;
      if (c === quote) {
        this.#at++;
        return text;
      }
      if (c < ' ') throw this.#fail(this.#at, 'a control character within a text: write it as an escape, such as \\n');
      if (c !== '\\') text += c;
      else {
        const escape = this.#ahead(ESCAPE);
        if (escape === undefined) throw this.#fail(this.#at, `expected an escape of JSON, found ${JSON.stringify(this.#text.slice(this.#at, this.#at + 6))}`);
        text += escape === "\\'" ? "'" : JSON.parse(`"${escape}"`);
        this.#at += escape.length - 1;
      }
    }
    throw this.#fail(start, `a text without its closing ${quote}`);
  }
}
