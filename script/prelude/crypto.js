// crypto, as far as it makes random values.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  const random = (n) => Uint8Array.fromBase64(host.random(n));

  ekko.crypto = {
    getRandomValues(array) {
      ekko.check(ArrayBuffer.isView(array) && !(array instanceof DataView) && !/^Float/.test(array[Symbol.toStringTag]), 'getRandomValues takes an array of integers', array);
      if (array.byteLength > 65536) throw new ekko.DOMException('getRandomValues fills at most 65536 bytes', 'QuotaExceededError');
      ekko.bytes(array).set(random(array.byteLength));
      return array;
    },
    randomUUID() {
      const bytes = random(16);
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      const hex = bytes.toHex();
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    get [Symbol.toStringTag]() { return 'Crypto'; },
  };
})
