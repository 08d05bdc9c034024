// Written by "ekko-ipc gen ekkojs", and written anew by it: what is changed here
// is lost.

import { bind as $bind, service as $open } from './client';

const $service = $open('shop', 'tcp:127.0.0.1:7000', globalThis.JSON.parse('{"service":{"name":"shop","version":"2.1.0","description":"Sells things"},"types":{"Money":{"amount":"integer","currency":{"type":"string","pattern":"^[A-Z]{3}$","description":"As ISO 4217 has it"}},"Item":{"sku":"string","price":"Money","tags":"string[]","note":"string?","parts":"Item[]?"},"Basket":"Item[]","Status":{"type":"string","enum":["open","paid","on its way"]},"Order":{"id":"number","status":"Status","lines":"Basket","total":"Money","former":"Order?"}},"methods":{"order":{"description":"Orders what is in the basket.\\nNothing is charged before it is sent.","parameters":[{"name":"basket","type":"Basket","description":"What to order"},{"name":"copies","type":"integer","default":1,"validation":{"minimum":1,"maximum":10}},{"name":"speed","type":"string","required":false,"validation":{"enum":["slow","fast"]}},{"name":"note","type":"string?"}],"returns":{"type":"Order","description":"The order, with its number"},"timeout":20000,"idempotent":true,"concurrency":4,"permissions":["customer"],"errors":[{"code":"APP_SOLD_OUT","description":"One of the items is not there any more"},"NOT_FOUND"]},"find":{"parameters":[{"name":"query","type":"object","schema":{"text":"string","most":"integer?"}}],"returns":{"type":"Order","nullable":true}},"buy":{"parameters":[{"name":"basket","type":"Basket"}],"returns":{"type":"null"},"deprecated":"use order"},"count":{"parameters":[],"returns":{"type":"object","schema":{"orders":"integer","items":"integer"}}},"raw":{}},"events":{"order.placed":{"description":"Somebody has ordered","schema":"Order"},"order.sent":{"schema":{"id":"number","carrier":"string?"},"publish":"service","deprecated":true},"ping":{}},"channels":{"orders":{"description":"What becomes of orders","events":["order.*"],"persistent":true,"retention":{"maxMessages":1000,"maxAge":3600,"maxSize":1048576}},"jobs":{"type":"queue","retention":{"maxMessages":10},"onSlow":"block"},"news":{"type":"broadcast","publish":"service","last":true,"maxSubscribers":10,"onSlow":"disconnect"}}}'));
export default $service;

export const buy = $bind($service, 'buy');

export const count = $bind($service, 'count');

export const find = $bind($service, 'find');

export const order = $bind($service, 'order');

export const raw = $bind($service, 'raw');
