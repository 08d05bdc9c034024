// JSON Schema of 2020-12, as services in JavaScript check it. A manifest that
// needs more is refused when it is served: to pass over a rule in silence
// would be worse.
import { isObject } from './error.js';

const NAMES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array']);
const IGNORED = new Set(['title', 'description', 'examples', 'default', 'deprecated', '$comment', '$schema', '$id', '$defs', 'definitions', 'readOnly', 'writeOnly', 'format']);

const kindOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
const points = (text) => { let n = 0; for (const _ of text) n++; return n; };
const isType = (value, name) => (name === 'integer' ? Number.isInteger(value) : kindOf(value) === name);

// canonical is a text that equal values have in common: to compare each
// element with each other would let a client keep a service busy.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (isObject(value)) return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
  return JSON.stringify(value === 0 ? 0 : value);
}

// isMultiple divides as one does on paper: 0.3 is a multiple of 0.1.
function isMultiple(value, of) {
  const [a, b] = [decimal(value), decimal(of)];
  const scale = Math.max(a.scale, b.scale);
  if (scale > 400) return Number.isInteger(value / of);
  return (a.digits * 10n ** BigInt(scale - a.scale)) % (b.digits * 10n ** BigInt(scale - b.scale)) === 0n;
}

function decimal(number) {
  const [, whole, fraction = '', exponent = '0'] = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number)) ?? [];
  const scale = fraction.length - Number(exponent);
  return { digits: BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, -scale)), scale: Math.max(0, scale) };
}

// Each keyword makes a check: it returns a fault { path, rule, expected }, or
// undefined.
const simple = (kind, rule, ok, words) => (limit) => (value) => (kindOf(value) !== kind || ok(value, limit) ? undefined : { rule, expected: words(limit) });

const VALUES = Object.assign(Object.create(null), {
  type: (names) => {
    const list = [names].flat();
    for (const name of list) if (!NAMES.has(name)) throw new Error(`JSON Schema has no type ${JSON.stringify(name)}`);
    return (value) => (list.some((name) => isType(value, name)) ? undefined : { rule: 'type', expected: list.join(' or ') });
  },
  const: (wanted) => {
    const text = canonical(wanted);
    return (value) => (canonical(value) === text ? undefined : { rule: 'const', expected: JSON.stringify(wanted) });
  },
  enum: (list) => {
    const texts = new Set(list.map(canonical));
    return (value) => (texts.has(canonical(value)) ? undefined : { rule: 'enum', expected: `one of ${list.map((each) => JSON.stringify(each)).join(', ')}` });
  },
  minimum: simple('number', 'minimum', (v, n) => v >= n, (n) => `at least ${n}`),
  maximum: simple('number', 'maximum', (v, n) => v <= n, (n) => `at most ${n}`),
  exclusiveMinimum: simple('number', 'exclusiveMinimum', (v, n) => v > n, (n) => `more than ${n}`),
  exclusiveMaximum: simple('number', 'exclusiveMaximum', (v, n) => v < n, (n) => `less than ${n}`),
  multipleOf: (of) => {
    if (!(of > 0)) throw new Error(`multipleOf must be a number above 0, not ${JSON.stringify(of)}`);
    return simple('number', 'multipleOf', isMultiple, (n) => `a multiple of ${n}`)(of);
  },
  minLength: simple('string', 'minLength', (v, n) => points(v) >= n, (n) => `at least ${n} characters`),
  maxLength: simple('string', 'maxLength', (v, n) => points(v) <= n, (n) => `at most ${n} characters`),
  pattern: (text) => {
    const expression = new RegExp(text, 'u');
    return (value) => (typeof value !== 'string' || expression.test(value) ? undefined : { rule: 'pattern', expected: `text that matches ${text}` });
  },
  minItems: simple('array', 'minItems', (v, n) => v.length >= n, (n) => `at least ${n} elements`),
  maxItems: simple('array', 'maxItems', (v, n) => v.length <= n, (n) => `at most ${n} elements`),
  uniqueItems: (on) => (value) => (!on || !Array.isArray(value) || new Set(value.map(canonical)).size === value.length ? undefined : { rule: 'uniqueItems', expected: 'different elements' }),
  minProperties: simple('object', 'minProperties', (v, n) => Object.keys(v).length >= n, (n) => `at least ${n} members`),
  maxProperties: simple('object', 'maxProperties', (v, n) => Object.keys(v).length <= n, (n) => `at most ${n} members`),
  required: (names) => (value) => missing(value, names),
  dependentRequired: (table) => (value) => first(Object.entries(table), ([name, names]) => (isObject(value) && Object.hasOwn(value, name) ? missing(value, names) : undefined)),
});

function missing(value, names) {
  const name = isObject(value) ? names.find((each) => !Object.hasOwn(value, each)) : undefined;
  return name === undefined ? undefined : { path: [name], rule: 'required', expected: 'a value', got: 'nothing' };
}

