// What a program may not say; behind each line stands the compiler's number.
import shop, { order } from 'ipc:shop';
import none from 'ipc:shpo'; // TS2307
import { ordre } from 'ipc:shop'; // TS2724

none;
ordre;
const item = { sku: 'tea', price: { amount: 3, currency: 'EUR' }, tags: [] };

shop.order('tea'); // TS2345
order([{ ...item, sku: 7 }]); // TS2322
order(); // TS2554
order([item], '2'); // TS2345
order([item], 1, 'faster'); // TS2345
order([item], 1, 'fast', null, 5); // TS2554
shop.find({ text: 'tea', limit: 3 }); // TS2353
shop.ordre([item]); // TS2551
shop.count(1); // TS2554
shop.order([item]).then((placed) => placed.stauts); // TS2551
shop.find({ text: 'tea' }).then((found) => found.id); // TS18047
shop.$call('order', 'tea'); // TS2345
shop.$with({ timeuot: 5 }); // TS2561

shop.subscribe('order.plaecd', () => {}); // TS2345
shop.subscribe('order.placed', (data) => data.nmae); // TS2339
shop.subscribe('order.placed', (_, event) => event.channel === 'order.sent'); // TS2367
shop.subscribe('order.placed', () => {}, { form: 'first' }); // TS2353
shop.on('order.plaecd'); // TS2345
shop.on('order.placed', { overflow: 'block' }); // TS2322

shop.publish('order.plaecd', {}); // TS2345
shop.publish('order.placed'); // TS2554
shop.publish('order.placed', 7); // TS2345
shop.publish('order.sent', { id: 1 }); // TS2345
shop.publish('ping', 1, { comfirm: true }); // TS2769
