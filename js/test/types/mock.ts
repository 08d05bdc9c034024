import { mock, restoreAll } from '@ekkojs/ipc/testing';
const db = mock('database-service', {
  getUserById: async (id) => ({ id: id + 1, name: 'x' }),
  exportUsers: async function* () { yield { id: 1 }; },
});
mock('database-service', { getUserById(id) { this.signal; return { id, name: this.method }; }, exportUsers: () => [{ id: 1 }] });
mock('anything', { whatever: (a: number) => a });
mock('database-service', {}, { manifest: null });
await db.emit('user.created', { id: 1, name: 'x' });
db.calls[0]?.method.length; db.published[0]?.event.length; db.callsOf('getUserById').length;
db.forget(); db.restore(); restoreAll();
// @ts-expect-error a wrong result
mock('database-service', { getUserById: async (id) => ({ id }) });
// @ts-expect-error a wrong parameter
mock('database-service', { getUserById: (id: string) => ({ id: 1, name: id }) });
// @ts-expect-error a wrong item
mock('database-service', { exportUsers: () => ['x'] });
// @ts-expect-error a method that there is not
mock('database-service', { getUserByID: async (id: number) => ({ id, name: '' }) });
// @ts-expect-error no method of the service
mock('database-service', { publish: () => 1 });
// @ts-expect-error a handler that is none
mock('anything', { a: 5 });
// @ts-expect-error a wrong option
mock('anything', {}, { manifets: null });
// @ts-expect-error a wrong payload
await db.emit('user.created', { id: 'x' });
// @ts-expect-error an event that there is not
await db.emit('user.craeted', { id: 1, name: 'x' });
await mock('anything').emit('whatever', 1); await mock('anything').emit('whatever');
