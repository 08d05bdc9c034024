// structuredClone.
(function (ekko) {
  'use strict';

  const refuse = (value) => {
    throw new ekko.DOMException(`${typeof value === 'symbol' ? value.toString() : ekko.show(value)} could not be cloned.`, 'DataCloneError');
  };
  const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

  // brand asks by what only such objects can do: their tags can be forged.
  function brand(value) {
    if (Array.isArray(value)) return 'array';
    if (ArrayBuffer.isView(value)) return 'view';
    const parent = Object.getPrototypeOf(value);
    if (parent === Object.prototype || parent === null) return 'object'; // each failed probe below costs a stack
    for (const [name, probe] of brands) {
      try {
        probe(value);
        return name;
      } catch { /* it is none of these */ }
    }
    return Error.isError(value) ? 'error' : 'object';
  }
  const getter = (type, name) => {
    const { get } = Object.getOwnPropertyDescriptor(type.prototype, name);
    return (value) => get.call(value);
  };
  const valueOf = (type) => (value) => type.prototype.valueOf.call(value);
  const brands = [
    ['map', getter(Map, 'size')], ['set', getter(Set, 'size')], ['date', (v) => Date.prototype.getTime.call(v)],
    ['regexp', (v) => { if (v === RegExp.prototype) throw v; getter(RegExp, 'flags')(v); RegExp.prototype.exec.call(v, ''); }],
    ['buffer', getter(ArrayBuffer, 'byteLength')],
    ['number', valueOf(Number)], ['string', valueOf(String)], ['boolean', valueOf(Boolean)], ['bigint', valueOf(BigInt)],
    ['symbol', valueOf(Symbol)],
  ];

  function clone(value, seen, moved) {
    if (typeof value === 'symbol' || typeof value === 'function') refuse(value);
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    const inner = (part) => clone(part, seen, moved);
    const members = (copy) => {
      for (const key of Object.keys(value)) ekko.member(copy, key, inner(value[key]));
      return copy;
    };
    switch (brand(value)) {
      case 'array': {
        const copy = keep(new Array(value.length));
        return members(copy);
      }
      case 'map': {
        const copy = keep(new Map());
        for (const [k, v] of [...value]) copy.set(inner(k), inner(v));
        return copy;
      }
      case 'set': {
        const copy = keep(new Set());
        for (const v of [...value]) copy.add(inner(v));
        return copy;
      }
      case 'date': return keep(new Date(value.getTime()));
      case 'regexp': return keep(new RegExp(value.source, value.flags));
      case 'buffer': return keep(moved.has(value) ? value.transfer() : value.slice(0));
      case 'view': {
        const buffer = inner(value.buffer);
        const type = value instanceof DataView ? DataView : globalThis[value[Symbol.toStringTag]];
        return keep(new type(buffer, value.byteOffset, value instanceof DataView ? value.byteLength : value.length));
      }
      case 'number': case 'string': case 'boolean': case 'bigint': return keep(Object(value.valueOf()));
      case 'symbol': return refuse(value);
      case 'error': {
        const type = Object.hasOwn(errors, value.name) ? errors[value.name] : Error;
        const copy = keep(new type(String(value.message)));
        ekko.define(copy, 'stack', value.stack);
        if (Object.hasOwn(value, 'cause')) ekko.define(copy, 'cause', inner(value.cause));
        return copy;
      }
    }
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) refuse(value);
    return members(keep({}));
  }

  // An own property, whatever its name.
  ekko.member = (target, key, value) => {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  };

  ekko.structuredClone = function structuredClone(value, { transfer = [] } = {}) {
    const moved = new Set(transfer);
    for (const each of moved) if (!(each instanceof ArrayBuffer)) refuse(each);
    const copy = clone(value, new Map(), moved);
    for (const each of moved) if (!each.detached) each.transfer();
    return copy;
  };
})
