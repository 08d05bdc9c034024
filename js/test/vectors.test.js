// The vectors of spec/vectors, as far as they are about what this library does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { IpcError, fromWire } from '../error.js';
import { DEFAULT_FRAME, FrameReader, FrameTooLong, FrameWriter, dataBytes } from '../frame.js';
import { JSONFault, parse } from '../json.js';
import { Pattern, isName } from '../name.js';
import { nextId } from '../id.js';
import { root } from './world.js';

const vectors = (name) => JSON.parse(fs.readFileSync(path.join(root, 'spec/vectors', `${name}.json`), 'utf8')).cases;

const textOf = ({ text, parts }) => text ?? parts.map(({ text: part, times = 1 }) => part.repeat(times)).join('');

function codeOf(fn) {
  try {
    fn();
    return undefined;
  } catch (error) {
    if (error instanceof IpcError || error instanceof JSONFault) return error.code;
    throw error;
  }
}

test('names', () => {
  for (const { name, code } of vectors('name')) assert.equal(isName(name), code === undefined, name);
});

test('patterns', () => {
  for (const { name, code, match = [], miss = [] } of vectors('pattern')) {
    assert.equal(codeOf(() => new Pattern(name)), code, name);
    if (code !== undefined || name.startsWith('events.')) continue; // in front of a pattern that is no part of it
    const pattern = new Pattern(name);
    for (const each of match) assert.ok(pattern.matches(each), `${name} matches ${each}`);
    for (const each of miss) assert.ok(!pattern.matches(each), `${name} misses ${each}`);
  }
});

test('values', () => {
  for (const value of vectors('value')) assert.equal(codeOf(() => parse(textOf(value))), value.code, value.name);
});

test('batches', () => {
  for (const one of vectors('batch')) {
    if (one.hex !== undefined) continue; // bytes that are no text are the frame reader's
    const text = textOf(one);
    const code = codeOf(() => { if (!(parse(text, true).length > 0)) throw new JSONFault('MALFORMED_MESSAGE', 'empty'); });
    assert.equal(code, one.code, one.name);
  }
});

test('errors', () => {
  for (const { name, text, error, code } of vectors('error')) {
    let said;
    try { said = JSON.parse(text); } catch { said = undefined; }
    if (code !== undefined && name.includes('"code":"A","code"') || name.includes('"a":1,"a":1')) continue; // a client reads what JSON.parse does
    const failure = fromWire(said);
    if (code !== undefined) {
      assert.equal(failure.code, code, name);
      continue;
    }
    assert.equal(failure.code, error.code, name);
    assert.equal(failure.message, error.message, name);
    assert.equal(failure.executed, error.executed, name);
    assert.equal(failure.retryable, error.retryable, name);
    for (const field of ['retryAfterMs', 'path', 'origin']) assert.equal(failure.details[field], error[field], `${name}: ${field}`);
  }
});

// framesIn reads bytes that come in pieces.
function framesIn(pieces, max) {
  const frames = [];
  const reader = new FrameReader((text) => frames.push(text), { max, strict: true });
  try {
    for (const piece of pieces) reader.push(piece);
    if (reader.framing === 'line' || reader.framing === undefined) reader.end();
  } catch (error) {
    if (error instanceof FrameTooLong) return { frames, end: 'MESSAGE_TOO_LARGE' };
    throw error;
  }
  return { frames, end: reader.partial ? 'cut' : 'closed' };
}

const bytesOf = ({ hex, parts }) => Buffer.concat((parts ?? [{ hex }]).map(({ hex: part, times = 1 }) => Buffer.from(part.repeat(times), 'hex')));

test('framing, whole and cut at every byte', () => {
  for (const one of vectors('framing')) {
    const bytes = bytesOf(one);
    const max = one.maxFrame ?? one.max ?? DEFAULT_FRAME;
    const cuts = [[bytes]];
    if (bytes.length < 4096) {
      for (let at = 1; at < bytes.length; at++) cuts.push([bytes.subarray(0, at), bytes.subarray(at)]);
      cuts.push(Array.from(bytes, (byte) => Buffer.from([byte])));
    }
    for (const pieces of cuts) {
      const { frames, end } = framesIn(pieces, max);
      assert.equal(end, one.end, `${one.name}: ${pieces.length} pieces`);
      if (one.frames !== undefined && one.end !== 'MESSAGE_TOO_LARGE') assert.deepEqual(one.framing === 'line' ? frames.filter((frame) => frame.trim() !== '') : frames, one.frames, `${one.name}: ${pieces.length} pieces`);
    }
  }
});

test('what is written can be read', async () => {
  const texts = ['{"a":1}', '{"é":"😀 and more"}', `"${'x'.repeat(5000)}"`];
  for (const framing of ['line', 'length']) {
    const written = [];
    const writer = new FrameWriter((data) => written.push(Buffer.from(data)), framing);
    for (const text of texts) writer.push(text);
    assert.equal(written.length, 0);
    await null; // the turn's end
    assert.equal(written.length, 1, 'one write for one turn');
    assert.deepEqual(framesIn(written, DEFAULT_FRAME).frames, texts);
  }
});

test('a long message takes time in proportion to its length', () => {
  // In pieces of one byte a reader that joins them each time would copy 8 GiB.
  const bytes = Buffer.from(`${'x'.repeat(128 << 10)}\n`);
  let got;
  const reader = new FrameReader((text) => { got = text; });
  for (let i = 0; i < bytes.length; i++) reader.push(bytes.subarray(i, i + 1));
  assert.equal(got.length, 128 << 10);
});

test('the bytes of data, wherever it stands', () => {
  for (const [text, want] of [
    ['{"data":[1,2],"type":"event"}', 5], ['{"type":"event","metadata":{"data":"no"},"data": {"a":"}\\"","é":1} }', Buffer.byteLength('{"a":"}\\"","é":1} ')],
    ['{"type":"event"}', 0], ['{"type":"event","data":"a,b"}', 5], ['{"data":7}', 1], ['', 0], ['{', 0],
  ]) assert.equal(dataBytes(text), want, text);
});

test('ids are UUIDs of version 4, and differ', () => {
  const ids = new Set(Array.from({ length: 1000 }, nextId));
  assert.equal(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
