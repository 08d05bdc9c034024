// Reads [{frame, text, values}] from stdin: a frame, and what Go read in it.
// Prints each difference to what JSON.parse reads.
import { readFileSync } from 'node:fs';

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

for (const { frame, text, values } of JSON.parse(readFileSync(0, 'utf8'))) {
  let message;
  try {
    message = JSON.parse(frame);
  } catch (error) {
    console.log(`refused by node: ${frame.slice(0, 200)}: ${error.message}`);
    continue;
  }
  for (const name of ['messageId', 'channel', 'action', 'correlationId', 'timestamp']) {
    const own = Object.hasOwn(message, name) ? message[name] : undefined;
    const seen = typeof own === 'string' ? own : undefined;
    if (seen !== text[name]) console.log(`${name} is ${own} in node, ${text[name]} in Go: ${frame.slice(0, 200)}`);
  }
  for (const name of ['data', 'error', 'metadata']) {
    const present = Object.hasOwn(message, name) && (name === 'data' || message[name] !== null);
    const raw = values[name];
    if (present !== (raw !== undefined) || (present && !same(message[name], JSON.parse(raw)))) {
      console.log(`${name} differs: ${frame.slice(0, 200)}`);
    }
  }
}
