// Types of @ekkojs/ipc/browser.
import type { AnyService, Manifest, ServiceBase } from './index.js';

export { IpcError } from './index.js';

export interface GatewayOptions {
  /** Where the gateway is: ws:, wss:, http: or https:; of a page it may be relative. */
  readonly url: string | { readonly href: string };
  /** Subprotocols that the WebSocket asks for. */
  readonly protocols?: string | string[];
  /** What the service promises. */
  readonly manifest?: Manifest;
  /** The timeout of calls, in milliseconds. Default: the manifest's, or 30,000. */
  readonly timeout?: number;
  /** The longest message that is sent, in bytes. Default 1 MiB. */
  readonly maxFrame?: number;
  /** How often a call may be made again that did not run, or is idempotent. Default 2. */
  readonly retries?: number;
}

/** Gives the service of that name, behind a gateway. It connects with the first call. */
export function connect<Name extends keyof EkkoIpcServices & string>(name: Name, options: GatewayOptions): Promise<EkkoIpcServices[Name] & ServiceBase>;
export function connect(name: string, options: GatewayOptions): Promise<AnyService>;
