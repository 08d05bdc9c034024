// A Process is a child of the benchmark, one of child.js or one in Go that
// speaks the same.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// A child that takes longer than this for an order, beyond the time that the
// order itself names, is ended.
const PATIENCE = 60_000;

const running = new Set();

export class Process {
  #child;
  #name;
  #lines;

  /** start starts a program, and returns it with what it says when it is ready. */
  static async start(name, [program, ...args], env) {
    const process = new Process(name, spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env }));
    return [process, await process.#answer(0)];
  }

  constructor(name, child) {
    this.#name = name;
    this.#child = child;
    running.add(child);
    child.on('error', (error) => console.error(`${name}: ${error.message}`));
    child.on('close', () => running.delete(child));
    child.stdin.on('error', () => {}); // its end is seen at its output
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** obey gives it an order, and returns the answer. */
  obey(order) {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return this.#answer(order.ms ?? 0);
  }

  async #answer(ms) {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), ms + PATIENCE);
    const { value, done } = await this.#lines.next();
    clearTimeout(late);
    if (done) throw new Error(`${this.#name} gives no answer`);
    const answer = JSON.parse(value);
    if (answer.err) throw new Error(`${this.#name}: ${answer.err}`);
    return answer;
  }
}

/** endAll ends all children that there still are. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL');
}
