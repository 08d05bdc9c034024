// The service that the conversations are held with, as far as a service in
// JavaScript goes: it has no disk, and so none of the persistent channel.
import fs from 'node:fs';
import path from 'node:path';

import { IpcError, serve } from '../index.js';
import { root } from './world.js';

const forever = (signal) => new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });

/** LEDGER is the channel that the fixture in JavaScript has not. */
export const LEDGER = 'ledger';

/** serveFixture serves it at an address. */
export async function serveFixture(address, options = {}) {
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'spec/conversations/fixture.ekko.ipc.json'), 'utf8'));
  delete manifest.channels[LEDGER];
  let reports = 0;
  let deposits = 0;
  let attempts = 0;
  const service = await serve({
    manifest, address, maxFrame: 4096, maxQueued: 2, snapshots: { weather: () => ({ reports }) }, ...options,
    methods: {
      greet: (name, greeting) => `${greeting}, ${name}!`,
      add: (a, b) => a + b,
      total: (numbers) => numbers.reduce((sum, n) => sum + n, 0),
      echo: (...data) => (data.length > 1 ? data : data[0]),
      findUser(id) {
        if (id !== 123) throw new IpcError('NOT_FOUND', `no user has id ${id}`);
        return { id, name: 'Ada' };
      },
      fail(code) {
        if (code === '' || code === 'panic') throw new Error('something broke');
        throw new IpcError(code, 'failing as asked');
      },
      misspeak: () => 'seven',
      announce(user) { service.publish('user.created', user); },
      grow: (letters) => 'a'.repeat(letters),
      wait() { return forever(this.signal); },
      async* count(to) { for (let i = 1; i <= to; i++) yield i; },
      async* slip() { yield 1; yield 'two'; },
      async tally(numbers) {
        let count = 0;
        let sum = 0;
        for await (const n of numbers) [count, sum] = [count + 1, sum + n];
        return { count, sum };
      },
      async* mirror(items) { yield* items; },
      idle() { return forever(this.signal); },
      hurry() { return forever(this.signal); },
      occupy(by) {
        service.publish('occupied', { by });
        return forever(this.signal);
      },
      deposit: (amount) => (deposits += amount),
      try(code) { throw new IpcError(code, `attempt ${++attempts}`); },
      consult(question) { return this.client.$call('advise', question); },
      async nextNotice() {
        for await (const { data } of service.on('notices', { signal: this.signal })) return data;
      },
    },
  });
  service.subscribe('weather', () => { reports++; });
  return service;
}
