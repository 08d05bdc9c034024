interface EkkoIpcServices {
  'database-service': import('@ekkojs/ipc').ServiceBase<{ 'user.created': { id: number; name: string } }> & {
    getUserById(id: number): Promise<{ id: number; name: string }>;
    exportUsers(): import('@ekkojs/ipc').ItemStream<{ id: number }>;
  };
}
declare module 'ipc:database-service' {
  const service: EkkoIpcServices['database-service'];
  export default service;
}
