// Filters are held to spec/vectors/filter.json.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { Failure } from '../error.js';
import { parseFilter } from '../filter.js';
import { root } from './world.js';

const { cases } = JSON.parse(fs.readFileSync(path.join(root, 'spec/vectors/filter.json'), 'utf8'));

// What a service in JavaScript sends is what JSON.parse has read, so a filter
// is asked of numbers as they are then: not of what no double holds.
const PRECISE = /\bid\b|\bbig\b|\d{17}|1e400/;
const HUGE = /^\{"\w+":-?\d*\.?\d*(?:[eE][+-]?\d{3,}|\d{17,})/;

test('filters hold what the vectors say, and what is none is refused with its place', () => {
  assert.ok(cases.length > 50);
  for (const { name, code, offset, match = [], miss = [] } of cases) {
    if (code !== undefined) {
      assert.throws(() => parseFilter(name), (error) => {
        assert.ok(error instanceof Failure, `${name}: ${error.stack}`);
        assert.deepEqual([error.code, error.details.offset ?? 0], [code, offset ?? 0], `${name}: ${error.message}`);
        return true;
      });
      continue;
    }
    const filter = parseFilter(name);
    for (const data of match) if (!PRECISE.test(name) && !HUGE.test(data)) assert.equal(filter.matches(JSON.parse(data)), true, `${name} of ${data}`);
    for (const data of miss) if (!PRECISE.test(name) && !HUGE.test(data)) assert.equal(filter.matches(JSON.parse(data)), false, `${name} of ${data}`);
  }
});

test('numbers are compared as they are, however they are written', () => {
  for (const [filter, value, holds] of [
    ['n == 0.1', 0.1, true], ['n == 0.10000000000000000000', 0.1, true], ['n == 0.1000000000000000055511151231257827', 0.1, false],
    ['n > 0.1', 0.1 + 0.2 - 0.2, 0.1 + 0.2 - 0.2 > 0.1], ['n == 1e2', 100, true], ['n < 1e400', 5, true], ['n > -1e400', 5, true],
    ['n == -0', 0, true], ['n == 0e9', 0, true], ['n >= -1.5', -1.5, true], ['n < -1.5', -1.4999999999999998, false],
    ['n == 9007199254740993', 2 ** 53, false], ['n == 9007199254740992', 2 ** 53, true], ['n == 1e-7', 0.0000001, true],
  ]) assert.equal(parseFilter(filter).matches({ n: value }), holds, `${filter} of ${value}`);
});

test('what a name means to the language it does not mean to a filter', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'then', 'length']) {
    assert.equal(parseFilter(`exists(${name})`).matches({}), false, name);
    assert.equal(parseFilter(`exists(${name})`).matches([]), false, name);
    assert.equal(parseFilter(`${name} == 1`).matches(JSON.parse(`{"${name}":1}`)), true, name);
    assert.equal(parseFilter(`x.${name} == 1`).matches(JSON.parse(`{"x":{"${name}":1}}`)), true, name);
  }
});

test('texts are ordered by their code points', () => {
  assert.equal(parseFilter('x > "\u{ffff}"').matches({ x: '\u{1f600}' }), true);
  assert.equal(parseFilter('x < "b"').matches({ x: 'a\u{1f600}' }), true);
  assert.equal(parseFilter('x >= "ab"').matches({ x: 'a' }), false);
});
