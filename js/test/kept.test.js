// What a service keeps in memory: logs, the newest of each name, states, and
// queues with their groups.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { connect, serve } from '../index.js';
import { Log } from '../log.js';
import { rejection, until, world } from './world.js';

const { runtime } = world();
let count = 0;

const MANIFEST = {
  service: { name: 'shop' },
  events: { 'price.tea': {}, 'price.milk': {}, 'order.placed': {}, 'order.sent': {} },
  channels: {
    prices: { events: ['price.*'], last: true },
    orders: { events: ['order.*'], retention: { maxMessages: 50_000 } },
    jobs: { type: 'queue' },
    few: { type: 'queue', retention: { maxMessages: 2 }, onSlow: 'block' },
    newest: { type: 'queue', retention: { maxMessages: 2 }, onSlow: 'drop-oldest' },
  },
};

// shop is a service and a client of it.
async function shop(t, options = {}) {
  const address = `unix:${path.join(runtime, `k${++count}.sock`)}`;
  const service = await serve({ manifest: MANIFEST, methods: {}, address, ...options });
  const clients = [];
  const client = async () => {
    const made = await connect(address, { manifest: MANIFEST });
    clients.push(made);
    return made;
  };
  t.after(async () => {
    for (const each of clients) each.$close();
    await service.close();
  });
  return { service, client, address };
}

async function take(stream, n) {
  const events = [];
  while (events.length < n) events.push((await stream.next()).value);
  return events;
}

test('a log keeps as many, as much and as long as it may', () => {
  const record = (seq, at = Date.now()) => ({ seq, at, id: `id-${seq}`, size: 100 });
  const few = new Log({ maxMessages: 3 });
  const small = new Log({ maxSize: 250 });
  for (let seq = 1; seq <= 3000; seq++) for (const log of [few, small]) log.append(record(seq));
  assert.deepEqual([few.first, few.next, few.length, few.bytes], [2998, 3001, 3, 300]);
  assert.deepEqual([small.first, small.length], [2999, 2]);
  assert.equal(few.get(2997), undefined);
  assert.equal(few.get(2998).seq, 2998);
  assert.equal(few.get(3001), undefined);
  const young = new Log({ maxAge: 60 });
  young.append(record(1, Date.now() - 61_000));
  young.append(record(2, Date.now() - 50_000));
  young.append(record(3));
  assert.deepEqual([young.first, young.at(Date.now() - 55_000), young.at(Date.now() - 10_000)], [2, 2, 3]);
  assert.equal(young.known('id-2'), 2);
  assert.equal(few.removeBefore(3000), 2);
  assert.deepEqual([few.first, few.length], [3000, 1]);
  const one = new Log({ maxSize: 10 });
  one.append(record(1));
  assert.equal(one.length, 1, 'the newest is kept, however large it is');
});

test('a long past comes whole and in order, and what is published meanwhile after it', async (t) => {
  const { service, client } = await shop(t);
  const text = 'x'.repeat(200);
  for (let i = 1; i <= 10_000; i++) service.publish('order.placed', { i, text });
  const reader = await client();
  const stream = reader.on('orders', { from: 'first', limit: 100_000 });
  const begun = await take(stream, 1);
  for (let i = 10_001; i <= 20_000; i++) service.publish(i % 2 === 0 ? 'order.placed' : 'order.sent', { i, text });
  const events = [...begun, ...await take(stream, 19_999)];
  assert.deepEqual(events.map(({ seq }) => seq), Array.from({ length: 20_000 }, (_, i) => i + 1));
  assert.ok(events.every(({ data, seq, gap }) => data.i === seq && gap === undefined));
  assert.equal(stream.dropped, 0);
});

test('of what is kept a filter and a pattern take their part', async (t) => {
  const { service, client } = await shop(t);
  for (let i = 1; i <= 100; i++) service.publish(i % 2 === 0 ? 'order.placed' : 'order.sent', { i });
  const reader = await client();
  assert.deepEqual((await take(reader.on('order.placed', { from: 'first', filter: 'i > 95' }), 3)).map(({ data }) => data.i), [96, 98, 100]);
  assert.deepEqual((await take(reader.on('order.*', { from: 'last', filter: 'i < 50' }), 1)).map(({ data }) => data.i), [49]);
  assert.equal((await rejection(reader.on('order.*', { filter: 'i <' }).next())).code, 'INVALID_ARGUMENT');
});

test('the newest of each name, for who comes later', async (t) => {
  const { service, client } = await shop(t);
  service.publish('price.tea', 3.1);
  service.publish('price.milk', 0.9);
  service.publish('price.tea', 3.2);
  const reader = await client();
  assert.deepEqual((await take(reader.on('prices', { from: 'last' }), 2)).map(({ channel, data }) => [channel, data]), [['price.milk', 0.9], ['price.tea', 3.2]]);
  assert.deepEqual((await take(reader.on('price.*', { from: 'last' }), 2)).map(({ data }) => data), [0.9, 3.2]);
  assert.equal((await rejection(reader.on('prices', { from: 'first' }).next())).code, 'INVALID_ARGUMENT');
});

