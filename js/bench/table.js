// The tables of docs/javascript.md, made of what results.json has.
import { readFileSync, writeFileSync } from 'node:fs';

import { aims } from './report.js';

const BEGIN = '<!-- generated: js/bench -->\n';
const END = '<!-- end -->\n';

/** writeInto replaces what stands between the marks of a file. */
export function writeInto(file, report) {
  writeFileSync(file, withTables(readFileSync(file, 'utf8'), report));
}

/** withTables is the text with the tables between its marks. */
export function withTables(text, report) {
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`there is no ${JSON.stringify(BEGIN.trim())} with a ${JSON.stringify(END.trim())} behind it`);
  return text.slice(0, from + BEGIN.length) + markdown(report) + text.slice(to);
}

/** markdown is all tables, and how they came about. */
export function markdown(report) {
  const runtimes = [...new Set(report.calls.map(({ runtime }) => runtime))];
  return [
    ...runtimes.map((runtime) => callTable(runtime, report)),
    table(['What was aimed at', 'aim', 'measured', ''], aims(report).map(({ what, aim, unit, found, met }) => [what, `${aim} ${unit}`, number(found), met ? 'met' : '**missed**'])),
    otherTable(report, runtimes),
    `${how(report)}\n`,
  ].join('\n');
}

function callTable(runtime, { calls }) {
  const rows = calls.filter((row) => row.runtime === runtime);
  return table(
    [runtime, 'p50 µs', 'p99 µs', '64 at once, calls/s', '256 at once', 'CPU of the client, µs a call', 'p50 of `ipc` to this', '64 at once: `ipc` is'],
    rows.map((row) => [
      row.version === undefined ? row.peer : `${row.peer} ${row.version}`, number(row.p50_us), number(row.p99_us), number(row.calls_64), number(row.calls_256), number(row.cpu_us),
      row.ipc_p50_ratio === undefined ? '' : `${row.ipc_p50_ratio.toFixed(2)} ×`, row.ipc_64_ratio === undefined ? '' : `${row.ipc_64_ratio.toFixed(1)} ×`,
    ]),
  );
}

function otherTable({ events, start, embedded, size }, runtimes) {
  const of = (list, runtime, text) => {
    const row = list.find((one) => one.runtime === runtime);
    return row === undefined ? '' : text(row);
  };
  const rows = ['listener', 'loop'].map((into) => [
    `events into a ${into}, a second`, ...runtimes.map((runtime) => of(events.filter((one) => one.into === into), runtime, (row) => `${number(row.per_s)}, ${number(row.cpu_us)} µs each${row.lost_percent === 0 ? '' : `, ${row.lost_percent} % lost`}`)), '',
  ]);
  rows.push(['start without and with the import hook', ...runtimes.map((runtime) => of(start, runtime, (row) => `${number(row.bare_ms)} + ${number(row.hook_ms)} ms`)), '']);
  if (embedded !== undefined) {
    rows.push(['one after the other, p50 and p99', ...runtimes.map(() => ''), `${number(embedded.p50_us)} and ${number(embedded.p99_us)} µs`]);
    rows.push(['64 and 256 at once, calls/s', ...runtimes.map(() => ''), `${number(embedded.calls_64)} and ${number(embedded.calls_256)}`]);
  }
  if (size !== undefined) rows.push([`the package, minified and gzipped: ${number(size.client)} bytes for a client, ${number(size.all)} with \`serve\``, ...runtimes.map(() => ''), '']);
  return table(['', ...runtimes, 'embedded'], rows);
}

function how({ machine, nodes, rounds, each_ms: ms }) {
  return `${machine.cpu}, ${machine.cores} cores, ${machine.mem_gib} GiB, ${machine.system}, Node ${nodes.join(' and ')}, ${machine.date}. `
    + `Medians of ${rounds} interleaved rounds of ${number(ms)} ms; ratios are taken within a round.`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return line(head) + `|---|${'--:|'.repeat(head.length - 1)}\n` + rows.map(line).join('');
}

// number has as many digits as can be trusted.
function number(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: Number.isInteger(value) ? 0 : digits });
}
