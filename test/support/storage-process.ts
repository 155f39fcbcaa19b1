import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CAIRN } from './cli.ts';
import type { Prefix } from './kill-at-call.ts';
import type { Network } from './network.ts';

/** How a storage node of a test differs from the default one. */
export interface StorageProcessOptions {
  /** The node's own folder; its data lies in `data` below it. */
  readonly folder: string;
  /** `0/1` unless told. */
  readonly shard?: string;
  /** The chain's address; the network's own unless told (a proxy, say). */
  readonly chainRpc?: string;
  readonly confirmations?: number;
  /** More lines of TOML. */
  readonly extra?: string;
  /** What runs the command, for the first start; it ends when the command does. */
  readonly under?: Prefix;
}

/** On a machine with much other work a node loads for half a minute. */
const READY_WITHIN_MS = 180_000;

/** A storage node as a process of its own that a test can kill and start again on the same data. */
export class StorageProcess {
  readonly url: string;
  readonly #config: string;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(url: string, config: string) {
    this.url = url;
    this.#config = config;
  }

  /** Writes the configuration and starts the node. @throws with what it said if it does not get ready */
  static async start(network: Network, options: StorageProcessOptions): Promise<StorageProcess> {
    const {
      folder,
      shard = '0/1',
      chainRpc = network.chainRpc,
      confirmations = 0,
      extra = '',
    } = options;
    const port = await freePort();
    const [chain] = network.endpoints.chains;
    const config = join(folder, 'cairn.toml');
    await writeFile(
      config,
      `[node]
data_dir = ${JSON.stringify(join(folder, 'data'))}
[chain]
rpc = ${JSON.stringify(chainRpc)}
chain_id = ${chain?.chainId}
flow = ${JSON.stringify(chain?.contracts['flow'])}
confirmations = ${confirmations}
poll_ms = 100
[storage]
shard = ${JSON.stringify(shard)}
reserve_bytes = 0
[http]
port = ${port}
${extra}`,
    );
    const node = new StorageProcess(`http://127.0.0.1:${port}`, config);
    await node.restart(options.under);
    return node;
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
    const words = [process.execPath, CAIRN, 'node', 'run', '--config', this.#config];
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
        throw new Error(`the storage node did not get ready: ${this.#said}`);
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

/** A port nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}
