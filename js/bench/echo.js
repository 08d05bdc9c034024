// A plain echo: what a socket of Node's can do, with nothing on top of it.
import net from 'node:net';

net.createServer((socket) => socket.on('data', (chunk) => socket.write(chunk)).on('error', () => {})).listen(process.argv[2], () => console.log('ready'));
