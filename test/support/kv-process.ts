import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamId } from '@cairn/kv-layer';
import { freePort } from './free-port.ts';
import type { Network } from './network.ts';
import { NodeProcess } from './node-process.ts';

/** How a key-value node of a test differs from the default one. */
export interface KvProcessOptions {
  /** The node's own folder; its data lies in `data` below it. */
  readonly folder: string;
  readonly streams: readonly StreamId[];
  /** Free space that is left on the disk; 0 unless told. */
  readonly reserveBytes?: number;
  /** The chain's address; the network's own unless told (a proxy, say). */
  readonly chainRpc?: string;
  /** The storage node's address; that of the network's full one unless told. */
  readonly storage?: string;
}

/** A key-value node as a process of its own. */
export class KvProcess extends NodeProcess {
  readonly #network: Network;
  readonly #options: KvProcessOptions;
  readonly #port: number;

  private constructor(network: Network, options: KvProcessOptions, port: number) {
    super(`http://127.0.0.1:${port}`, ['kv-node', 'run', '--config', configOf(options)]);
    this.#network = network;
    this.#options = options;
    this.#port = port;
  }

  /** Writes the configuration and starts the node. @throws with what it said if it does not get ready */
  static async start(network: Network, options: KvProcessOptions): Promise<KvProcess> {
    const node = new KvProcess(network, options, await freePort());
    await node.watch(options.streams);
    await node.restart();
    return node;
  }

  /** Writes other streams into the configuration, for the next start. */
  async watch(streams: readonly StreamId[]): Promise<void> {
    const [chain] = this.#network.endpoints.chains;
    const { folder, reserveBytes = 0, chainRpc, storage } = this.#options;
    await writeFile(
      configOf(this.#options),
      `[node]
data_dir = ${JSON.stringify(join(folder, 'data'))}
reserve_bytes = ${reserveBytes}
[chain]
rpc = ${JSON.stringify(chainRpc ?? this.#network.chainRpc)}
flow = ${JSON.stringify(chain?.contracts['flow'])}
confirmations = 0
poll_ms = 100
[storage]
nodes = [${JSON.stringify(storage ?? this.#network.fullNode)}]
[streams]
ids = ${JSON.stringify(streams)}
[http]
port = ${this.#port}
`,
    );
  }
}

function configOf({ folder }: KvProcessOptions): string {
  return join(folder, 'cairn.toml');
}
