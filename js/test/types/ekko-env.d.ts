interface EkkoIpcServices {
  'database-service': import('@ekkojs/ipc').ServiceBase<{ 'user.created': { id: number; name: string } }> & {
    getUserById(id: number): Promise<{ id: number; name: string }>;
    exportUsers(): import('@ekkojs/ipc').ItemStream<{ id: number }>;
  };
}
interface EkkoIpcContracts {
  'database-service': {
    methods: { getUserById(id: number): Promise<{ id: number; name: string }>; exportUsers(): import('@ekkojs/ipc').ItemStream<{ id: number }>; addUsers(group: string, users: AsyncIterable<{ id: number }> | Iterable<{ id: number }>): Promise<number>; tidy(): Promise<null> };
    events: { 'user.created': { id: number; name: string } };
    channels: { users: 'user.created'; news: 'news' };
  };
}
declare module 'ipc:database-service' {
  const service: EkkoIpcServices['database-service'];
  export default service;
}
