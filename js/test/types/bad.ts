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
const right = { getUserById: (id: number) => ({ id, name: '' }), exportUsers: () => [], addUsers: () => 1, tidy() {} };
// @ts-expect-error a method that the service does not promise
await serve('database-service', { ...right, getUser() {} });
// @ts-expect-error a method that is missing
await serve('database-service', { getUserById: right.getUserById });
// @ts-expect-error a wrong result
await serve('database-service', { ...right, getUserById: () => ({ id: 'x', name: '' }) });
// @ts-expect-error a wrong result of a promise
await serve('database-service', { ...right, addUsers: async () => 'one' });
// @ts-expect-error wrong items
await serve('database-service', { ...right, async* exportUsers() { yield { id: 'x' }; } });
// @ts-expect-error a wrong argument
await serve('database-service', { ...right, getUserById: (id: string) => ({ id: 1, name: id }) });
// @ts-expect-error an event that there is not
(await serve('database-service', right)).publish('user.craeted', { id: 1, name: '' });
// @ts-expect-error a wrong payload
(await serve('database-service', right)).publish('user.created', { id: 1 });
// @ts-expect-error a snapshot that is no function
await serve('z', {}, { snapshots: { prices: 5 } });
