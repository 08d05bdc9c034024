// WebSockets that carry one frame a message.
import { LONGEST_FRAME } from './frame.js';
import { Wire, linesOf } from './wire.js';

export class WebSocketWire extends Wire {
  #socket;
  #opened = false;

  constructor(url, protocols) {
    super();
    const socket = this.#socket = new WebSocket(url, protocols);
    socket.onopen = () => {
      this.#opened = true;
      this.emit('connect');
    };
    socket.onmessage = ({ data }) => this.#take(data);
    // Not all say that they are closed when they could not be opened.
    socket.onerror = ({ message, error }) => {
      this.emit('error', new Error(`${url} cannot be reached${message ? `: ${message}` : ''}`, { cause: error }));
      if (!this.#opened) this.emit('close');
    };
    socket.onclose = ({ code, reason }) => {
      // What was closed in order needs no reason.
      if (code !== 1000 && code !== 1005) this.emit('error', new Error(`${url} was closed with code ${code}${reason === '' ? '' : `: ${reason}`}`));
      this.emit('end');
      this.emit('close');
    };
  }

  get writableLength() { return this.#socket.bufferedAmount; }

  #take(data) {
    if (typeof data !== 'string') this.destroy(new Error('the gateway sent bytes: a frame is a message of text'));
    else if (data.length > LONGEST_FRAME) this.destroy(new Error(`the gateway sent a frame of more than ${LONGEST_FRAME} bytes`));
    else this.emit('data', data);
  }

  write(text, written) {
    for (const line of linesOf(text)) this.#socket.send(line);
    if (written !== undefined) queueMicrotask(written);
  }

  /** end closes when what was sent has left. */
  end() { this.#socket.close(1000); }

  // A peer that does not answer the closing would keep it open for minutes.
  destroy(error) {
    this.#socket.close();
    queueMicrotask(() => {
      if (error !== undefined && error !== null) this.emit('error', error);
      this.emit('close');
    });
  }
}
