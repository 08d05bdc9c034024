// Written by "ekko-ipc gen ekkojs", and written anew by it: what is changed here
// is lost.

import { bind as $bind, service as $open } from './client';

const $service = $open('names-of.all-kinds', 'tcp:127.0.0.1:7000', globalThis.JSON.parse('{"service":{"name":"names-of.all-kinds","description":"*/ declare const broken: 1; /* ` ${x} \' \\" \\\\ \\n@deprecated not at all\\u2028// next\\r\\nlast"},"types":{"Promise":{"then":"string"},"Record":"Promise[]","number_":"number","delete":{"delete":"delete[]?"},"user":{"name":"string"},"User":{"name":"string"},"Client":"user","context":"string","ipc":{"a":"context"},"_":"string","_1":"string","EkkoIpc":{"x":"Record"},"Strange":{"with space":"string","quo\\"te":"string","back`tick":"string","a\'b":"string","line\\nbreak":"number?","*/":"string","":"string","ü":"string","🙂":"string","__proto__":"string","constructor":"string"},"Usual":{"a-b":"string","a_b":"string","A_b":"string","1st":"integer","type":"string","ref_":"string","id":"number","userId":"number","url":"string"}},"methods":{"subscribe":{"parameters":[{"name":"a","type":"number"}],"returns":{"type":"string"}},"publish":{"parameters":[]},"on":{},"then":{"parameters":[]},"constructor":{"parameters":[]},"default":{"parameters":[]},"delete":{"description":"Deletes */ it","parameters":[{"name":"delete","type":"delete"}],"returns":{"type":"boolean"}},"await":{"parameters":[]},"close":{"parameters":[],"deprecated":"`*/ because\\n@param x"},"Close":{"parameters":[]},"user.get":{"parameters":[{"name":"user-id","type":"number"},{"name":"user_id","type":"number"},{"name":"ctx","type":"string"},{"name":"c","type":"string"},{"name":"type","type":"string","default":"*/ `"}],"returns":{"type":"User","description":"*/ @throws nothing"}},"user-get":{"parameters":[{"name":"this","type":"string","description":"@returns */ ` nothing"},{"name":"arguments","type":"string"}]},"9lives":{"parameters":[],"errors":{"APP_X":"*/\\n`\'\\"\\\\ @throws","APP_Y":""}},"toString":{"parameters":[],"returns":{"type":"string"}},"service":{"parameters":[]},"Promise":{"parameters":[],"returns":{"type":"Promise"}},"undefined":{"parameters":[]},"func":{"parameters":[{"name":"func","type":"string"},{"name":"string","type":"any"},{"name":"error","type":"any"},{"name":"nil","type":"any"},{"name":"h","type":"any"},{"name":"s","type":"any"},{"name":"r","type":"any"},{"name":"ipc","type":"any"},{"name":"args","type":"any"},{"name":"_","type":"any"},{"name":"context","type":"any"}]},"-":{"parameters":[]},"_":{"parameters":[]}},"events":{"user.created":{"schema":"User","description":"*/ `"},"user-created":{"schema":{"$ref":"#/types/Strange"}},"delete":{"deprecated":"*/"}},"channels":{"all.of.them":{"description":"*/ ` it","events":["user.*","delete"]},"user.created":{"type":"queue"},"default":{}}}'));
export default $service;

export const Close = $bind($service, 'Close');

export const Promise = $bind($service, 'Promise');

export const _ = $bind($service, '_');

const $await = $bind($service, 'await');
export { $await as await };

export const close = $bind($service, 'close');

export const constructor = $bind($service, 'constructor');

const $delete = $bind($service, 'delete');
export { $delete as delete };

export const func = $bind($service, 'func');

export const on = $bind($service, 'on');

export const publish = $bind($service, 'publish');

export const service = $bind($service, 'service');

export const subscribe = $bind($service, 'subscribe');

export const toString = $bind($service, 'toString');

const $undefined = $bind($service, 'undefined');
export { $undefined as undefined };