// Keywords with schemas in them. Those of IN_PLACE are about the value itself.
const IN_PLACE = new Set(['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'dependentSchemas']);
const WITHIN = new Set(['properties', 'patternProperties', 'additionalProperties', 'propertyNames', 'prefixItems', 'items', 'contains']);
const PARTNERS = new Set(['then', 'else', 'minContains', 'maxContains']); // of those

/** KEYWORDS are those by which an object is known to be a schema. */
export const KEYWORDS = new Set([...Object.keys(VALUES), ...IN_PLACE, ...WITHIN, ...PARTNERS, ...IGNORED, 'unevaluatedProperties', 'unevaluatedItems', '$anchor', '$dynamicRef', '$dynamicAnchor', '$vocabulary']);

const all = (checks) => (value) => first(checks, (check) => check(value));

function first(list, faultOf) {
  for (const each of list) {
    const fault = faultOf(each);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const at = (key, fault) => (fault === undefined ? undefined : { ...fault, path: [key, ...(fault.path ?? [])] });

/** compileSchema makes a check of a schema, or throws for what is not checked here. */
export const compileSchema = (schema) => new Compiler(schema).compile(schema, []);

class Compiler {
  #root;
  #referred = new Map(); // by pointer: { check }

  constructor(root) { this.#root = root; }

  // compile makes a check. trail are the references that have led here without
  // going down into the value.
  compile(schema, trail) {
    if (schema === true) return () => undefined;
    if (schema === false) return () => ({ rule: 'false', expected: 'nothing' });
    if (!isObject(schema)) throw new Error('a JSON Schema must be an object, true or false');
    const checks = [];
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword in VALUES) checks.push(VALUES[keyword](value));
      else if (IN_PLACE.has(keyword)) checks.push(this.#inPlace(keyword, value, schema, trail));
      else if (!IGNORED.has(keyword) && !WITHIN.has(keyword) && !PARTNERS.has(keyword)) throw new Error(`services in JavaScript do not check the JSON Schema keyword ${JSON.stringify(keyword)}`);
    }
    if (['properties', 'patternProperties', 'additionalProperties'].some((keyword) => schema[keyword] !== undefined)) checks.push(this.#members(schema));
    if (schema.propertyNames !== undefined) checks.push(this.#names(schema.propertyNames));
    if (schema.prefixItems !== undefined || schema.items !== undefined) checks.push(this.#elements(schema));
    if (schema.contains !== undefined) checks.push(this.#contains(schema));
    return all(checks);
  }

  #inPlace(keyword, value, schema, trail) {
    const compiled = (each) => this.compile(each, trail);
    switch (keyword) {
      case '$ref': return this.#refer(value, trail);
      case 'allOf': return all(value.map(compiled));
      case 'anyOf': {
        const checks = value.map(compiled);
        return (v) => (checks.some((check) => check(v) === undefined) ? undefined : { rule: 'anyOf', expected: 'one of several shapes' });
      }
      case 'oneOf': {
        const checks = value.map(compiled);
        return (v) => (checks.filter((check) => check(v) === undefined).length === 1 ? undefined : { rule: 'oneOf', expected: 'exactly one of several shapes' });
      }
      case 'not': {
        const check = compiled(value);
        return (v) => (check(v) !== undefined ? undefined : { rule: 'not', expected: 'another shape' });
      }
      case 'if': {
        const [condition, then, otherwise] = [value, schema.then ?? true, schema.else ?? true].map(compiled);
        return (v) => (condition(v) === undefined ? then(v) : otherwise(v));
      }
    }
    const dependent = Object.entries(value).map(([name, each]) => [name, compiled(each)]);
    return (v) => first(dependent, ([name, check]) => (isObject(v) && Object.hasOwn(v, name) ? check(v) : undefined));
  }

  // refer follows a reference within the document. What refers to itself is
  // compiled once.
  #refer(pointer, trail) {
    if (trail.includes(pointer)) throw new Error(`the reference ${JSON.stringify(pointer)} leads to itself`);
    let referred = this.#referred.get(pointer);
    if (referred === undefined) {
      this.#referred.set(pointer, referred = { check: undefined });
      referred.check = this.compile(this.#find(pointer), [...trail, pointer]);
    }
    return (value) => referred.check(value);
  }

  #find(pointer) {
    if (typeof pointer !== 'string' || !/^#(\/|$)/.test(pointer)) throw new Error(`the reference ${JSON.stringify(pointer)} leads elsewhere: only those like "#/$defs/name" are followed`);
    let found = this.#root;
    for (const step of pointer.split('/').slice(1)) {
      const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found = typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    if (found === undefined) throw new Error(`the reference ${JSON.stringify(pointer)} leads nowhere`);
    return found;
  }

  #table(schemas = {}) { return Object.entries(schemas).map(([name, schema]) => [name, this.compile(schema, [])]); }

  #members({ properties, patternProperties, additionalProperties = true }) {
    const declared = new Map(this.#table(properties));
    const patterns = this.#table(patternProperties).map(([text, check]) => [new RegExp(text, 'u'), check]);
    const others = this.compile(additionalProperties, []);
    const checkMember = (name, member) => {
      const checks = patterns.filter(([pattern]) => pattern.test(name)).map(([, check]) => check);
      if (declared.has(name)) checks.push(declared.get(name));
      if (checks.length > 0) return first(checks, (check) => check(member));
      const fault = others(member);
      return fault?.rule === 'false' ? { rule: 'additionalProperties', expected: 'no such member' } : fault;
    };
    return (value) => (isObject(value) ? first(Object.entries(value), ([name, member]) => at(name, checkMember(name, member))) : undefined);
  }

  #names(schema) {
    const check = this.compile(schema, []);
    return (value) => (isObject(value) ? first(Object.keys(value), (name) => at(name, check(name))) : undefined);
  }

  #elements({ prefixItems = [], items = true }) {
    const front = prefixItems.map((schema) => this.compile(schema, []));
    const rest = this.compile(items, []);
    return (value) => (Array.isArray(value) ? first(value.entries(), ([i, element]) => at(i, (front[i] ?? rest)(element))) : undefined);
  }

  #contains({ contains, minContains = 1, maxContains = Infinity }) {
    const check = this.compile(contains, []);
    return (value) => {
      if (!Array.isArray(value)) return undefined;
      const count = value.filter((element) => check(element) === undefined).length;
      if (count < minContains) return { rule: 'contains', expected: `at least ${minContains} elements of a shape` };
      return count <= maxContains ? undefined : { rule: 'maxContains', expected: `at most ${maxContains} elements of a shape` };
    };
  }
}
