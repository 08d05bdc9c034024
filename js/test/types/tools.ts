import '@ekkojs/ipc/register';
import { esbuild, rollup, vite, webpack } from '@ekkojs/ipc/bundler';
const name: string = rollup().name;
const when: 'pre' = vite({ mode: 'external' }).enforce;
esbuild({ mode: 'generate' }).setup; webpack({}).apply; name; when;
// @ts-expect-error a wrong mode
vite({ mode: 'inline' });
// @ts-expect-error a wrong option
rollup({ moed: 'generate' });
