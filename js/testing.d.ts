// Types of @ekkojs/ipc/testing.
import type { HandlerContext, Manifest } from './index.js';

/** What a mocked method may return, for what the real one does. */
export type MockResult<Result> =
  Result extends AsyncIterableIterator<infer Item> ? AsyncIterable<Item> | Iterable<Item> | Promise<AsyncIterable<Item> | Iterable<Item>>
  : Result extends Promise<infer Value> ? Value | Promise<Value>
  : unknown;

/** The methods of a service, each of which a mock may have. */
export type MockHandlers<Service> = {
  readonly [Name in keyof Service as Name extends 'subscribe' | 'publish' | 'on' | `$${string}` ? never : Name]?:
    Service[Name] extends (...args: infer Args) => infer Result ? (this: HandlerContext, ...args: Args) => MockResult<Result> : never;
};

export interface MockOptions {
  /** What the mock is held to. Default: the manifest that is found by the name. null: nothing. */
  readonly manifest?: Manifest | null;
}

/** A call that was made: what it was given has been to JSON and back. */
export interface MockCall {
  readonly method: string;
  readonly args: readonly any[];
}

/** An event that the program has published. */
export interface MockEvent {
  readonly event: string;
  readonly data: any;
}

/** What a test holds of the service that it stands in for. */
export interface Mock extends Disposable {
  readonly name: string;
  /** The calls that were made, in order; the last 10,000. */
  readonly calls: readonly MockCall[];
  /** What the program has published, in order; the last 10,000. */
  readonly published: readonly MockEvent[];
  /** The arguments of each call of a method. */
  callsOf(method: string): readonly (readonly any[])[];
  /** Publishes an event as the service. When it is done, who had subscribed before has been told. */
  emit(event: string, data?: unknown): Promise<void>;
  /** Empties calls and published. */
  forget(): void;
  /** Gives the name back to the real service. Subscriptions end with the mock. */
  restore(): void;
}

/** The handlers of a service of that name: typed where the name is known. */
export type HandlersOf<Name extends string> = Name extends keyof EkkoIpcServices ? MockHandlers<EkkoIpcServices[Name]>
  : Readonly<Record<string, (this: HandlerContext, ...args: any[]) => unknown>>;

/** Puts a service of these handlers in the place of the real one, for imports and calls alike. */
export function mock<Name extends string>(name: Name, handlers?: HandlersOf<Name>, options?: MockOptions): Mock;

/** Gives the names of all mocks back to the real services. */
export function restoreAll(): void;
