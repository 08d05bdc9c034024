import service from 'ipc:database-service';
import { serve } from '@ekkojs/ipc';
// @ts-expect-error a wrong argument
await service.getUserById('x');
// @ts-expect-error a wrong payload
service.publish('user.created', { id: 'x' });
// @ts-expect-error an event that there is not
service.publish('user.craeted', { id: 1, name: '' });
// @ts-expect-error a wrong option
service.$with({ timeout: '5' });
// @ts-expect-error a wrong overflow
service.on('user.created', { overflow: 'burst' });
// @ts-expect-error no such method
service.nothing();
// @ts-expect-error a handler that is none
await serve('x', { a: 5 });
