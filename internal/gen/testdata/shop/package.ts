// The npm package knows the services, too.
import { connect } from '@ekkojs/ipc';
import type { Item, Order } from 'ipc:shop';

export async function connected(items: Item[]) {
  const shop = await connect('shop');
  const placed: Order = await shop.order(items);
  shop.subscribe('order.placed', (data) => data.lines.length + placed.id);
  await connect('shop').then((other) => other.order('tea')); // TS2345
  (await connect('another')).whatever(1);
}
