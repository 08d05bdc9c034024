// console. Text is written at once, so that nothing is lost when the process
// ends; how values look is in inspect.js, read when the first one is shown.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  let indent = '';
  const counts = new Map();
  const times = new Map();

  function print(fd, args) {
    let text;
    if (args.length === 1 && typeof args[0] === 'string') text = args[0];
    else if (args.length === 0) text = '';
    else text = ekko.format({ colors: ekko.process[fd === 1 ? 'stdout' : 'stderr'].hasColors() }, ...args);
    // A stack that the app prints itself names places in the bundle.
    if (text.includes('ekko:app:')) text = host.stack(text);
    if (indent !== '') text = indent + text.replaceAll('\n', '\n' + indent);
    host.write(fd, text + '\n');
  }

  const log = (...args) => print(1, args);
  const warn = (...args) => print(2, args);
  const took = (label) => {
    const ms = host.now() - times.get(label);
    return ms < 1000 ? `${Number(ms.toFixed(3))}ms` : `${(ms / 1000).toFixed(3)}s`;
  };
  const known = (label) => {
    if (times.has(label)) return true;
    warn(`Warning: No such label '${label}'`);
    return false;
  };

  ekko.globals({
    console: {
      log, info: log, debug: log, warn, error: warn,
      trace(...args) {
        const frames = host.stack(new Error().stack).split('\n').slice(0, -1).join('\n');
        warn(`Trace${args.length > 0 ? ': ' : ''}${args.length > 0 ? ekko.format({}, ...args) : ''}${frames === '' ? '' : '\n' + frames}`);
      },
      dir(value, options) { print(1, [ekko.inspect(value, { colors: ekko.process.stdout.hasColors(), ...options })]); },
      dirxml: log,
      table(data, columns) { print(1, [ekko.table(data, columns) ?? data]); },
      assert(ok, ...args) {
        if (ok) return;
        if (typeof args[0] === 'string') warn(`Assertion failed: ${args[0]}`, ...args.slice(1));
        else warn(...(args.length > 0 ? ['Assertion failed:', ...args] : ['Assertion failed']));
      },
      group(...args) {
        if (args.length > 0) log(...args);
        indent += '  ';
      },
      groupCollapsed(...args) { this.group(...args); },
      groupEnd() { indent = indent.slice(2); },
      count(label = 'default') {
        const n = (counts.get(String(label)) ?? 0) + 1;
        counts.set(String(label), n);
        log(`${label}: ${n}`);
      },
      countReset(label = 'default') { counts.delete(String(label)); },
      time(label = 'default') { times.set(String(label), host.now()); },
      timeLog(label = 'default', ...args) { if (known(String(label))) log(`${label}: ${took(String(label))}`, ...args); },
      timeEnd(label = 'default') {
        if (!known(String(label))) return;
        log(`${label}: ${took(String(label))}`);
        times.delete(String(label));
      },
      clear() {},
    },
  });
})
