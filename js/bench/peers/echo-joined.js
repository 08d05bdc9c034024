// The plain echo, with what either end has to write in one turn joined into one
// write: the most that a socket of Node's carries.
import { exchange, joined, listen } from './echo.js';

export const serve = (dir) => listen(dir, (socket) => (chunk) => socket.write(chunk));
export const dial = (address) => exchange(address, joined);
