// Types of @ekkojs/ipc.

declare global {
  // What a program's own libraries may lack; where they have them, these add nothing.
  interface AbortSignal {}
  interface Disposable {}
  interface AsyncDisposable {}
  /** The services that are known by their types: name → { methods, events, … }. */
  interface EkkoIpcServices {}
  /** What services promise, by name: { methods, events, channels }. `ekko-ipc gen ts` writes it, and serve is typed by it. */
  interface EkkoIpcContracts {}
}

/** Everything that goes wrong between services. Decide by its code. */
export class IpcError extends Error {
  /**
   * A handler throws one to answer with a code: one that services may use, such
   * as NOT_FOUND, or one of its own, which begins with APP_.
   */
  constructor(code: string, message?: string, options?: IpcErrorOptions);
  readonly name: 'IpcError';
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly service?: string;
  readonly method?: string;
  /** Whether the work was done. */
  readonly executed: Executed;
  /** Whether asking again may help. */
  readonly retryable: boolean;
}

export type Executed = 'no' | 'yes' | 'maybe';

export interface IpcErrorOptions {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly service?: string;
  readonly method?: string;
  readonly cause?: unknown;
  readonly executed?: Executed;
  readonly retryable?: boolean;
}

/** Options of calls: service.$with(options).method(…). */
export interface CallOptions {
  /** How long to wait, in milliseconds; 0: without end. Default: the manifest's, or 30,000. */
  readonly timeout?: number;
  /** Ends the call with signal.reason. */
  readonly signal?: AbortSignal;
  /** A key under which the service executes an idempotent method once, however often it is called. */
  readonly idempotencyKey?: string;
}

/** What of a stream was lost before an event. */
export interface Gap {
  readonly from: number;
  readonly to?: number;
  /** slow-consumer, expired, data-loss, lost or restarted. */
  readonly reason: string;
  /** How many events; absent if nobody knows. */
  readonly count?: number;
}

export interface IpcEvent<Data = any> {
  /** The event's name. */
  readonly channel: string;
  readonly data: Data;
  readonly id: string;
  readonly timestamp: string;
  readonly stream: string;
  readonly seq: number;
  readonly epoch: string;
  /** What was lost before it. */
  readonly gap?: Gap;
  /** It is a state, and not a change of it. */
  readonly snapshot?: boolean;
  /** Of events of a group: somebody may have had it before. */
  readonly redelivered?: boolean;
  /** Of events of a group: how often it was delivered. */
  readonly deliveries?: number;
}

/** An event that comes again until it is acknowledged. */
export interface GroupEvent<Data = any> extends IpcEvent<Data> {
  readonly settled: boolean;
  /** It is done. */
  ack(): Promise<void>;
  /** It comes again, after delay milliseconds. */
  nak(delay?: number): Promise<void>;
  /** Nobody will be able to handle it. */
  reject(reason?: string): Promise<void>;
}

export interface SubscribeOptions {
  readonly signal?: AbortSignal;
  /** Where to begin. Default 'new'. */
  readonly from?: 'new' | 'first' | 'last' | 'snapshot' | Date | { readonly epoch: string; readonly seq: number };
  /** A condition on the data, tested by the service. */
  readonly filter?: string;
  /** Be one of the members of a group. */
  readonly group?: string;
  /** A name under which the service remembers what was acknowledged. */
  readonly durable?: string;
  /** How many events may be unacknowledged. Default 100. */
  readonly credit?: number;
  /** How long an event may be, in milliseconds. Default 30,000. */
  readonly ackWait?: number;
  /** auto (default): by going on, or when the listener is through. manual: by event.ack(). */
  readonly ack?: 'auto' | 'manual';
  /** What the service does when it would have to drop events. Default 'drop-oldest'. */
  readonly onSlow?: 'drop-oldest' | 'disconnect';
}

export interface ListenOptions extends SubscribeOptions {
  /** Is told why a subscription has ended. Without it that is an uncaught error. */
  readonly onError?: (error: Error) => void;
}

export interface LoopOptions extends SubscribeOptions {
  /** How many events wait for the loop. Default 1024. */
  readonly limit?: number;
  /** What becomes of more. Default 'drop-oldest'. 'error' ends the loop with SLOW_CONSUMER. */
  readonly overflow?: 'drop-oldest' | 'drop-newest' | 'error';
}

/** Ends a subscription. */
export interface Stop extends Disposable {
  (): void;
}

/** Events for a loop: for await (const event of stream). */
export interface EventStream<Data = any> extends AsyncIterableIterator<IpcEvent<Data>>, AsyncDisposable {
  /** How many events were lost: here, or on the way. */
  readonly dropped: number;
}