test('a state, and after it what was published since it was asked for', async (t) => {
  let tell;
  const state = new Promise((resolve) => { tell = resolve; });
  let asked;
  const wasAsked = new Promise((resolve) => { asked = resolve; });
  const { service, client } = await shop(t, { snapshots: { prices: () => { asked(); return state; }, orders: () => { throw new Error('lost'); }, 'price.tea': () => 'x'.repeat(2 ** 20) } });
  service.publish('price.tea', 1);
  const reader = await client();
  const stream = reader.on('prices', { from: 'snapshot' });
  const events = take(stream, 3);
  await wasAsked;
  service.publish('price.tea', 2);
  tell({ tea: 1 });
  service.publish('price.milk', 3);
  assert.deepEqual((await events).map(({ channel, data, seq, snapshot }) => [channel, data, seq, snapshot]), [['prices', { tea: 1 }, 1, true], ['price.tea', 2, 2, undefined], ['price.milk', 3, 3, undefined]]);
  t.mock.method(console, 'error', () => {}); // of the state that cannot be told
  assert.equal((await rejection(reader.on('orders', { from: 'snapshot' }).next())).code, 'HANDLER_FAILED');
  assert.equal((await rejection(reader.on('price.tea', { from: 'snapshot' }).next())).code, 'MESSAGE_TOO_LARGE');
  assert.equal((await rejection(reader.on('price.milk', { from: 'snapshot' }).next())).code, 'INVALID_ARGUMENT');
});

test('the service hears its own events, from where it likes', async (t) => {
  const { service } = await shop(t);
  for (let i = 1; i <= 5; i++) service.publish('order.placed', { i });
  const stream = service.on('orders', { from: 'first', filter: 'i != 3' });
  service.publish('order.sent', { i: 6 });
  assert.deepEqual((await take(stream, 5)).map(({ data }) => data.i), [1, 2, 4, 5, 6]);
  for (const [pattern, options] of [['jobs', {}], ['jobs', { group: 'x' }], ['orders', { durable: 'x' }], ['prices', { from: 'snapshot' }]]) {
    assert.throws(() => service.on(pattern, options), { code: 'INVALID_ARGUMENT' });
  }
});

test('an event under an id is there once, and its receipt says where', async (t) => {
  const { service, client } = await shop(t);
  const first = await service.publish('order.placed', { i: 1 }, { id: 'one' });
  assert.deepEqual(await service.publish('order.placed', { i: 1 }, { id: 'one' }), { ...first, duplicate: true });
  const again = await (await client()).publish('order.placed', { i: 1 }, { id: 'one' });
  assert.deepEqual([again.seq, again.duplicate], [1, true]);
  assert.equal((await service.publish('order.placed', { i: 2 })).seq, 2, 'what is kept has a receipt');
});

test('workers share what is in a queue, and what one held when it left goes to another', async (t) => {
  const { service, client } = await shop(t);
  const done = new Map();
  const worker = (name) => (job, event) => { done.set(job.i, [...(done.get(job.i) ?? []), name]); return event.ack(); };
  const [one, two, leaver] = [await client(), await client(), await client()];
  const held = leaver.on('jobs', { credit: 3, ack: 'manual' });
  for (let i = 1; i <= 100; i++) service.publish('jobs', { i });
  assert.deepEqual((await take(held, 3)).map(({ data }) => data.i), [1, 2, 3]);
  leaver.$close();
  one.subscribe('jobs', worker('one'), { credit: 1 });
  two.subscribe('jobs', worker('two'), { credit: 1 });
  const queue = async () => (await one.$call('ipc.queues')).find(({ channel }) => channel === 'jobs');
  await until(async () => (await queue()).messages === 0);
  assert.equal(done.size, 100);
  assert.ok([...done.values()].every((by) => by.length === 1));
  assert.ok(['one', 'two'].every((name) => [...done.values()].flat().includes(name)));
  assert.deepEqual((await queue()).groups[0], { name: 'default', durable: false, members: 2, waiting: 0, pending: 0, again: 0, delivered: 103, redelivered: 3, acked: 100, dead: 0, missing: 0 });
});

