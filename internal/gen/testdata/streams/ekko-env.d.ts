// Written by "ekko-ipc gen ts" from the manifests of the services, and written
// anew by it: what is changed here is lost.

declare module 'ipc:streams' {
  export interface User {
    name: string;
    age?: number | null;
  }

  /** The methods of the service. */
  export interface $Methods {
    anything(...args: [...args: unknown[], items: AsyncIterable<unknown> | Iterable<unknown>]): Promise<unknown>;
    both(a: number, items?: number[]): EkkoIpc.ItemStream<number | null>;
    copy(items: AsyncIterable<unknown> | Iterable<unknown>): EkkoIpc.ItemStream<unknown>;
    everything(...args: unknown[]): EkkoIpc.ItemStream<unknown>;
    /**
     * All users, one by one
     * @param limit Default 3.
     */
    export(limit?: number): EkkoIpc.ItemStream<User>;
    import(group: string | undefined, items: AsyncIterable<User> | Iterable<User>): Promise<number>;
    shout(loud: boolean, items: AsyncIterable<string> | Iterable<string>): EkkoIpc.ItemStream<string>;
    sum(items: number, items2: AsyncIterable<number> | Iterable<number>): Promise<unknown>;
    whatever(...args: [...args: unknown[], items: AsyncIterable<unknown> | Iterable<unknown>]): EkkoIpc.ItemStream<unknown>;
  }

  /** The data of the events. */
  export interface $Events {
  }

  /** The events that travel on each channel. */
  export interface $Channels {
  }

  /** What may be published, and the data of it. */
  export interface $Publishable {
  }

  /** What is kept, so that who publishes it gets a receipt. */
  export type $Kept = never;

  export interface $Service extends $Methods, EkkoIpc.Client<$Service, $Methods, $Events, $Channels, $Publishable, $Kept> {}

  const $service: $Service;
  export default $service;

  export const anything: $Methods['anything'];

  export const both: $Methods['both'];

  export const copy: $Methods['copy'];

  export const everything: $Methods['everything'];

  /**
   * All users, one by one
   * @param limit Default 3.
   */
  const $export: $Methods['export'];
  export { $export as export };

  const $import: $Methods['import'];
  export { $import as import };

  export const shout: $Methods['shout'];

  export const sum: $Methods['sum'];

  export const whatever: $Methods['whatever'];
}

/** The services that can be imported, by name. */
interface EkkoIpcServices {
  streams: import('ipc:streams').$Service;
}

/** What the services promise, by name: the handlers of serve are typed by it. */
interface EkkoIpcContracts {
  streams: { methods: import('ipc:streams').$Methods; events: import('ipc:streams').$Events; channels: import('ipc:streams').$Channels };
}

/** What all services have in common. */
declare namespace EkkoIpc {
  /** The options of `$with`: of each call that is made by what it returns. */
  interface CallOptions {
    /** Milliseconds; 0 is for ever. Default 30,000, or what the method says. */
    timeout?: number;
    signal?: AbortSignal;
    /** The same key makes the service carry out a call once, however often it is sent. */
    idempotencyKey?: string;
  }

  interface SubscribeOptions {
    /** Ends the subscription. */
    signal?: AbortSignal;
    /** Where to begin. Default `'new'`: with the next event. */
    from?: 'new' | 'first' | 'last' | 'snapshot' | Date | { epoch: string; seq: number };
    /** Leaves out events at the service: `total > 100 && country == "DE"`. */
    filter?: string;
    /** Shares the events with others of that name; each has to be acknowledged. */
    group?: string;
    /** Goes on where the subscriber of that name has stopped. */
    durable?: string;
    /** How many events may be unacknowledged. Default 100. */
    credit?: number;
    /** Milliseconds until an event that is not acknowledged comes again. Default 30,000. */
    ackWait?: number;
    /** What the service does when it is too slow. Default as the channel has it. */
    onSlow?: 'drop-oldest' | 'disconnect';
    /** Who acknowledges: the listener's return (or the loop's next turn), or the program. Default `'auto'`. */
    ack?: 'auto' | 'manual';
  }

  interface ListenOptions extends SubscribeOptions {
    /** Is told why the subscription ended, and of failures of the listener. */
    onError?: (error: any) => void;
  }

  interface LoopOptions extends SubscribeOptions {
    /** How many events may wait for the loop. Default 1,024. */
    limit?: number;
    /** What happens beyond that. Default `'drop-oldest'`. */
    overflow?: 'drop-oldest' | 'drop-newest' | 'error';
  }

  interface PublishOptions {
    /** Wait for the receipt. */
    confirm?: boolean;
    /** An event that is published again under its id is there once. */
    id?: string;
  }

