// JSON Schema, as much of it as services in JavaScript check. A manifest that
// needs more is refused when it is served: to pass over a rule in silence
// would be worse.
import { isObject } from './error.js';

const NAMES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array']);
const IGNORED = new Set(['title', 'description', 'examples', 'default', 'deprecated', '$comment', '$schema', '$id', 'readOnly', 'writeOnly', 'format']);

const kindOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
const points = (text) => { let n = 0; for (const _ of text) n++; return n; };
const equal = (a, b) => a === b || (kindOf(a) === kindOf(b) && typeof a === 'object' && a !== null && b !== null
  && Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((key) => Object.hasOwn(b, key) && equal(a[key], b[key])));

const isType = (value, name) => (name === 'integer' ? Number.isInteger(value) : kindOf(value) === name);

// Each keyword makes a check: it returns a fault { path, rule, expected }, or undefined.
const simple = (kind, rule, ok, words) => (limit) => (value) => (kindOf(value) !== kind || ok(value, limit) ? undefined : { rule, expected: words(limit) });

const CHECKS = Object.assign(Object.create(null), {
  type: (names) => {
    const list = [names].flat();
    for (const name of list) if (!NAMES.has(name)) throw new Error(`JSON Schema has no type ${JSON.stringify(name)}`);
    return (value) => (list.some((name) => isType(value, name)) ? undefined : { rule: 'type', expected: list.join(' or ') });
  },
  const: (wanted) => (value) => (equal(value, wanted) ? undefined : { rule: 'const', expected: JSON.stringify(wanted) }),
  enum: (list) => (value) => (list.some((each) => equal(value, each)) ? undefined : { rule: 'enum', expected: `one of ${list.map((each) => JSON.stringify(each)).join(', ')}` }),
  minimum: simple('number', 'minimum', (v, n) => v >= n, (n) => `at least ${n}`),
  maximum: simple('number', 'maximum', (v, n) => v <= n, (n) => `at most ${n}`),
  exclusiveMinimum: simple('number', 'exclusiveMinimum', (v, n) => v > n, (n) => `more than ${n}`),
  exclusiveMaximum: simple('number', 'exclusiveMaximum', (v, n) => v < n, (n) => `less than ${n}`),
  multipleOf: simple('number', 'multipleOf', (v, n) => Number.isInteger(v / n), (n) => `a multiple of ${n}`),
  minLength: simple('string', 'minLength', (v, n) => points(v) >= n, (n) => `at least ${n} characters`),
  maxLength: simple('string', 'maxLength', (v, n) => points(v) <= n, (n) => `at most ${n} characters`),
  pattern: (text) => {
    const expression = new RegExp(text, 'u');
    return (value) => (typeof value !== 'string' || expression.test(value) ? undefined : { rule: 'pattern', expected: `text that matches ${text}` });
  },
  minItems: simple('array', 'minItems', (v, n) => v.length >= n, (n) => `at least ${n} elements`),
  maxItems: simple('array', 'maxItems', (v, n) => v.length <= n, (n) => `at most ${n} elements`),
  uniqueItems: (on) => (value) => (!on || !Array.isArray(value) || value.every((each, i) => value.slice(0, i).every((other) => !equal(each, other))) ? undefined : { rule: 'uniqueItems', expected: 'different elements' }),
  minProperties: simple('object', 'minProperties', (v, n) => Object.keys(v).length >= n, (n) => `at least ${n} members`),
  maxProperties: simple('object', 'maxProperties', (v, n) => Object.keys(v).length <= n, (n) => `at most ${n} members`),
  required: (names) => (value) => {
    const missing = isObject(value) ? names.find((name) => !Object.hasOwn(value, name)) : undefined;
    return missing === undefined ? undefined : { path: [missing], rule: 'required', expected: 'a value', got: 'nothing' };
  },
  allOf: (list) => all(list.map(compileSchema)),
  anyOf: (list) => {
    const checks = list.map(compileSchema);
    return (value) => (checks.some((check) => check(value) === undefined) ? undefined : { rule: 'anyOf', expected: 'one of several shapes' });
  },
  oneOf: (list) => {
    const checks = list.map(compileSchema);
    return (value) => (checks.filter((check) => check(value) === undefined).length === 1 ? undefined : { rule: 'oneOf', expected: 'exactly one of several shapes' });
  },
  not: (schema) => {
    const check = compileSchema(schema);
    return (value) => (check(value) !== undefined ? undefined : { rule: 'not', expected: 'another shape' });
  },
  items: (schema) => {
    const check = compileSchema(schema);
    return (value) => within(Array.isArray(value) ? value.entries() : [], check);
  },
});

// Those of an object's members belong together.
const MEMBERS = new Set(['properties', 'additionalProperties']);

/** KEYWORDS are those by which an object is known to be a schema. */
export const KEYWORDS = new Set([...Object.keys(CHECKS), ...MEMBERS, ...IGNORED, '$ref', '$defs', 'if', 'then', 'else', 'patternProperties', 'propertyNames', 'prefixItems', 'contains', 'dependentRequired', 'unevaluatedProperties']);

const all = (checks) => (value) => {
  for (const check of checks) {
    const fault = check(value);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

function within(entries, check) {
  for (const [key, value] of entries) {
    const fault = check(value);
    if (fault !== undefined) return { ...fault, path: [key, ...(fault.path ?? [])] };
  }
  return undefined;
}

/** compileSchema makes a check of a schema, or throws for what is not checked here. */
export function compileSchema(schema) {
  if (schema === true) return () => undefined;
  if (schema === false) return () => ({ rule: 'false', expected: 'nothing' });
  if (!isObject(schema)) throw new Error('a JSON Schema must be an object, true or false');
  const checks = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword in CHECKS) checks.push(CHECKS[keyword](value));
    else if (!IGNORED.has(keyword) && !MEMBERS.has(keyword)) throw new Error(`services in JavaScript do not check the JSON Schema keyword ${JSON.stringify(keyword)}`);
  }
  if (schema.properties !== undefined || schema.additionalProperties !== undefined) checks.push(members(schema));
  return all(checks);
}

function members({ properties = {}, additionalProperties = true }) {
  const declared = new Map(Object.entries(properties).map(([name, schema]) => [name, compileSchema(schema)]));
  const others = compileSchema(additionalProperties);
  return (value) => {
    if (!isObject(value)) return undefined;
    for (const [name, member] of Object.entries(value)) {
      const check = declared.get(name);
      const fault = (check ?? others)(member);
      if (fault !== undefined) return check === undefined && fault.rule === 'false' ? { path: [name], rule: 'additionalProperties', expected: 'no such member' } : { ...fault, path: [name, ...(fault.path ?? [])] };
    }
    return undefined;
  };
}
