// Types of @ekkojs/ipc/testing.
import type { EventMap, EventsOf, HandlerContext, HandlersOf, Manifest } from './index.js';

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
export interface Mock<Events extends EventMap = EventMap> extends Disposable {
  readonly name: string;
  /** The calls that were made, in order; the last 10,000. */
  readonly calls: readonly MockCall[];
  /** What the program has published, in order; the last 10,000. */
  readonly published: readonly MockEvent[];
  /** The arguments of each call of a method. */
  callsOf(method: string): readonly (readonly any[])[];
  /** Publishes an event as the service. When it is done, who had subscribed before has been told. */
  emit<Name extends keyof Events & string>(event: Name, ...data: unknown extends Events[Name] ? [data?: unknown] : [data: Events[Name]]): Promise<void>;
  /** Empties calls and published. */
  forget(): void;
  /** Gives the name back to the real service. Subscriptions end with the mock. */
  restore(): void;
}

/** Puts a service of these handlers in the place of the real one, for imports and calls alike. */
export function mock<Name extends string>(name: Name, handlers?: Partial<HandlersOf<Name>> & ThisType<HandlerContext>, options?: MockOptions): Mock<EventsOf<Name>>;

/** Gives the names of all mocks back to the real services. */
export function restoreAll(): void;
