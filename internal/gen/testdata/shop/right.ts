// What a program may say; each line compiles.
import shop, { order, raw } from 'ipc:shop';
import type { Item, Order, Status } from 'ipc:shop';

const item: Item = { sku: 'tea', price: { amount: 3, currency: 'EUR' }, tags: [] };
const is = <T>(_: T) => {};

export async function calls(signal: AbortSignal) {
  const placed: Order = await shop.order([item]);
  await order([item], 2, 'fast', null);
  await order([item], undefined, 'slow');
  is<Status>(placed.status);
  is<number | undefined>(placed.former?.id);
  is<Order | null>(await shop.find({ text: 'tea' }));
  is<number>((await shop.count()).orders);
  is<unknown>(await raw(1, 'two', { three: 3 }));
  is<null>(await shop.$with({ timeout: 500, signal }).buy([item]));
  is<Order>(await shop.$call('order', [item], 1));
  is<unknown>(await shop.$call('not.declared', 1, 2));
  is<string>(shop.$address);
  shop.$manifest?.methods;
  shop.$close();
}

export async function events(signal: AbortSignal) {
  const stop = shop.subscribe('order.placed', (data, event) => {
    is<Order>(data);
    is<'order.placed'>(event.channel);
  }, { signal, from: 'first', group: 'audit' });
  stop();
  shop.subscribe('order.*', (data, event) => {
    is<number>(data.id);
    if (event.channel === 'order.sent') is<string | null | undefined>(event.data.carrier);
    else is<Order>(event.data);
  });
  shop.subscribe('orders', (data) => is<number>(data.id), { durable: 'diary' });
  shop.subscribe('**', (data) => is<unknown>(data));
  shop.subscribe('jobs', async (data, event) => { await event.ack?.(); is<unknown>(data); });
  for await (const { channel, data, id, timestamp } of shop.on('order.placed', { signal, limit: 10, overflow: 'error' })) {
    is<[string, Order, string, string]>([channel, data, id, timestamp]);
  }
}

export async function publishing(placed: Order) {
  is<number>((await shop.publish('order.placed', placed)).seq);
  shop.publish('ping');
  shop.publish('ping', { anything: true });
  is<number>((await shop.publish('ping', 1, { confirm: true })).seq);
  await shop.publish('jobs', { parcel: 7 });
}

export function registered(services: EkkoIpcServices) {
  is<typeof shop>(services.shop);
}
