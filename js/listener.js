// Listeners: functions that are told of events.
import { Failure, check, emitWarning, show, stackHere } from './error.js';
import { ReceivedEvent } from './event.js';
import { Subscription } from './subscription.js';

/** An error of the program's own must stop neither other listeners nor the
    socket: it is thrown where nobody stands in its way. */
export const rethrow = (error) => queueMicrotask(() => { throw error; });

export const checkAck = (ack) => check(ack === 'auto' || ack === 'manual', "ack must be 'auto' or 'manual'", ack);

// A listener takes events as they come, so nothing waits for it here.
const LIMITS = { events: 4096, bytes: 8 << 20 };

class Listener {
  subscription;
  #listener;
  #onError;
  #auto;
  #place;

  constructor(listener, onError, auto, place) {
    this.#listener = listener;
    this.#onError = onError;
    this.#auto = auto;
    this.#place = place;
  }

  event(event, cost) {
    if (this.#auto && event instanceof ReceivedEvent) return void this.#handle(event);
    try {
      this.#listener(event.data, event);
    } catch (error) {
      rethrow(error);
    }
    this.subscription?.read(cost);
  }

  // handle acknowledges an event when the listener is through with it, and
  // gives it back if that has failed.
  async #handle(event) {
    const { subscription } = this;
    subscription.detain();
    try {
      await this.#listener(event.data, event);
      if (!event.settled) await event.ack();
    } catch (error) {
      if (!event.settled) event.failed();
      if (this.#onError !== undefined) this.#tell(error);
      else emitWarning(`the listener of ${event.channel} failed, and the event comes again: ${error?.stack ?? show(error)}`);
    } finally {
      subscription.release();
    }
  }

  lost() {}

  end(failure, aborted) {
    if (failure === undefined || aborted) return;
    const error = failure instanceof Failure ? failure.error(this.subscription?.link.name ?? this.#place.name) : failure;
    if (error instanceof Error && this.#place.stack !== undefined) error.stack = `${error.name}: ${error.message}${this.#place.stack}`;
    if (this.#onError === undefined) rethrow(error);
    else this.#tell(error);
  }

  #tell(error) {
    try {
      this.#onError(error);
    } catch (again) {
      rethrow(again);
    }
  }
}

/** subscribe tells a listener of each event, and returns how to stop that. */
export function subscribe(link, pattern, listener, options = {}) {
  check(typeof listener === 'function', 'the listener must be a function', listener);
  check(Object(options) === options, 'the options must be an object', options);
  const { onError, ack = 'auto', ...rest } = options;
  check(onError === undefined || typeof onError === 'function', 'onError must be a function', onError);
  checkAck(ack);
  const sink = new Listener(listener, onError, ack === 'auto', { name: link.name, stack: stackHere() });
  const subscription = sink.subscription = new Subscription(link, pattern, rest, sink, LIMITS);
  const stop = () => { subscription.finish(undefined); };
  if (Symbol.dispose) stop[Symbol.dispose] = stop;
  return stop;
}
