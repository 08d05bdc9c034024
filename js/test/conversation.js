// Conversations: how spec/conversations is read and compared.
import fs from 'node:fs';
import path from 'node:path';

import { root } from './world.js';

/** conversations reads a file: [{ name, lines }]. */
export function conversations(file) {
  const found = [];
  for (const line of fs.readFileSync(path.join(root, 'spec/conversations', file), 'utf8').split('\n')) {
    if (line.startsWith('== ')) found.push({ name: line.slice(3), lines: [], settings: {} });
    else if (found.length > 0 && line !== '' && !line.startsWith('#')) {
      const [, key, value] = /^(rules|framing|service|manifest|address|retries|timeout|pings): (.*)$/.exec(line) ?? [];
      if (key === undefined) found.at(-1).lines.push(line);
      else found.at(-1).settings[key] = value;
    }
  }
  return found;
}

/** expand writes out <a*5000>. */
export const expand = (text) => text.replaceAll(/<(.)\*(\d+)>/g, (_, letter, n) => letter.repeat(Number(n)));

/** Names holds what <asked 2> and its like stand for. */
export class Names {
  #values = new Map();

  set(name, value) { this.#values.set(name, value); }
  get(name) { return this.#values.get(name); }

  /** fill puts values in the place of names, in a line that is sent. */
  fill(line) {
    return expand(line).replaceAll(/<((?:asked|own|subscription|epoch)(?: \d+)?)>/g, (whole, name) => this.#values.get(name) ?? whole)
      .replaceAll('<id>', 'an id of ten or more').replaceAll('<time>', '2026-11-22T12:00:00.123Z').replaceAll('<ms>', '1');
  }

  /** differs says how a value differs from a pattern, which is parsed JSON in
      which texts may be names. learn notes what a name stands for. */
  differs(pattern, value, at = '') {
    if (typeof pattern === 'string' && /^<[a-z]+(?: \d+)?>$/.test(pattern)) return this.#learn(pattern.slice(1, -1), value, at);
    if (Array.isArray(pattern) || (typeof pattern === 'object' && pattern !== null)) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(pattern)) return `${at}: ${JSON.stringify(value)} instead of ${JSON.stringify(pattern)}`;
      for (const key of new Set([...Object.keys(pattern), ...Object.keys(value)])) {
        if (!Object.hasOwn(pattern, key)) return `${at}/${key}: ${JSON.stringify(value[key])} instead of nothing`;
        if (!Object.hasOwn(value, key)) return `${at}/${key} is missing`;
        const difference = this.differs(pattern[key], value[key], `${at}/${key}`);
        if (difference !== undefined) return difference;
      }
      return undefined;
    }
    const wanted = typeof pattern === 'string' ? expand(pattern).replaceAll('<epoch>', this.#values.get('epoch') ?? '<epoch>') : pattern;
    return Object.is(wanted, value) ? undefined : `${at}: ${JSON.stringify(value)} instead of ${JSON.stringify(wanted)}`;
  }

  #learn(name, value, at) {
    if (['id', 'time', 'ms', 'uid', 'gid', 'pid', 'exe'].includes(name)) return undefined;
    if (name === 'epoch' || name === 'subscription') {
      this.#values.set(name, value);
      return undefined;
    }
    if (!this.#values.has(name)) this.#values.set(name, value);
    return this.#values.get(name) === value ? undefined : `${at}: ${JSON.stringify(value)} instead of <${name}>, ${JSON.stringify(this.#values.get(name))}`;
  }
}
