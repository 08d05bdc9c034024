// The conversations of spec/conversations/client that take long are held by a
// clock whose time passes when everybody waits. It has to be there before the
// first timer, so these have a file of their own.
import test from 'node:test';

import { Clock } from './clock.js';
import { conversations } from './conversation.js';
import { hold } from './dialogue.js';

const LONG = new Set([
  'DEADLINE_EXCEEDED: thirty seconds where nothing else is said',
  'CONNECTION_LOST: the service says nothing any more',
  'a service that answers pings may take its time',
]);

const clock = new Clock();

// Without a timeout: in Deno the clock would have it pass.
for (const conversation of conversations('client/errors.txt')) {
  if (LONG.has(conversation.name)) test(conversation.name, () => hold(conversation, clock));
}