/** What a method answers that streams. */
export interface ItemStream<Item = any> extends AsyncIterableIterator<Item>, AsyncDisposable {}

export interface PublishOptions {
  /** Have a receipt, in a promise. */
  readonly confirm?: boolean;
  /** The event's own id, the same if it is published again. */
  readonly id?: string;
}

export interface Receipt {
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly receivers: number;
  readonly behind: number;
  readonly duplicate?: boolean;
}

/** The events of a service by name, as far as they are known. */
export type EventMap = Record<string, any>;

/** What every service has besides its methods. */
export interface ServiceBase<Events extends EventMap = EventMap> {
  /** Calls a listener with each event that the pattern matches. */
  subscribe<Name extends keyof Events & string>(event: Name, listener: (data: Events[Name], event: IpcEvent<Events[Name]>) => unknown, options?: ListenOptions): Stop;
  subscribe(pattern: string, listener: (data: any, event: any) => unknown, options?: ListenOptions): Stop;
  /** The events that the pattern matches, for a loop. */
  on<Name extends keyof Events & string>(event: Name, options?: LoopOptions): EventStream<Events[Name]>;
  on(pattern: string, options?: LoopOptions): EventStream;
  /**
   * Publishes an event. It never throws for the service's sake: what is refused
   * is a warning. With confirm or an id, and on a channel that keeps its events,
   * it returns a promise of the receipt; so it does while it is not known what
   * the channel of a service keeps that was found by its address, and then the
   * promise may turn out to be of nothing.
   */
  publish<Name extends keyof Events & string>(event: Name, data: Events[Name], options: PublishOptions & { readonly confirm: true }): Promise<Receipt>;
  publish<Name extends keyof Events & string>(event: Name, data: Events[Name], options?: PublishOptions): Promise<Receipt | undefined> | undefined;
  /** Calls a method by a name that is not known, or reserved. */
  $call(method: string, ...args: unknown[]): Promise<any>;
  /** The same for a method that streams. */
  $stream(method: string, ...args: unknown[]): ItemStream;
  /** Calls a method and asks for no answer. */
  $notify(method: string, ...args: unknown[]): void;
  /** Makes many calls at once: [method, ...arguments] each. */
  $batch(calls: ReadonlyArray<readonly [method: string, ...args: unknown[]]>): Promise<PromiseSettledResult<any>[]>;
  /**
   * Leaves an event with the service, which publishes it when this process is
   * gone without $close: ended, killed, crashed or hung. A later one takes its
   * place, null takes it back. It is left again by each new connection, and
   * does not keep the process running.
   */
  $will(event: string, data?: unknown): Promise<void>;
  $will(event: null): Promise<void>;
  /** The same service with options for each call. */
  $with(options: CallOptions): this;
  /** Ends the connection, its calls and subscriptions. */
  $close(): void;
  readonly $manifest: Manifest | undefined;
  readonly $address: string;
}

/** A service of which nothing more is known. */
export type AnyService = ServiceBase & { readonly [method: string]: any };

/** A manifest, as docs/manifest.md has it. */
export interface Manifest {
  readonly service: { readonly name: string; readonly version?: string; readonly description?: string; readonly transport?: object };
  readonly methods?: Readonly<Record<string, object>>;
  readonly events?: Readonly<Record<string, object>>;
  readonly channels?: Readonly<Record<string, object>>;
  readonly types?: Readonly<Record<string, unknown>>;
}

export interface ConnectOptions {
  /** The timeout of calls, in milliseconds. */
  readonly timeout?: number;
  /** The longest message that is sent and received, in bytes. Default 1 MiB to send, 16 MiB - 1 to receive. */
  readonly maxFrame?: number;
  /** How often a call may be made again that did not run, or is idempotent. Default 2. */
  readonly retries?: number;
  readonly manifest?: Manifest;
}

/** import('ipc:name') as a function. It takes an address, too. */
export function connect<Name extends keyof EkkoIpcServices & string>(name: Name, options?: ConnectOptions): Promise<EkkoIpcServices[Name] & ServiceBase>;
export function connect(nameOrAddress: string, options?: ConnectOptions): Promise<AnyService>;

/** Who calls: known is false unless the service has the option identify. */
export interface Caller {
  readonly known: boolean;
  readonly uid?: number;
  readonly gid?: number;
  readonly pid?: number;
  /** The program's path. */
  readonly exe?: string;
  readonly roles: readonly string[];
}

/** The client whose call runs. */
export interface Client {
  /** Calls a method that the client offers, within the time of the call that runs. */
  $call(method: string, ...args: unknown[]): Promise<any>;
}

/** The `this` of a handler. */
export interface HandlerContext {
  /** Who calls, to be called back. */
  readonly client: Client;
  readonly caller: Caller;
  /** Ends when the caller gives up, or its time is up. */
  readonly signal: AbortSignal;
  readonly deadline: Date | undefined;
  readonly method: string;
  readonly service: string;
}

