import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** As users run it: built. */
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** What the process says once it takes requests. */
export interface ReadyLine {
  readonly http: string;
  readonly admin: string;
}

/** A storage node as a process of its own, from a configuration file. */
export class Daemon {
  readonly #config: string;
  #child: ChildProcess | undefined;
  #out = '';
  #err = '';

  constructor(config: string) {
    this.#config = config;
  }

  /** What it wrote to standard error, its last 20,000 characters. */
  get err(): string {
    return this.#err;
  }

  /** Writes the configuration and starts the process. @throws with what it said if it ends before it is ready */
  async start(toml: string): Promise<ReadyLine> {
    await writeFile(this.#config, toml);
    return this.restart();
  }

  /** Starts it on the configuration that is there. */
  async restart(): Promise<ReadyLine> {
    const child = this.#spawn();
    for (;;) {
      const line = this.#out.split('\n').find((text) => text.includes('"ready"'));
      if (line !== undefined) return JSON.parse(line) as ReadyLine;
      if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}: ${this.#err}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Runs it on a configuration until it ends by itself; gives the exit code. */
  async runToEnd(toml: string): Promise<number | null> {
    await writeFile(this.#config, toml);
    const child = this.#spawn();
    await new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#child = undefined;
    return child.exitCode;
  }

  /** Ends it with a signal and waits until it is gone; gives the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await gone;
    return child.exitCode;
  }

  #spawn(): ChildProcess {
    this.#out = '';
    this.#err = '';
    const args = [MAIN, '--config', this.#config];
    const { NODE_OPTIONS: _options, ...env } = process.env;
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#err = (this.#err + text).slice(-20_000);
    });
    this.#child = child;
    return child;
  }
}
