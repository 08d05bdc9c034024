// JSON Schema: what each keyword takes and refuses, and what is refused when a
// manifest is served.
import assert from 'node:assert/strict';
import test from 'node:test';

import { compileSchema } from '../schema.js';

const CASES = [
  // schema, what fits, what does not
  [{ type: ['string', 'null'] }, ['x', null], [1, [], {}]],
  [{ type: 'integer' }, [1, 1.0, -0, 1e20], [1.5, '1', null]],
  [{ const: { a: [1, { b: null }] } }, [{ a: [1, { b: null }] }], [{ a: [1] }, { a: [1, { b: null }], c: 1 }, null]],
  [{ enum: ['a', 1, null, { x: 1, y: 2 }] }, ['a', 1, null, { y: 2, x: 1 }], ['1', true, {}, [null]]],
  [{ minimum: 1, exclusiveMaximum: 5 }, [1, 4.9, 'x'], [0.9, 5]],
  [{ exclusiveMinimum: 1, maximum: 5 }, [1.1, 5], [1, 6]],
  [{ multipleOf: 0.1 }, [0.3, 1, 0, -0.7, 1e21, 'x'], [0.35, 1e-7]],
  [{ multipleOf: 3 }, [9, -3, 9e20], [10, 3.5]],
  [{ minLength: 2, maxLength: 3 }, ['ab', '\u{1f600}\u{1f600}', 5], ['a', '\u{1f600}', 'abcd']],
  [{ pattern: '^a\\d' }, ['a1', 7], ['b1', 'xa1']],
  [{ minItems: 1, maxItems: 2 }, [[1], [1, 2], 'x'], [[], [1, 2, 3]]],
  [{ uniqueItems: true }, [[1, '1', [1], { a: 1 }, null], [], 'aa'], [[1, 1], [{ a: 1, b: 2 }, { b: 2, a: 1 }], [0, -0]]],
  [{ minProperties: 1, maxProperties: 2 }, [{ a: 1 }, [], 'x'], [{}, { a: 1, b: 2, c: 3 }]],
  [{ required: ['a', 'toString'] }, [JSON.parse('{"a":1,"toString":2}'), 'x'], [{ a: 1 }, {}]],
  [{ dependentRequired: { a: ['b'] } }, [{ a: 1, b: 2 }, { b: 1 }, []], [{ a: 1 }]],
  [{ dependentSchemas: { a: { required: ['b'] } } }, [{ a: 1, b: 2 }, {}], [{ a: 1 }]],
  [{ properties: { a: { type: 'string' } }, additionalProperties: false }, [{ a: 'x' }, {}, 5], [{ a: 1 }, { b: 1 }, JSON.parse('{"__proto__":1}')]],
  [{ properties: { a: true }, patternProperties: { '^x': { type: 'number' } }, additionalProperties: { type: 'null' } }, [{ a: 5, x1: 2, b: null }], [{ x1: 'no' }, { b: 1 }]],
  [{ propertyNames: { pattern: '^[a-z]+$' } }, [{ abc: 1 }, 'ABC'], [{ Abc: 1 }]],
  [{ prefixItems: [{ type: 'string' }, { type: 'number' }], items: { type: 'null' } }, [['a', 1, null], ['a'], [], {}], [[1], ['a', 'b'], ['a', 1, 2]]],
  [{ contains: { type: 'number' } }, [['a', 1], [1, 2]], [[], ['a']]],
  [{ contains: { type: 'number' }, minContains: 2, maxContains: 3 }, [[1, 2], [1, 'x', 2, 3]], [[1], [1, 2, 3, 4]]],
  [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, [2], [0, 4]],
  [{ anyOf: [{ type: 'string' }, { minimum: 5 }] }, ['x', 6], [4]],
  [{ oneOf: [{ type: 'number' }, { minimum: 5 }] }, [4, 'x'], [6]],
  [{ not: { type: 'string' } }, [1], ['x']],
  [{ if: { type: 'string' }, then: { minLength: 2 }, else: { type: 'number' } }, ['ab', 5], ['a', null]],
  [{ $ref: '#/$defs/positive', $defs: { positive: { exclusiveMinimum: 0 } } }, [1], [0]],
  [{ $ref: '#/definitions/a~1b%20c', definitions: { 'a/b c': { type: 'string' } } }, ['x'], [1]],
  [{ properties: { next: { $ref: '#' } }, required: ['id'] }, [{ id: 1, next: { id: 2, next: { id: 3 } } }], [{ id: 1, next: { id: 2, next: {} } }]],
  [{ $ref: '#/$defs/tree', $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } } }, [[], [[], [[]]]], [[[1]], 1]],
  [true, [1, null], []],
  [false, [], [1, null]],
];

test('each keyword takes what fits, and refuses what does not', () => {
  for (const [schema, good, bad] of CASES) {
    const check = compileSchema(schema);
    for (const value of good) assert.equal(check(value), undefined, `${JSON.stringify(schema)} of ${JSON.stringify(value)}`);
    for (const value of bad) assert.equal(typeof check(value)?.rule, 'string', `${JSON.stringify(schema)} of ${JSON.stringify(value)}`);
  }
});

test('a fault has its place', () => {
  const check = compileSchema({ properties: { list: { items: { prefixItems: [true, { required: ['a'] }] } } } });
  assert.deepEqual(check({ list: [[1, { a: 1 }], [1, {}]] }).path, ['list', 1, 1, 'a']);
  assert.deepEqual(compileSchema({ additionalProperties: false })({ b: 1 }), { path: ['b'], rule: 'additionalProperties', expected: 'no such member' });
});

test('what cannot be checked is refused, and says why', () => {
  for (const [schema, words] of [
    [{ unevaluatedProperties: false }, /unevaluatedProperties/], [{ $ref: 'https://example.org/x' }, /elsewhere/], [{ $ref: '#anchor' }, /elsewhere/], [{ $ref: '#/$defs/none' }, /nowhere/],
    [{ $ref: '#' }, /itself/], [{ $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { $ref: '#/$defs/a' } } }, /itself/],
    [{ type: 'text' }, /no type "text"/], [{ pattern: '(' }, /Invalid regular expression/], [{ multipleOf: 0 }, /multipleOf/], [{ items: 5 }, /must be an object/],
  ]) assert.throws(() => compileSchema(schema), words, JSON.stringify(schema));
});

test('a hundred thousand elements are told apart in one pass', () => {
  const check = compileSchema({ uniqueItems: true });
  let looked = 0;
  const list = Array.from({ length: 100_000 }, (_, i) => ({ get i() { looked++; return i; } }));
  assert.equal(check(list), undefined);
  assert.equal(looked, 100_000);
});
