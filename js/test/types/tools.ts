import '@ekkojs/ipc/register';
import { esbuild, rollup, vite, webpack } from '@ekkojs/ipc/bundler';
const name: string = rollup().name;
const when: 'pre' = vite({ mode: 'external' }).enforce;
esbuild({ mode: 'generate' }).setup; webpack({}).apply; name; when;
// @ts-expect-error a wrong mode
vite({ mode: 'inline' });
// @ts-expect-error a wrong option
rollup({ moed: 'generate' });

import { IpcError as BrowserError, connect } from '@ekkojs/ipc/browser';
const remote = await connect('database-service', { url: 'wss://example.com/ipc', timeout: 5 });
(await remote.getUserById(1)).name.length; (await connect('anything', { url: '/ipc' })).whatever(1); BrowserError;
// @ts-expect-error a wrong argument
await remote.getUserById('1');
// @ts-expect-error no url
await connect('database-service', {});
