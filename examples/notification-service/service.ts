// A service in TypeScript. It notes what others publish to it, and tells who
// listens.
//
//     ekko-ipc run examples/notification-service/service.ts
import { serve, IpcError } from '@ekkojs/ipc';
import manifest from './notification-service.ekko.ipc.json' with { type: 'json' };

interface Note {
  id: number;
  to: string;
  text: string;
  timestamp: string;
}

const notes: Note[] = [];
const kept = 100;

function notify(to: string, text: string): Note {
  if (text.trim() === '') throw new IpcError('INVALID_ARGUMENT', 'a note needs a text');
  const note = { id: (notes.at(-1)?.id ?? 0) + 1, to, text, timestamp: new Date().toISOString() };
  notes.push(note);
  if (notes.length > kept) notes.shift();
  service.publish('notification.sent', note);
  service.publish('outbox', note); // waits there for mailer.ts
  return note;
}

function recent(limit: number): Note[] {
  return notes.slice(-limit).reverse();
}

const service = await serve({ manifest, methods: { notify, recent } });

service.subscribe('user.created', ({ name }: { name: string }) => {
  notify('everybody', `${name} has joined`);
});
service.subscribe('order.completed', ({ orderId, total }: { orderId: number; total: number }) => {
  notify('accounts', `Order ${orderId} is complete: ${total.toFixed(2)}`);
});

console.log(`notification-service ready on ${service.address}`);
