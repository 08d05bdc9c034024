// The other globals: small ones here, the rest read when first used.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  const origin = Date.now();
  const zero = host.now();
  const performance = {
    timeOrigin: origin,
    now: () => host.now() - zero,
    toJSON: () => ({ timeOrigin: origin }),
    get [Symbol.toStringTag]() { return 'Performance'; },
  };

  ekko.globals({ performance, global: globalThis });
  Object.defineProperty(globalThis, Symbol.toStringTag, { value: 'global', configurable: true });

  ekko.lazyGlobals('events', ['DOMException', 'Event', 'CustomEvent', 'EventTarget', 'AbortSignal', 'AbortController']);
  ekko.lazyGlobals('text', ['TextEncoder', 'TextDecoder', 'atob', 'btoa']);
  ekko.lazyGlobals('url', ['URL', 'URLSearchParams']);
  ekko.lazyGlobals('clone', ['structuredClone']);
  ekko.lazyGlobals('crypto', ['crypto']);
  ekko.lazyGlobals('fetch', ['fetch', 'Headers', 'Request', 'Response']);
  ekko.lazyGlobals('intl', ['Intl']);
  ekko.lazy('inspect', ['inspect', 'format']);
  ekko.lazy('table', ['table']);
  ekko.lazy('streams', ['checkName', 'subscribe', 'stream', 'endSubscriptions']);
  ekko.lazy('items', ['items']);
  ekko.lazy('serve', ['serve']);

  // The engine formats numbers and dates without regard to locale; Intl,
  // once it is there, replaces these.
  for (const [owner, names] of [[Number, ['toLocaleString']], [BigInt, ['toLocaleString']], [Date, ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']]]) {
    for (const name of names) {
      const plain = owner.prototype[name];
      ekko.define(owner.prototype, name, function (...args) {
        ekko.define(owner.prototype, name, plain);
        void globalThis.Intl;
        return owner.prototype[name].apply(this, args);
      });
    }
  }

  if (!Array.fromAsync) {
    ekko.define(Array, 'fromAsync', async function (items, map, self) {
      const list = typeof this === 'function' ? new this() : [];
      let i = 0;
      const source = items[Symbol.asyncIterator] || items[Symbol.iterator] ? items : Array.from(items);
      for await (const item of source) {
        list[i] = map === undefined ? item : await map.call(self, item, i);
        i++;
      }
      list.length = i;
      return list;
    });
  }
})
