// Services of other processes as modules. Start them first, from the
// project's root:
//
//     go run ./examples/database-service
//     ekko-ipc run examples/notification-service/service.ts
//     ekko-ipc run examples/app/app.ts
import service from 'ipc:database-service';
import events from 'ipc:notification-service';

// Ask.
const result = await service.getUserById(123);
console.log('Found:', result.name);

// Listen, before there is something to hear.
const joined = new Promise((resolve) => {
  events.subscribe('user.created', (data) => {
    console.log('New user:', data.name);
    resolve(data);
  });
});
const noted = new Promise((resolve) => {
  const stop = events.subscribe('notification.sent', (note) => {
    if (note.to !== 'accounts') return;
    console.log('Noted:', note.text);
    stop();
    resolve(note);
  });
});

// Tell.
events.publish('order.completed', { orderId: 456, total: 99.99 });
await noted;

// Ask, and tell what came of it.
const user = await service.createUser({ name: 'Grace Hopper', email: `grace-${Date.now()}@example.com` });
events.publish('user.created', { id: user.id, name: user.name });
await joined;

// Ask for many, one by one.
for await (const each of service.exportUsers()) {
  console.log('User:', each.name);
}

// A failure has a code.
try {
  await service.getUserById(-1);
} catch (error) {
  console.log('Refused:', error.code);
}

// What listens keeps a program running.
events.$close();