test('what nobody can do is set aside, and given back', async (t) => {
  const { service, client } = await shop(t);
  const worker = await client();
  const stream = worker.on('jobs', { group: 'packers', ack: 'manual' });
  service.publish('jobs', 'impossible');
  for (let delivery = 1; delivery <= 5; delivery++) {
    const { value } = await stream.next();
    assert.deepEqual([value.deliveries, value.redelivered], [delivery, delivery > 1]);
    await value.nak();
  }
  const [letter] = await worker.$call('ipc.messages', { channel: 'jobs', dead: true });
  assert.deepEqual([letter.data, letter.group, letter.deliveries, letter.from], ['impossible', 'packers', 5, 1]);
  assert.equal(await worker.$call('ipc.redrive', { channel: 'jobs' }), 1);
  const { value } = await stream.next();
  assert.deepEqual([value.data, value.seq, value.deliveries], ['impossible', 2, 1]);
  await value.reject('no');
  assert.equal(await worker.$call('ipc.purge', { channel: 'jobs', dead: true }), 1);
  assert.equal((await rejection(worker.$call('ipc.forget', { channel: 'jobs', group: 'packers' }))).code, 'CONFLICT');
});

test('a durable name has a place of its own, a filter, and one holder', async (t) => {
  const { service, client } = await shop(t);
  const [old, young] = [await client(), await client()];
  const first = old.on('jobs', { durable: 'audit', filter: 'i > 1', ack: 'manual' });
  for (let i = 1; i <= 4; i++) service.publish('jobs', { i });
  const [two, three] = await take(first, 2);
  await two.ack();
  const second = young.on('jobs', { durable: 'audit', filter: 'i > 1' });
  const events = await take(second, 2);
  assert.deepEqual(events.map(({ data, redelivered }) => [data.i, redelivered]), [[3, true], [4, true]]);
  assert.equal(three.data.i, 3);
  assert.equal((await rejection((async () => { for (;;) await take(first, 1); })())).code, 'CONFLICT');
  assert.equal((await rejection(young.on('jobs', { group: 'audit' }).next())).code, 'CONFLICT');
  assert.deepEqual((await young.$call('ipc.who')).map(({ group, durable }) => [group, durable]), [['audit', true]]);
});

test('a full queue has its publishers wait, or loses what is oldest', async (t) => {
  const { service, client } = await shop(t);
  await service.publish('few', 1);
  await service.publish('few', 2);
  let there = false;
  const third = service.publish('few', 3).then((receipt) => { there = true; return receipt; });
  const worker = await client();
  assert.equal(there, false);
  const stream = worker.on('few');
  assert.equal((await stream.next()).value.data, 1);
  const next = stream.next(); // has acknowledged the first
  assert.equal((await third).seq, 3);
  assert.equal((await next).value.data, 2);

  for (let i = 1; i <= 5; i++) await service.publish('newest', i);
  const [event] = await take(worker.on('newest'), 1);
  assert.equal(event.data, 4);
});

test('a service that ends tells publishers who wait for room', async (t) => {
  const { service } = await shop(t);
  for (let i = 0; i < 2; i++) await service.publish('few', i);
  const waiting = rejection(service.publish('few', 2));
  await service.close();
  assert.equal((await waiting).code, 'SHUTTING_DOWN');
});

test('after the service has begun anew, a subscription goes on and says that nobody knows', async (t) => {
  const { service, client, address } = await shop(t);
  const stream = (await client()).on('orders');
  await service.publish('order.placed', { i: 1 });
  // The client is on its way: what it missed is not what is asked here.
  await until(() => service.publish('order.placed', { i: 1 }).then(({ receivers }) => receivers === 1));
  await take(stream, 1);
  await service.close();
  const next = await serve({ manifest: MANIFEST, methods: {}, address });
  t.after(() => next.close());
  await until(() => next.publish('order.placed', { i: 2 }).then(({ receivers }) => receivers === 1));
  for (;;) {
    const [{ gap, data }] = await take(stream, 1);
    if (data.i === 1) continue;
    assert.equal(gap.reason, 'restarted');
    break;
  }
});

test('what needs a disk is refused, with what to do', async () => {
  const error = await rejection(serve({ manifest: { service: { name: 'books' }, channels: { ledger: { persistent: true } } }, methods: {} }));
  assert.equal(error.code, 'UNIMPLEMENTED');
  assert.match(error.message, /channels\.ledger.*Leave it out.*library for Go/);
  for (const [channel, words] of [[{ type: 'heap' }, /type "heap"/], [{ retention: { maxMessages: 0 } }, /maxMessages/], [{ retention: { most: 5 } }, /retention\.most/], [{ onSlow: 'block' }, /onSlow of a topic/], [{ type: 'queue', onSlow: 'disconnect' }, /onSlow of a queue/]]) {
    const wrong = await rejection(serve({ manifest: { service: { name: 'books' }, channels: { ledger: channel } }, methods: {} }));
    assert.equal(wrong.code, 'INVALID_ARGUMENT');
    assert.match(wrong.message, words);
  }
});