  /** What the service says of a published event. */
  interface Receipt {
    readonly stream: string;
    readonly epoch: string;
    readonly seq: number;
    readonly receivers: number;
    readonly behind: number;
    readonly duplicate?: boolean;
  }

  /** What of a stream was lost before an event. */
  interface Gap {
    readonly from: number;
    readonly to?: number;
    readonly count?: number;
    readonly reason: string;
  }

  interface Event<Name extends string, Data> {
    /** The event's name. */
    readonly channel: Name;
    readonly data: Data;
    readonly id: string;
    readonly timestamp: string;
    /** What `seq` counts the events of. */
    readonly stream?: string;
    readonly seq?: number;
    readonly epoch?: string;
    readonly gap?: Gap;
    /** The data is the state of the channel, and not a change of it. */
    readonly snapshot?: boolean;
    /** Only of events that have to be acknowledged, as are the following. */
    readonly redelivered?: boolean;
    readonly deliveries?: number;
    readonly settled?: boolean;
    ack?(): Promise<void>;
    nak?(delay?: number): Promise<void>;
    reject?(reason?: string): Promise<void>;
  }

  /** Ends a subscription. */
  interface Unsubscribe extends Disposable {
    (): void;
  }

  /** Events for a loop; leaving it ends the subscription. */
  interface EventStream<Event> extends AsyncIterableIterator<Event>, AsyncDisposable {
    /** How many events were lost. */
    readonly dropped: number;
  }

  /** What a method answers that streams: items for a loop; leaving it ends the call. */
  interface ItemStream<Item> extends AsyncIterableIterator<Item>, AsyncDisposable {}

  /** The names that a pattern stands for: all that may match it. */
  type Glob<Pattern extends string> =
    Pattern extends `${infer Before}**${infer After}` ? `${Before}${string}${Glob<After>}`
    : Pattern extends `${infer Before}*${infer After}` ? `${Before}${string}${Glob<After>}`
    : Pattern;
  type Names<Pattern extends string, Events, Channels> =
    Pattern extends keyof Channels ? Extract<Channels[Pattern], string>
    : Extract<keyof Events, Glob<Pattern>>;
  type DataOf<Name, Events> = Name extends keyof Events ? Events[Name] : unknown;
  type EventOf<Name, Events> = Name extends string ? Event<Name, DataOf<Name, Events>> : never;
  type Pattern<Events, Channels> = Extract<keyof Events | keyof Channels, string> | `${string}*${string}`;
  type Arguments<Method> = Method extends (...args: infer Args) => unknown ? Args : never;
  type Answer<Method> = Method extends (...args: any[]) => infer Result ? Result : never;

  /** What a service has besides its methods. */
  interface Client<Self, Methods, Events, Channels, Publishable, Kept> {
    /** Calls `listener` for each event of that name or channel, or whose name fits: `user.*`, `user.**`. */
    subscribe<P extends Pattern<Events, Channels>>(
      pattern: P,
      listener: (data: DataOf<Names<P, Events, Channels>, Events>, event: EventOf<Names<P, Events, Channels>, Events>) => unknown,
      options?: ListenOptions,
    ): Unsubscribe;

    /** The events for a loop: `for await (const { data } of service.on('user.*'))`. */
    on<P extends Pattern<Events, Channels>>(pattern: P, options?: LoopOptions): EventStream<EventOf<Names<P, Events, Channels>, Events>>;

    /** Publishes an event, and never throws for the service's sake. */
    publish<N extends Extract<keyof Publishable, string>>(
      event: N,
      data: Publishable[N],
      options: PublishOptions & ({ confirm: true } | { id: string }),
    ): Promise<Receipt>;
    publish<N extends Extract<keyof Publishable, string>>(
      event: N,
      ...rest: unknown extends Publishable[N] ? [data?: unknown, options?: PublishOptions] : [data: Publishable[N], options?: PublishOptions]
    ): N extends Kept ? Promise<Receipt> : Promise<Receipt> | undefined;

    /** The same service with options for each call. */
    $with(options: CallOptions): Self;

    /** Calls a method by its name, also one that the manifest does not declare. */
    $call<N extends Extract<keyof Methods, string> | (string & {})>(
      method: N,
      ...args: N extends keyof Methods ? Arguments<Methods[N]> : unknown[]
    ): N extends keyof Methods ? Answer<Methods[N]> : Promise<unknown>;

    /** Ends the connection, and the subscriptions with it. */
    $close(): void;

    /** What the service promises, if a file says so. */
    readonly $manifest: Record<string, any> | undefined;

    /** Where the service is. */
    readonly $address: string;
  }
}

// What a project has no library for is empty here.
interface AbortSignal {}
interface Disposable {}
interface AsyncDisposable {}
