import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '@cairn/node-runtime/observe';
import { chainIdOf, silentLogger } from '@cairn/primitives';
import { adjustableLogger } from '../../src/adjustable-logger.ts';
import type { ShardChainConfig } from '../../src/chains/shards-config.ts';
import type { ConnectedChain } from '../../src/connect-chain.ts';
import { createStorageNode, type StorageNode } from '../../src/create-storage-node.ts';
import { type TestFile, type TestNodeOptions, testConfig, until, zgSegment } from '../harness.ts';
import { FLOW, type ScriptedChain } from '../scripted-chain.ts';

/** A second chain. */
export const OTHER_ID = chainIdOf(31_338);

/** A node that keeps several chains, whose blocks a test mines. */
export class ChainsNode {
  readonly directory: string;
  readonly chains: readonly ScriptedChain[];
  readonly node: StorageNode;

  private constructor(
    directory: string,
    chains: readonly ScriptedChain[],
    options: TestNodeOptions,
  ) {
    this.directory = directory;
    this.chains = chains;
    const [first, ...others] = chains.map(connected);
    const config = testConfig(directory, options);
    const shards = chains.slice(1).map(({ chainId }): ShardChainConfig => {
      const own = { ...config.chain, chainId, flow: FLOW };
      return { ...own, name: `other-${chainId}`, shard: { id: 0, count: 1 } };
    });
    this.node = createStorageNode({
      config: { ...config, chain: { ...config.chain, chainId: chains[0]?.chainId }, shards },
      log: adjustableLogger(silentLogger(), 'info'),
      metrics: createMetrics({ processMetrics: false }),
      ...(first === undefined ? {} : { chain: first }),
      shardChains: new Map(others.map((chain) => [chain.chainLog.chainId, chain])),
      ...(options.node ?? {}),
    });
  }

  static async start(
    chains: readonly ScriptedChain[],
    options: TestNodeOptions = {},
  ): Promise<ChainsNode> {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-sns-'));
    const node = new ChainsNode(directory, chains, options);
    await node.node.start({ signal: new AbortController().signal });
    return node;
  }

  async remove(): Promise<void> {
    await this.node.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The address of the doors of the chain at a place of `chains`. */
  urlOf(index: number): string {
    return this.node.chains[index]?.url ?? '';
  }

  /** Puts a file into the log of a chain and waits until the node knows; gives its sequence. */
  async announce(index: number, { commitment }: TestFile): Promise<number> {
    const [entry] = this.chains[index]?.mine([commitment]) ?? [];
    const sequence = entry?.sequence ?? -1;
    await until(async () => (await this.json(index, '/v1/status')).nextSequence > sequence);
    return sequence;
  }

  /** Uploads every segment of a file; gives the error of the first that was refused. */
  async upload(index: number, file: TestFile, sequence: number): Promise<string | undefined> {
    for (let at = 0; at < file.commitment.shape.segments; at += 1) {
      const params = [[zgSegment(file, at)], sequence];
      const body = { jsonrpc: '2.0', id: 1, method: 'zgs_uploadSegmentsByTxSeq', params };
      const reply = await fetch(this.urlOf(index), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const { error } = (await reply.json()) as { error?: { message: string; data?: string } };
      if (error !== undefined) return `${error.message} ${error.data ?? ''}`;
    }
    return undefined;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  async json(index: number, path: string): Promise<any> {
    return (await fetch(`${this.urlOf(index)}${path}`)).json();
  }
}

function connected(chain: ScriptedChain): ConnectedChain {
  return {
    chainLog: chain,
    headOf: async () => chain.head.number,
    close: async () => undefined,
  };
}
