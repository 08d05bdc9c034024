// Conditions: what is asked of one field of an event's data. What is missing
// equals null, and nothing else holds of it.
const MISSING = Symbol('missing');

// A step of a path is a name, or a number for an index.
function valueAt(data, path) {
  let value = data;
  for (const step of path) {
    if (typeof step === 'number') {
      if (!Array.isArray(value) || step >= value.length) return MISSING;
    } else if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) return MISSING;
    value = value[step];
  }
  return value === undefined ? MISSING : value;
}

/** Truth is a field by itself. */
export class Truth {
  constructor(path) { this.path = path; }
  matches(data) { return valueAt(data, this.path) === true; }
}

/** Exists asks whether there is such a field. */
export class Exists {
  constructor(path) { this.path = path; }
  matches(data) { return valueAt(data, this.path) !== MISSING; }
}

const TESTS = {
  '==': (value, [wanted]) => equals(value, wanted),
  '!=': (value, [wanted]) => value !== MISSING && !equals(value, wanted),
  in: (value, list) => list.some((wanted) => equals(value, wanted)),
  '<': (value, [wanted]) => compare(value, wanted) < 0,
  '<=': (value, [wanted]) => compare(value, wanted) <= 0,
  '>': (value, [wanted]) => compare(value, wanted) > 0,
  '>=': (value, [wanted]) => compare(value, wanted) >= 0,
  startsWith: (value, [wanted]) => typeof value === 'string' && value.startsWith(wanted),
  endsWith: (value, [wanted]) => typeof value === 'string' && value.endsWith(wanted),
  contains: (value, [wanted]) => typeof value === 'string' && value.includes(wanted),
};

/** Comparison compares a field with values. Of these a number is { number }, as
    it was written. */
export class Comparison {
  #path;
  #test;
  #values;

  constructor(path, operator, values) {
    this.#path = path;
    this.#test = TESTS[operator];
    this.#values = values.map((value) => (value instanceof Object ? new Digits(value.number) : value));
  }

  matches(data) { return this.#test(valueAt(data, this.#path), this.#values); }
}

function equals(value, wanted) {
  if (wanted instanceof Digits) return compare(value, wanted) === 0;
  return value === wanted || (value === MISSING && wanted === null);
}

// compare is NaN for values of different kinds, which have no order.
function compare(value, wanted) {
  if (typeof value === 'string' && typeof wanted === 'string') return compareTexts(value, wanted);
  if (typeof value === 'number' && wanted instanceof Digits) return -wanted.compare(value);
  return NaN;
}

// compareTexts orders by code points. JavaScript orders by halves of them,
// which puts what is beyond U+FFFF before U+E000.
function compareTexts(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}
const rank = (unit) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

// Digits is a number as it was written. Two numbers of 15 digits at most are
// as different as the doubles next to them; others are compared digit by digit.
class Digits {
  #double;
  #short;
  #text;

  constructor(text) {
    this.#text = text;
    this.#double = Number(text);
    this.#short = !/[eE]/.test(text) && text.replace(/\D/g, '').length <= 15;
  }

  compare(value) {
    if (!Number.isFinite(value)) return value > 0 ? -1 : 1;
    if (this.#short || Math.abs(this.#double - value) > Math.abs(value) * 1e-9) return Math.sign(this.#double - value);
    return compareDecimals(decimal(this.#text), decimal(String(value)));
  }
}

// decimal is a number as sign × 0.DIGITS × 10^point.
function decimal(text) {
  const [, minus, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const digits = (whole + fraction).replace(/^0+/, '');
  const leading = whole.length + fraction.length - digits.length;
  const sign = /[1-9]/.test(digits) ? (minus === '' ? 1 : -1) : 0;
  return { sign, digits: digits.replace(/0+$/, ''), point: whole.length - leading + Number(exponent) };
}

function compareDecimals(a, b) {
  if (a.sign !== b.sign || a.sign === 0) return a.sign - b.sign;
  if (a.point !== b.point) return a.sign * Math.sign(a.point - b.point);
  return a.sign * (a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0);
}
