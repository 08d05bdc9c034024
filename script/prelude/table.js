// console.table.
(function (ekko) {
  'use strict';

  const show = (value) => ekko.inspect(value, { depth: 0 });

  function draw(head, rows) {
    const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i].length)) + 2);
    const rule = (left, middle, right) => left + widths.map((w) => '─'.repeat(w)).join(middle) + right;
    const line = (cells) => `│${cells.map((cell, i) => ` ${cell.padEnd(widths[i] - 1)}`).join('│')}│`;
    return [rule('┌', '┬', '┐'), line(head), rule('├', '┼', '┤'), ...rows.map(line), rule('└', '┴', '┘')].join('\n');
  }

  // table returns undefined for what has no rows.
  ekko.table = (data, columns) => {
    if (Object(data) !== data) return undefined;
    const index = data instanceof Map || data instanceof Set ? '(iteration index)' : '(index)';
    const rows = data instanceof Map ? [...data].map(([k, v], i) => [i, v, k]) : data instanceof Set ? [...data].map((v, i) => [i, v]) : Object.entries(data);
    const names = new Set(columns);
    let values = false;
    for (const [, row] of rows) {
      if (Object(row) !== row) values = true;
      else if (columns === undefined) Object.keys(row).forEach((name) => names.add(name));
    }
    const keyed = data instanceof Map;
    const head = [index, ...(keyed ? ['Key'] : []), ...names, ...(values ? ['Values'] : [])];
    return draw(head, rows.map(([position, row, key]) => [
      String(position),
      ...(keyed ? [show(key)] : []),
      ...[...names].map((name) => (Object(row) === row && Object.hasOwn(row, name) ? show(row[name]) : '')),
      ...(values ? [Object(row) === row ? '' : show(row)] : []),
    ]));
  };
})
