// Written by "ekko-ipc gen ekkojs", and written anew by it: what is changed here
// is lost.

import { bind as $bind, service as $open } from './client';

const $service = $open('bare', 'tcp:127.0.0.1:7000', globalThis.JSON.parse('{"service":{"name":"bare"}}'));
export default $service;
