import { type ChildProcess, spawn } from 'node:child_process';
import { CAIRN } from './cli.ts';
import type { Prefix } from './kill-at-call.ts';

/** On a machine with much other work a node loads for half a minute. */
const READY_WITHIN_MS = 180_000;

/** A node as a process of its own that a test can kill and start again on the same data. */
export class NodeProcess {
  readonly url: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #said = '';

  /** @param args - of the `cairn` command that runs it */
  constructor(url: string, args: readonly string[]) {
    this.url = url;
    this.#args = args;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the node does not run');
    return pid;
  }

  /** Whether the process is gone, by itself or killed. */
  get hasEnded(): boolean {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  /** What the process wrote, its last 20,000 characters. */
  get said(): string {
    return this.#said;
  }

  /** Starts the process again and waits until it answers. @throws with what it said if it ends before */
  async restart(under: Prefix = { command: [], env: {} }): Promise<void> {
    await this.kill();
    const { NODE_OPTIONS: _options, ...env } = process.env;
    const words = [process.execPath, CAIRN, ...this.#args];
    const [program = '', ...args] = [...under.command, ...words];
    const child = spawn(program, args, {
      env: { ...env, ...under.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-20_000);
      });
    }
    this.#child = child;
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await this.#answers())) {
      if (this.hasEnded || performance.now() > deadline) {
        throw new Error(`the node did not get ready: ${this.#said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** `kill -9`, at once. Resolves when the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await gone;
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/v1/status`)).ok;
    } catch {
      return false; // not listening yet
    }
  }
}
