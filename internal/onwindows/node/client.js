// Calls getUserById of the service at a pipe, one JSON text a line, and
// prints the answers. Usage: node client.js \\.\pipe\NAME ID…
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [path, ...ids] = process.argv.slice(2);
const socket = connect(path);
socket.on('error', (error) => { console.log(`error: ${error.message}`); process.exit(1); });

let id = 0;
const ask = () => socket.write(JSON.stringify({
  messageId: `node-000${id}`, type: 'request', channel: 'database-service.getUserById', data: [Number(ids[id])],
}) + '\n');

createInterface({ input: socket }).on('line', (line) => {
  const answer = JSON.parse(line);
  console.log(JSON.stringify([answer.correlationId, answer.type, answer.data ?? answer.error?.code]));
  if (++id < ids.length) ask();
  else socket.end();
});
socket.on('close', () => console.log('closed'));
ask();
