// Written by "ekko-ipc gen ts" from the manifests of the services, and written
// anew by it: what is changed here is lost.

declare module 'ipc:schemas' {
  /** Where somebody lives */
  export interface Address {
    /** Of the town */
    zip: Address$zip;
    country?: 'DE' | 'FR' | null;
    version?: 2;
    /** (minItems 1) */
    lines: string[];
    /** (minItems 2) */
    place?: [number, number];
    /** @deprecated */
    old?: boolean;
    whatever: unknown;
  }

  export interface Again {
    inner: Again & { depth?: number };
  }

  export type Alias = Maybe;

  export type Anchored = unknown /* the reference "#it" is not followed */;

  export type Both = Circle & { colour?: string };

  export type Chain = (unknown /* Chain leads back to itself */) | null;

  export interface Circle {
    kind: 'circle';
    /** (exclusiveMinimum 0) */
    radius: number;
  }

  export interface Closed {
    [name: string]: never;
  }

  /** (format "date-time") */
  export type Date = string;

  export interface Deep {
    a: { b: { c?: Maybe[] | null } };
  }

  export interface Endless {
    next: Endless;
  }

  /** (what the schema says under if) */
  export interface If {
    a?: string;
  }

  export type Inferred = string[];

  export type Level = 1 | 2 | 3;

  export type Maybe = string | null;

  export interface Mixed {
    id: string;
    size?: number;
    [name: string]: (boolean | string | number) | undefined;
  }

  export type Name = Name$part[];

  export type Never = never;

  /** (what the schema says under not) */
  export type Not = unknown /* a type cannot say what the schema does under not */;

  export type Nothing = null;

  export interface Odd {
    'a,b': string;
    x: number;
  }

  export type Old = [string?, ...number[]];

  export interface Open {
    id?: string;
    [name: string]: unknown;
  }

  export type Pair = [string?, number?, ...unknown[]];

  export interface Patterns {
    [name: string]: string;
  }

  export type Plain = unknown[];

  export interface Prices {
    [name: string]: number;
  }

  export type Several = string | number | null;

  export type Shape = Circle | Square;

  export interface Square {
    kind: 'square';
    side: number;
  }

  export interface Tree {
    value: unknown;
    left?: Tree;
    right?: Tree | null;
  }

  export type Values = 'a' | 1 | -2.5 | 1000 | true | null | { x: [1, 'y'] } | [];

  /** (minLength 5) */
  export type Address$zip = string;

  export interface Name$part {
    more?: Name$part;
  }

  /** The methods of the service. */
  export interface $Methods {
    draw(shapes: Shape[], tree?: Tree | null): Promise<Values>;
    /** @param which (uniqueItems true) */
    list(which: string[]): Promise<Prices>;
    move(to: Address, by: 1 | 2, how?: string | { speed?: number }): Promise<{
      /** (format "date-time") */
      at: string;
    }[]>;
    nothing(a: unknown, b?: unknown[] | null, c?: string[] | null): Promise<Nothing>;
  }

  /** The data of the events. */
  export interface $Events {
    /** (minimum 0) */
    counted: number;
    drawn: Shape;
    moved: Address;
  }

  /** The events that travel on each channel. */
  export interface $Channels {
  }

  /** What may be published, and the data of it. */
  export interface $Publishable {
    counted: $Events['counted'];
    drawn: $Events['drawn'];
    moved: $Events['moved'];
  }

  /** What is kept, so that who publishes it gets a receipt. */
  export type $Kept = never;

  export interface $Service extends $Methods, EkkoIpc.Client<$Service, $Methods, $Events, $Channels, $Publishable, $Kept> {}

  const $service: $Service;
  export default $service;

  export const draw: $Methods['draw'];

  /** @param which (uniqueItems true) */
  export const list: $Methods['list'];

  export const move: $Methods['move'];

  export const nothing: $Methods['nothing'];
}

/** The services that can be imported, by name. */
interface EkkoIpcServices {
  schemas: import('ipc:schemas').$Service;
}

/** What the services promise, by name: the handlers of serve are typed by it. */
interface EkkoIpcContracts {
  schemas: { methods: import('ipc:schemas').$Methods; events: import('ipc:schemas').$Events; channels: import('ipc:schemas').$Channels };
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
