import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { Prefix } from './kill-at-call.ts';
import type { Network } from './network.ts';
import { NodeProcess } from './node-process.ts';

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

/** A storage node as a process of its own. */
export class StorageProcess extends NodeProcess {
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
    const node = new StorageProcess(`http://127.0.0.1:${port}`, [
      'node',
      'run',
      '--config',
      config,
    ]);
    await node.restart(options.under);
    return node;
  }
}
