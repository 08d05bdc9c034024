// The npm package knows the services, too.
import { connect, serve } from '@ekkojs/ipc';
import type { Item, Order } from 'ipc:shop';

export async function connected(items: Item[]) {
  const shop = await connect('shop');
  const placed: Order = await shop.order(items);
  shop.subscribe('order.placed', (data) => data.lines.length + placed.id);
  await connect('shop').then((other) => other.order('tea')); // TS2345
  (await connect('another')).whatever(1);
}

export async function served(orders: Map<number, Order>) {
  const shop = await serve('shop', {
    order(basket, copies, speed) {
      const order: Order = { id: basket.length * (copies ?? 1), status: speed === 'fast' ? 'paid' : 'open', lines: basket, total: basket[0].price };
      orders.set(order.id, order);
      shop.publish('order.placed', order);
      this.signal;
      return order;
    },
    find: async ({ text }) => [...orders.values()].find(({ lines }) => lines.some(({ sku }) => sku === text)) ?? null,
    count: () => ({ orders: orders.size, items: 0 }),
    buy() {},
    raw: (...args) => args,
  });
  shop.publish('order.placed', { ...orders.get(7)!, id: 'seven' }); // TS2322
  shop.publish('order.plaecd', 7); // TS2345
  await serve('shop', {
    order: () => orders.get(7)!,
    find: () => 'tea', // TS2322
    count: async () => ({ orders: 'many', items: 0 }), // TS2322
    buy(basket) { basket.toFixed(); }, // TS2339
    raw() {},
  });
  const right = { order: () => orders.get(7)!, find: () => null, count: () => ({ orders: 1, items: 1 }), buy() {}, raw() {} };
  await serve('shop', { ...right, sell() {} }); // TS2353
  await serve('another', { anything: (at: number) => at });
}
