// Routes: what is always the same in the calls of a method.
import { isName } from './name.js';

/** DEFAULT_TIMEOUT is how long a call waits that nothing else is said of. */
export const DEFAULT_TIMEOUT = 30_000;

const MOST_ROUTES = 4096;

export class Routes {
  #service;
  #timeout;
  #methods;
  #known = new Map(); // by method

  // service is the name; undefined if it is not known. timeout is the program's.
  constructor(service, timeout, manifest) {
    this.#service = service;
    this.#timeout = timeout;
    this.#methods = manifest?.methods ?? {};
  }

  /** of returns the route of a method. */
  of(method) {
    let route = this.#known.get(method);
    if (route === undefined) {
      route = this.#make(method);
      if (this.#known.size >= MOST_ROUTES) this.#known.clear();
      this.#known.set(method, route);
    }
    return route;
  }

  /** renew is called when the manifest is another one. Who has a route has it renewed. */
  renew(manifest) {
    this.#methods = manifest.methods ?? {};
    for (const [method, route] of this.#known) Object.assign(route, this.#make(method));
  }

  #make(method) {
    const declared = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined;
    const action = JSON.stringify(method);
    const channel = method.startsWith('ipc.') ? action : this.#service === undefined ? undefined : JSON.stringify(`${this.#service}.${method}`);
    return {
      name: method,
      valid: isName(method),
      open: '{"type":"request","messageId":"',
      head: channel === undefined ? `","action":${action}` : channel === action ? `","channel":${channel}` : `","channel":${channel},"action":${action}`,
      timeout: this.#timeout ?? declared?.timeout ?? DEFAULT_TIMEOUT,
      told: this.#timeout, // what the service has to be told, because it cannot know
      more: '',
      idempotent: declared?.idempotent === true,
      stream: declared?.stream,
    };
  }
}
