// A worker. It takes notes from the outbox, one by one; as many mailers as there
// are share them, and what one could not mail is given to another.
//
//     ekko-ipc run examples/notification-service/mailer.ts
import notifications from 'ipc:notification-service';

notifications.subscribe('outbox', async (note, event) => {
  // A note is acknowledged when this is through. If it throws, the note comes
  // again, and after five times it is a dead letter: ekko-ipc dlq show
  // notification-service.outbox
  if (note.to === 'nobody') return event.reject('nobody has no address');
  console.log(`mailed to ${note.to}: ${note.text}`);
}, { group: 'mailers', credit: 1 });

console.log('mailer ready');
