// Manifests: what a service promises, compiled into checks of arguments,
// results and events.
import { Failure, IpcError, isObject } from './error.js';
import { Pattern, closest, isName, isReserved } from './name.js';
import { KEYWORDS, compileSchema } from './schema.js';

const BUILTIN = Object.assign(Object.create(null), {
  any: () => true,
  string: (v) => typeof v === 'string',
  number: (v) => typeof v === 'number',
  integer: (v) => Number.isSafeInteger(v),
  boolean: (v) => typeof v === 'boolean',
  null: (v) => v === null,
  object: (v) => isObject(v),
  array: (v) => Array.isArray(v),
});
const ANY = { name: 'any', check: () => undefined, nullable: true };

const kindOf = (value) => (value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** A Violation is how a value breaks a promise. */
const violation = (rule, expected, value, path = []) => ({ rule, expected, got: kindOf(value), path });

/** wrong is the error for a manifest that cannot be served. */
const wrong = (text) => new IpcError('INVALID_ARGUMENT', `the manifest: ${text}`, { executed: 'no', details: { origin: 'client' } });

/** A Manifest is compiled once, when the service is made. */
export class Manifest {
  text;
  name;
  methods = new Map();
  #events = new Map();
  #channels = new Map();
  #types = new Map();
  #homes = new Map(); // by event: what is known of it, undefined if it is not declared

  constructor(source) {
    if (!isObject(source) || !isObject(source.service)) throw wrong('"service" must be an object');
    this.source = JSON.parse(JSON.stringify(source));
    this.name = this.source.service.name;
    if (!isName(this.name) || isReserved(this.name)) throw wrong(`service.name must be a name, and not begin with ipc, ekko, events or broadcast, not ${JSON.stringify(this.name)}`);
    this.text = JSON.stringify(this.source);
    const { methods = {}, events = {}, channels = {}, types = {} } = this.source;
    for (const [part, value] of Object.entries({ methods, events, channels, types })) if (!isObject(value)) throw wrong(`"${part}" must be an object`);
    for (const name of Object.keys(types)) this.#types.set(name, { name, check: ANY.check, nullable: false });
    for (const [name, type] of Object.entries(types)) Object.assign(this.#types.get(name), this.#inPlace(`types.${name}`, () => this.#type(type)), { name });
    for (const [name, method] of Object.entries(methods)) this.methods.set(name, this.#inPlace(`methods.${name}`, () => this.#method(name, method)));
    for (const [name, event] of Object.entries(events)) this.#events.set(name, this.#inPlace(`events.${name}`, () => this.#event(name, event)));
    for (const name of Object.keys(channels).sort()) this.#channels.set(name, this.#inPlace(`channels.${name}`, () => this.#channel(name, channels[name])));
  }

  #inPlace(place, make) {
    try {
      return make();
    } catch (error) {
      throw error instanceof IpcError ? error : wrong(`${place}: ${error.message}`);
    }
  }

  #method(name, declared) {
    if (!isObject(declared)) throw new Error('must be an object');
    if (!isName(name)) throw new Error('is no name');
    const { parameters, returns, items, timeout, concurrency, idempotent = false, stream } = declared;
    if (parameters !== undefined && !Array.isArray(parameters)) throw new Error('"parameters" must be an array');
    return {
      name, timeout, concurrency, idempotent: idempotent === true, stream,
      parameters: parameters?.map((each) => this.#parameter(each)),
      returns: returns === undefined ? undefined : this.#shape(returns),
      items: items === undefined ? undefined : this.#shape(items),
    };
  }

  #parameter(declared) {
    if (!isObject(declared) || typeof declared.name !== 'string') throw new Error('each parameter must be an object with a name');
    const type = this.#shape(declared);
    const check = declared.validation === undefined ? type.check : both(type.check, compileSchema(declared.validation));
    const hasDefault = declared.default !== undefined;
    return { name: declared.name, type, check, required: declared.required ?? (!hasDefault && !type.nullable), default: declared.default, hasDefault };
  }

  // shape reads the fields by which a parameter or a result says what it is.
  #shape({ type, schema, elementType, nullable }) {
    let t = type === undefined ? (elementType === undefined ? ANY : this.#expression('array')) : this.#type(type);
    if (elementType !== undefined) t = this.#array(this.#type(elementType));
    if (schema !== undefined) {
      const more = this.#type(schema);
      if (type === 'array' && !more.isSchema && more.isObject) t = this.#array(more);
      else t = { ...more, check: both(t.check, more.check), nullable: t.nullable || more.nullable };
    }
    return nullable === true ? orNull(t) : t;
  }

  #type(declared) {
    if (typeof declared === 'string') return this.#expression(declared);
    if (!isObject(declared)) throw new Error('a type must be a string such as "number" or "User[]", or an object');
    const names = Object.keys(declared);
    if (names.length > 0 && names.every((name) => KEYWORDS.has(name))) return this.#schema(declared);
    return this.#members(declared);
  }

  #schema(declared) {
    const check = compileSchema(declared);
    return { name: 'a JSON Schema', isSchema: true, nullable: check(null) === undefined, check: (value) => fault(check(value), value) };
  }

  // members reads an object in the short spelling: {"id": "number", "tags": "string[]?"}.
  #members(declared) {
    const members = Object.entries(declared).map(([name, type]) => ({ name, type: this.#type(type) }));
    return {
      name: 'object', isObject: true, nullable: false,
      check: (value) => {
        if (!isObject(value)) return violation('type', 'object', value);
        for (const { name, type } of members) {
          const member = Object.hasOwn(value, name) ? value[name] : undefined;
          if (member === undefined && type.nullable) continue;
          const bad = member === undefined ? violation('required', type.name, undefined) : type.check(member);
          if (bad !== undefined) return { ...bad, path: [name, ...bad.path] };
        }
        return undefined;
      },
    };
  }

  // expression reads a type's text: a name, then [] for arrays and ? for what may be null.
  #expression(text) {
    const [, base, suffixes] = /^([A-Za-z_]\w*)((?:\[\]|\?)*)$/.exec(text) ?? [];
    if (base === undefined) throw new Error(`the type ${JSON.stringify(text)} must be a name followed by [] for arrays and ? for what may be null`);
    let t = base in BUILTIN ? builtin(base) : this.#types.get(base);
    if (t === undefined) throw new Error(`unknown type ${JSON.stringify(base)}${meant(base, [...Object.keys(BUILTIN), ...this.#types.keys()])}`);
    if (!(base in BUILTIN)) t = named(t);
    for (const suffix of suffixes.match(/\[\]|\?/g) ?? []) t = suffix === '?' ? orNull(t) : this.#array(t);
    return t;
  }

  #array(element) {
    return {
      name: `${element.name}[]`, nullable: false,
      check: (value) => {
        if (!Array.isArray(value)) return violation('type', `${element.name}[]`, value);
        for (let i = 0; i < value.length; i++) {
          const bad = element.check(value[i]);
          if (bad !== undefined) return { ...bad, path: [i, ...bad.path] };
        }
        return undefined;
      },
    };
  }

  #event(name, declared) {
    if (!isObject(declared)) throw new Error('must be an object');
    if (!isName(name) || isReserved(name)) throw new Error('is no name of an event');
    return { name, type: declared.schema === undefined ? undefined : this.#type(declared.schema), own: declared.publish === 'service' };
  }

  // What is kept is kept in memory: a service in JavaScript has no disk.
  #channel(name, declared) {
    if (!isObject(declared)) throw new Error('must be an object');
    if (!isName(name) || isReserved(name)) throw new Error('is no name of a channel');
    const { type = 'topic', events = [], persistent, retention, last, onSlow, maxSubscribers } = declared;
    if (persistent) throw unbuilt(`channels.${name}: "persistent": true: a service in JavaScript keeps events in memory. Leave it out (then "retention" is what is kept while the service runs), or serve it by the library for Go, or by ekko-ipc run`);
    if (!TYPES.has(type)) throw new Error(`there is no type ${JSON.stringify(type)}: there are topic, broadcast and queue`);
    const queue = type === 'queue';
    if (onSlow !== undefined && !(queue ? QUEUE_SLOW : SLOW).has(onSlow)) throw new Error(`onSlow of a ${type} must be one of ${[...(queue ? QUEUE_SLOW : SLOW)].join(', ')}, not ${JSON.stringify(onSlow)}`);
    if (queue && last) throw new Error('a queue has no last');
    return {
      name, queue, patterns: events.map((each) => new Pattern(each)), own: declared.publish === 'service', most: maxSubscribers,
      disconnect: onSlow === 'disconnect', onFull: queue ? onSlow ?? 'reject' : undefined, broadcast: type === 'broadcast',
      retention: retention || queue ? retentionOf(retention || {}) : undefined, last: last === true,
    };
  }

  /** event returns what is known of an event: { stream, type, own, disconnect },
      undefined if it is not declared. */
  event(name) {
    if (!this.#homes.has(name)) {
      if (this.#homes.size >= 4096) this.#homes.clear();
      this.#homes.set(name, this.#home(name));
    }
    return this.#homes.get(name);
  }

  #home(name) {
    const event = this.#events.get(name);
    const channel = this.#channels.get(name) ?? [...this.#channels.values()].find(({ patterns }) => event !== undefined && patterns.some((pattern) => pattern.matches(name)));
    if (event === undefined && channel === undefined) return undefined;
    return { stream: channel?.name ?? name, type: channel?.name === name ? undefined : event?.type, own: Boolean(event?.own || channel?.own), channel };
  }

  /** channel is the channel of that name. */
  channel(name) { return this.#channels.get(name); }

  get channels() { return [...this.#channels.values()]; }

  /** carried are the declared events that a channel carries. */
  carried(name) { return [...this.#events.keys()].filter((event) => this.event(event).stream === name); }

  /** names are those that can be subscribed to. */
  get eventNames() { return [...this.#events.keys(), ...this.#channels.keys()]; }
}

const TYPES = new Set(['topic', 'broadcast', 'queue']);
const SLOW = new Set(['drop-oldest', 'disconnect']);
const QUEUE_SLOW = new Set(['reject', 'block', 'drop-oldest']);

function retentionOf(declared) {
  if (!isObject(declared)) throw new Error('"retention" must be an object');
  for (const [bound, value] of Object.entries(declared)) {
    if (!['maxMessages', 'maxAge', 'maxSize'].includes(bound)) throw new Error(`there is no retention.${bound}: there are maxMessages, maxAge and maxSize`);
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`retention.${bound} must be a whole number, 1 or more, not ${JSON.stringify(value)}`);
  }
  return declared;
}

const unbuilt = (what) => new IpcError('UNIMPLEMENTED', `the manifest: ${what}`, { executed: 'no', details: { origin: 'client' } });

const builtin = (name) => ({ name, isObject: name === 'object', nullable: name === 'any' || name === 'null', check: (value) => (BUILTIN[name](value) ? undefined : violation(name === 'integer' && typeof value === 'number' ? 'range' : 'type', name, value)) });
// A named type may be declared after where it is used.
const named = (t) => ({ name: t.name, isObject: true, nullable: false, check: (value) => t.check(value) });
const orNull = (t) => ({ ...t, name: `${t.name}?`, nullable: true, check: (value) => (value === null ? undefined : t.check(value)) });
const both = (first, second) => (value) => first(value) ?? fault(second(value), value);

function fault(found, value) {
  if (found === undefined) return undefined;
  return { path: [], got: kindOf(value), ...found };
}

function meant(name, names) {
  const near = closest(name, names);
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

const isIdentifier = (name) => /^[A-Za-z_$][\w$]*$/.test(name);
const pointer = (path) => path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function place(root, path) {
  let text = root;
  path.forEach((step, i) => {
    if (typeof step === 'number') text += `[${step}]`;
    else if (i === 0 && root === 'parameter') text += ` ${step}`;
    else text += isIdentifier(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return text;
}

/** refusal makes a Failure of a violation. */
export function refusal(code, root, { path, rule, expected, got, note }) {
  const at = note !== undefined && path.length === 0 ? '' : place(root, path);
  const text = note ?? (rule === 'required' ? ` is missing: expected ${expected}` : `expected ${expected}, got ${got}`);
  return new Failure(code, `${at}${at === '' || rule === 'required' ? '' : ': '}${text}`, {
    executed: code === 'RESPONSE_SCHEMA_MISMATCH' ? 'yes' : 'no', retryable: false, origin: 'service', ...(path.length === 0 ? {} : { path: pointer(path) }), rule,
  });
}

/** bind brings a request's data into the order of a method's parameters, and
    checks them. It returns the arguments, or a Failure. */
export function bind({ parameters }, data) {
  if (parameters === undefined) return data === undefined ? [] : Array.isArray(data) ? data : [data];
  const given = inOrder(parameters, data);
  if (given instanceof Failure) return given;
  let last = 0;
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i];
    // A null in place of an optional argument is what JavaScript makes of f(undefined, 2).
    if (given[i] === null && !parameter.required && !parameter.type.nullable) given[i] = undefined;
    if (given[i] === undefined) {
      if (parameter.required) return refusal('SCHEMA_MISMATCH', 'parameter', { ...violation('required', parameter.type.name, undefined), path: [parameter.name] });
      given[i] = parameter.hasDefault ? structuredClone(parameter.default) : undefined;
    } else {
      const bad = parameter.check(given[i]);
      if (bad !== undefined) return refusal('SCHEMA_MISMATCH', 'parameter', { ...bad, path: [parameter.name, ...bad.path] });
    }
    if (given[i] !== undefined) last = i + 1;
  }
  for (let i = 0; i < last; i++) given[i] ??= given[i] === undefined ? null : given[i];
  return given.slice(0, last);
}

// inOrder gives the data to the parameters, in one of three forms.
function inOrder(parameters, data) {
  const most = parameters.length;
  if (data === undefined) return new Array(most).fill(undefined);
  let list;
  if (Array.isArray(data)) list = data;
  else if (isObject(data) && most !== 1) return byName(parameters, data);
  else if (data === null && most === 0) list = [];
  else list = [data];
  if (list.length > most) {
    const note = `too many arguments: expected ${most === 0 ? 'no arguments' : `at most ${most} argument${most === 1 ? '' : 's'}`}, got ${list.length}`;
    const hint = most === 1 && parameters[0].type.check([]) === undefined ? ': an array is the list of arguments, so an array as the argument is sent as [[…]]' : '';
    return refusal('SCHEMA_MISMATCH', 'parameter', { path: [], rule: 'arguments', note: note + hint });
  }
  return Array.from({ length: most }, (_, i) => list[i]);
}

function byName(parameters, data) {
  const names = parameters.map(({ name }) => name);
  for (const name of Object.keys(data)) {
    if (names.includes(name)) continue;
    const said = refusal('SCHEMA_MISMATCH', 'parameter', { path: [], rule: 'unknown', note: `unknown argument ${JSON.stringify(name)}${names.length === 0 ? ': the method takes none' : meant(name, names)}` });
    said.details.path = pointer([name]);
    return said;
  }
  return names.map((name) => (Object.hasOwn(data, name) ? data[name] : undefined));
}
