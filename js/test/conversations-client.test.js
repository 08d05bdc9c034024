// The client is held to spec/conversations/client: the service's side is
// written down there.
import test from 'node:test';

import { conversations } from './conversation.js';
import { hold } from './dialogue.js';

// What is not held here, and why.
const ELSEWHERE = new Map(Object.entries({
  'DEADLINE_EXCEEDED before it is sent': 'a timeout of 0 is none in JavaScript, as in its other libraries',
  'RESPONSE_SCHEMA_MISMATCH: not what the program asked for': 'a program in JavaScript asks for no type',
  'an answer that cannot be read ends its call, and no other': 'JSON.parse reads it: of a name that stands twice the last counts (docs/javascript.md)',
  'INVALID_ARGUMENT: a filter that is none': 'the service says so: to read filters would make all that an import loads a tenth larger',
}));

const LONG = 'takes long: conversations-long.test.js';
for (const name of [
  'DEADLINE_EXCEEDED: thirty seconds where nothing else is said',
  'CONNECTION_LOST: the service says nothing any more',
  'a service that answers pings may take its time',
]) ELSEWHERE.set(name, LONG);

for (const file of ['calls', 'errors', 'events', 'streams']) {
  for (const conversation of conversations(`client/${file}.txt`)) {
    if (ELSEWHERE.has(conversation.name)) continue;
    test(`${file}: ${conversation.name}`, { timeout: 60_000 }, () => hold(conversation));
  }
}
