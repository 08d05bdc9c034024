// Written by "ekko-ipc gen ts" from the manifests of the services, and written
// anew by it: what is changed here is lost.

declare module 'ipc:shop' {
  export type Basket = Item[];

  export interface Item {
    sku: string;
    price: Money;
    tags: string[];
    note?: string | null;
    parts?: Item[] | null;
  }

  export interface Money {
    amount: number;
    /**
     * As ISO 4217 has it
     * (pattern "^[A-Z]{3}$")
     */
    currency: string;
  }

  export interface Order {
    id: number;
    status: Status;
    lines: Basket;
    total: Money;
    former?: Order | null;
  }

  export type Status = 'open' | 'paid' | 'on its way';

  /** The methods of the service. */
  export interface $Methods {
    /** @deprecated use order */
    buy(basket: Basket): Promise<null>;
    count(): Promise<{ orders: number; items: number }>;
    find(query: { text: string; most?: number | null }): Promise<Order | null>;
    /**
     * Orders what is in the basket.
     * Nothing is charged before it is sent.
     * @param basket What to order
     * @param copies (minimum 1, maximum 10) Default 1.
     * @returns The order, with its number
     * @throws {IpcError} APP_SOLD_OUT: One of the items is not there any more
     * @throws {IpcError} NOT_FOUND
     */
    order(basket: Basket, copies?: number, speed?: 'slow' | 'fast', note?: string | null): Promise<Order>;
    raw(...args: unknown[]): Promise<unknown>;
  }

  /** The data of the events. */
  export interface $Events {
    /** Somebody has ordered */
    'order.placed': Order;
    /** @deprecated */
    'order.sent': { id: number; carrier?: string | null };
    ping: unknown;
  }

  /** The events that travel on each channel. */
  export interface $Channels {
    jobs: 'jobs';
    news: 'news';
    /** What becomes of orders */
    orders: 'order.placed' | 'order.sent';
  }

  /** What may be published, and the data of it. */
  export interface $Publishable {
    jobs: unknown;
    'order.placed': $Events['order.placed'];
    orders: unknown;
    ping: $Events['ping'];
  }

  /** What is kept, so that who publishes it gets a receipt. */
  export type $Kept = 'jobs' | 'order.placed' | 'orders';

  /** Sells things */
  export interface $Service extends $Methods, EkkoIpc.Client<$Service, $Methods, $Events, $Channels, $Publishable, $Kept> {}

  /** Sells things */
  const $service: $Service;
  export default $service;

  /** @deprecated use order */
  export const buy: $Methods['buy'];

  export const count: $Methods['count'];

  export const find: $Methods['find'];

  /**
   * Orders what is in the basket.
   * Nothing is charged before it is sent.
   * @param basket What to order
   * @param copies (minimum 1, maximum 10) Default 1.
   * @returns The order, with its number
   * @throws {IpcError} APP_SOLD_OUT: One of the items is not there any more
   * @throws {IpcError} NOT_FOUND
   */
  export const order: $Methods['order'];

  export const raw: $Methods['raw'];
}

/** The services that can be imported, by name. */
interface EkkoIpcServices {
  shop: import('ipc:shop').$Service;
}

/** What the services promise, by name: the handlers of serve are typed by it. */
interface EkkoIpcContracts {
  shop: { methods: import('ipc:shop').$Methods; events: import('ipc:shop').$Events; channels: import('ipc:shop').$Channels };
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
