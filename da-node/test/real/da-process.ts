import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Address } from '@cairn/primitives';

/** How a test's own programs are run: from source, as this process is. */
export const LOADER: readonly string[] = [
  ...(Reflect.get(process.features, 'typescript') ? [] : ['--import=tsx']),
  '--conditions=@cairn/source',
];
/** The program of the checkout starts in half a CPU second; from source each start takes four. */
const MAIN = fileURLToPath(new URL('../../../dist/run-da-node.js', import.meta.url));
const BUILD = fileURLToPath(new URL('../../../scripts/build.mjs', import.meta.url));
const READY_WITHIN_MS = 180_000;

/** A node as a process of its own that a test can kill and start again on the same data. */
export class DaProcess {
  static #isBuilt = false;
  readonly account: Address;
  readonly #config: string;
  #child: ChildProcess | undefined;
  #said = '';
  #ready: Record<string, string> = {};

  private constructor(account: Address, config: string) {
    this.account = account;
    this.#config = config;
  }

  /** Builds what is stale and writes the configuration; nothing runs yet. @throws if the build fails */
  static async prepare(folder: string, account: Address, config: string): Promise<DaProcess> {
    if (!DaProcess.#isBuilt) {
      execFileSync(process.execPath, [BUILD], { stdio: ['ignore', 'ignore', 'inherit'] });
      DaProcess.#isBuilt = true; // nothing changes while tests run
    }
    const file = join(folder, 'cairn-da.toml');
    await writeFile(file, config);
    return new DaProcess(account, file);
  }

  /** Where a role, a door of the disperser, or libp2p listens. */
  url(role: 'signer' | 'disperser' | 'nitro' | 'keeper' | 'p2p'): string {
    const url = this.#ready[role];
    if (url === undefined) throw new Error(`there is no ${role} in this process`);
    return url;
  }

  /** What it wrote, its last 20,000 characters. */
  get said(): string {
    return this.#said;
  }

  /** Starts it and waits until its roles take requests. @throws with what it said if it does not */
  async start(): Promise<void> {
    const { NODE_OPTIONS: _options, ...env } = process.env;
    const child = spawn(process.execPath, [MAIN, '--config', this.#config], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    this.#ready = await new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`the node did not get ready: ${this.#said}`));
      const timer = setTimeout(fail, READY_WITHIN_MS);
      child.once('exit', fail);
      let line = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        line += text;
        if (!line.includes('\n')) return;
        clearTimeout(timer);
        child.off('exit', fail);
        resolve(JSON.parse(line));
      });
    });
  }

  /** Ends it; `kill -9` unless told. Resolves with its exit code once it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return gone;
  }

  #note(text: string): void {
    this.#said = (this.#said + text).slice(-20_000);
  }
}