export type Handlers = Readonly<Record<string, (...args: any[]) => unknown>>;

// What a client streams comes to a handler as what a for await takes.
type Received<Argument> = [Extract<Argument, AsyncIterable<any>>] extends [never] ? Argument : Extract<Argument, AsyncIterable<any>>;
type ReceivedAll<Arguments extends readonly unknown[]> = { [Index in keyof Arguments]: Received<Arguments[Index]> };
// Nothing is written down as null.
type Answer<Result> = Result | Promise<Result> | (null extends Result ? void | Promise<void> : never);
type Answers<Item> = AsyncIterable<Item> | Iterable<Item> | Promise<AsyncIterable<Item> | Iterable<Item>>;

/** The handler of a method, by what a client knows of the method. */
export type HandlerOf<Method> = Method extends (...args: infer Arguments) => AsyncIterableIterator<infer Item> ? (...args: ReceivedAll<Arguments>) => Answers<Item>
  : Method extends (...args: infer Arguments) => Promise<infer Result> ? (...args: ReceivedAll<Arguments>) => Answer<Result>
  : never;

/** The handlers of a service: all of its methods, if it is known what it promises. */
export type HandlersOf<Name extends string> = Name extends keyof EkkoIpcContracts
  ? EkkoIpcContracts[Name] extends { methods: infer Methods } ? { readonly [Method in keyof Methods]: HandlerOf<Methods[Method]> } : Handlers
  : Handlers;

/** What a service may publish: its events, and under the names of its channels anything. */
export type EventsOf<Name extends string> = Name extends keyof EkkoIpcContracts
  ? EkkoIpcContracts[Name] extends { events: infer Events; channels: infer Channels } ? Events & { readonly [Channel in Exclude<keyof Channels, keyof Events>]: unknown } : EventMap
  : EventMap;

export interface ServeOptions {
  /** Closes the service. */
  readonly signal?: AbortSignal;
  /** Where to serve: unix:/path. Default: as the manifest says. */
  readonly address?: string;
  /** The longest message that is read and sent, in bytes. Default 1 MiB. */
  readonly maxFrame?: number;
  /** How many requests may wait, for each method with a `concurrency` and in all. Default 1,024. */
  readonly maxQueued?: number;
  /** How many clients may be connected. Default 4,096. */
  readonly maxConnections?: number;
  /** How many bytes of events may wait for clients that are slow, all together. Default 64 MiB. */
  readonly maxHeld?: number;
  /**
   * Have the kernel say who each client is, by a program that is started for each connection: perl or python3, on Linux.
   * It costs some 10 ms of each connection, and nothing of a call. Default false.
   */
  readonly identify?: boolean;
  /**
   * By event or channel the state that `from: 'snapshot'` begins with. What is published after the function was called
   * comes after the state; where it returns a promise, the state may have some of that in it already.
   */
  readonly snapshots?: Readonly<Record<string, () => unknown>>;
}

/** A service of this process. */
export interface Service<Events extends EventMap = EventMap> extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly addresses: readonly string[];
  readonly manifest: Manifest;
  publish<Name extends keyof Events & string>(event: Name, data: Events[Name], options: PublishOptions & { readonly confirm: true }): Promise<Receipt>;
  publish<Name extends keyof Events & string>(event: Name, data: Events[Name], options?: PublishOptions): Promise<Receipt> | undefined;
  subscribe<Name extends keyof Events & string>(event: Name, listener: (data: Events[Name], event: IpcEvent<Events[Name]>) => unknown, options?: ListenOptions): Stop;
  subscribe(pattern: string, listener: (data: any, event: IpcEvent) => unknown, options?: ListenOptions): Stop;
  on<Name extends keyof Events & string>(event: Name, options?: LoopOptions): EventStream<Events[Name]>;
  on(pattern: string, options?: LoopOptions): EventStream;
  /** Stops accepting, and waits for the calls that run: 5 s at most. */
  close(): Promise<void>;
  ref(): this;
  unref(): this;
}

/** Serves the functions of an object under a name. */
export function serve<Name extends string>(name: Name, handlers: HandlersOf<Name> & ThisType<HandlersOf<Name> & HandlerContext>, options?: ServeOptions): Promise<Service<EventsOf<Name>>>;
/** Serves what a manifest promises. */
export function serve<H extends Handlers>(service: { readonly manifest: Manifest; readonly methods: H & ThisType<H & HandlerContext> } & ServeOptions): Promise<Service>;

/** The `this` of the handler that runs, for arrow functions: before its first await. */
export function context(): HandlerContext;
