// Makes Node as much of an EkkoJS runtime as a client can tell.
import module from 'node:module';

module.register('./hooks.js', import.meta.url);
globalThis.Buffer = undefined;
