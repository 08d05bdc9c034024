import service from 'ipc:database-service';
import { IpcError, connect, context, serve } from '@ekkojs/ipc';
const user = await service.getUserById(123);
user.name.toUpperCase();
const stop = service.subscribe('user.created', (data, event) => { data.id.toFixed(); event.seq.toFixed(); });
stop();
for await (const { data, gap } of service.on('user.created', { limit: 10, overflow: 'error' })) { data.name.length; gap?.from.toFixed(); }
for await (const item of service.exportUsers()) item.id.toFixed();
service.publish('user.created', { id: 1, name: 'x' });
const receipt = await service.publish('user.created', { id: 1, name: 'x' }, { confirm: true });
receipt.seq.toFixed();
await service.$with({ timeout: 5 }).getUserById(1);
const other = await connect('anything'); await other.whatever(1, 'x');
const same = await connect('database-service'); (await same.getUserById(1)).id.toFixed();
const svc = await serve('x', { getUser(id: number) { this.signal; this.caller.known; return this.method + id; }, arrow: () => context().deadline });
svc.publish('a', 1); await svc.close();
try { throw new IpcError('APP_X', 'x', { details: { a: 1 } }); } catch (e) { if (e instanceof IpcError) { const c: string = e.code; const x: 'no' | 'yes' | 'maybe' = e.executed; c; x; } }

const served = await serve('database-service', {
  async getUserById(id) { this.signal; id.toFixed(); return { id, name: 'Ada', more: true }; },
  async* exportUsers() { yield { id: 1 }; },
  async addUsers(group, users) { let sum = group.length; for await (const { id } of users) sum += id; return sum; },
  tidy() {},
}, { signal: undefined });
served.publish('user.created', { id: 1, name: 'x' }); served.publish('news', { any: 'thing' });
served.subscribe('user.created', ({ name }) => name.length); for await (const { data } of served.on('user.created')) data.id.toFixed();
await serve('database-service', { getUserById: async (id) => ({ id, name: '' }), exportUsers: () => [{ id: 1 }], addUsers: () => 1, tidy: async () => {} });
await serve('y', { async ask() { return (await this.client.$call('advise', 1)) as string; } }, { maxQueued: 5, maxConnections: 5, maxHeld: 1024, snapshots: { prices: () => ({ tea: 1 }) } });
