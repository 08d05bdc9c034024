// Written by "ekko-ipc gen ekkojs", and written anew by it: what is changed here
// is lost.

import { bind as $bind, service as $open } from './client';

const $service = $open('streams', 'tcp:127.0.0.1:7000', globalThis.JSON.parse('{"service":{"name":"streams"},"types":{"User":{"name":"string","age":"integer?"}},"methods":{"export":{"description":"All users, one by one","parameters":[{"name":"limit","type":"integer","default":3}],"stream":"server","returns":{"type":"User"}},"import":{"parameters":[{"name":"group","type":"string","required":false}],"stream":"client","items":{"type":"User"},"returns":{"type":"integer"}},"shout":{"parameters":[{"name":"loud","type":"boolean"}],"stream":"both","items":{"type":"string"},"returns":{"type":"string"}},"copy":{"parameters":[],"stream":"both"},"anything":{"stream":"client"},"everything":{"stream":"server"},"whatever":{"stream":"both"},"both":{"parameters":[{"name":"a","type":"integer"},{"name":"items","type":"integer[]","required":false}],"stream":"server","returns":{"type":"integer","nullable":true}},"sum":{"parameters":[{"name":"items","type":"integer"}],"stream":"client","items":{"type":"integer"}}}}'));
export default $service;

export const anything = $bind($service, 'anything');

export const both = $bind($service, 'both');

export const copy = $bind($service, 'copy');

export const everything = $bind($service, 'everything');

const $export = $bind($service, 'export');
export { $export as export };

const $import = $bind($service, 'import');
export { $import as import };

export const shout = $bind($service, 'shout');

export const sum = $bind($service, 'sum');

export const whatever = $bind($service, 'whatever');
