// TextEncoder, TextDecoder, atob and btoa.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return Uint8Array.fromBase64(host.encode(String(text))); }
    encodeInto(text, target) {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const bytes = this.encode(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
    get [Symbol.toStringTag]() { return 'TextEncoder'; }
  }

  const utf8 = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'x-unicode20utf8']);
  const utf16 = new Set(['utf-16', 'utf-16le', 'ucs-2', 'unicode', 'csunicode', 'iso-10646-ucs-2', 'unicodefeff']);
  const latin1 = new Set(['latin1', 'iso-8859-1', 'ascii', 'us-ascii', 'windows-1252', 'l1']);

  // The part of windows-1252 that is not latin1.
  const windows = '\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178';

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #rest = new Uint8Array(0); // of a stream
    #begun = false;

    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
      const name = String(label).trim().toLowerCase();
      this.#encoding = utf8.has(name) ? 'utf-8' : utf16.has(name) ? 'utf-16le' : latin1.has(name) ? 'windows-1252' : undefined;
      if (this.#encoding === undefined) throw new RangeError(`the encoding ${JSON.stringify(label)} is not known`);
      this.#fatal = Boolean(fatal);
      this.#ignoreBOM = Boolean(ignoreBOM);
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    get [Symbol.toStringTag]() { return 'TextDecoder'; }

    decode(input = new Uint8Array(0), { stream = false } = {}) {
      let bytes = ekko.bytes(input);
      if (this.#rest.length > 0) {
        const joined = new Uint8Array(this.#rest.length + bytes.length);
        joined.set(this.#rest);
        joined.set(bytes, this.#rest.length);
        bytes = joined;
      }
      const whole = stream ? bytes.length - this.#unfinished(bytes) : bytes.length;
      this.#rest = bytes.slice(whole);
      let text = this.#text(bytes.subarray(0, whole));
      if (!this.#begun && !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff && this.#encoding !== 'windows-1252') text = text.slice(1);
      this.#begun = stream && (this.#begun || whole > 0);
      return text;
    }

    #text(bytes) {
      if (this.#encoding === 'utf-8') {
        const text = host.decode(bytes.toBase64(), this.#fatal);
        if (text === null) throw new TypeError('the bytes are not UTF-8');
        return text;
      }
      let text = '';
      if (this.#encoding === 'windows-1252') {
        for (const byte of bytes) text += byte >= 0x80 && byte < 0xa0 ? windows[byte - 0x80] : String.fromCharCode(byte);
        return text;
      }
      for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
      if (bytes.length % 2 === 1) text += '\ud800';
      if (this.#fatal && !text.isWellFormed()) throw new TypeError('the bytes are not UTF-16');
      return text.toWellFormed();
    }

    // unfinished counts the bytes at the end that begin a character.
    #unfinished(bytes) {
      if (this.#encoding === 'windows-1252') return 0;
      if (this.#encoding === 'utf-16le') {
        const odd = bytes.length % 2;
        const high = bytes.length - odd >= 2 && (bytes[bytes.length - odd - 1] & 0xfc) === 0xd8;
        return odd + (high ? 2 : 0);
      }
      for (let back = 1; back <= 3 && back <= bytes.length; back++) {
        const byte = bytes[bytes.length - back];
        if (byte < 0x80) return 0;
        if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
      }
      return 0;
    }
  }

  const invalid = (message) => new ekko.DOMException(message, 'InvalidCharacterError');

  ekko.TextEncoder = TextEncoder;
  ekko.TextDecoder = TextDecoder;
  ekko.btoa = (text) => {
    text = String(text);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) throw invalid('btoa takes characters up to U+00FF');
      bytes[i] = code;
    }
    return bytes.toBase64();
  };
  ekko.atob = (text) => {
    let bytes;
    try {
      bytes = Uint8Array.fromBase64(String(text));
    } catch {
      throw invalid('the string is not base64');
    }
    let out = '';
    for (let i = 0; i < bytes.length; i += 4096) out += String.fromCharCode(...bytes.subarray(i, i + 4096));
    return out;
  };
  Object.defineProperty(ekko.btoa, 'name', { value: 'btoa' });
  Object.defineProperty(ekko.atob, 'name', { value: 'atob' });
})
