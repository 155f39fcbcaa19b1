import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { type Deployment, deployContracts, type MiningParams } from '@cairn/chain-access/deploy';
import { createMetrics } from '@cairn/node-runtime/observe';
import { type Json, silentLogger } from '@cairn/primitives';
import {
  ANVIL_KEYS,
  Anvil,
  FIRST_ACCOUNT,
  testSignal,
} from '../../../foundation/chain-access/test/anvil.ts';
import { adjustableLogger } from '../../src/adjustable-logger.ts';
import type { StorageNodeConfig } from '../../src/config.ts';
import { createStorageNode, type StorageNode } from '../../src/create-storage-node.ts';
import { type TestFile, testConfig, until, zgSegment } from '../harness.ts';

/** Every other hash wins, pools are of a segment, and an epoch is 40 blocks. */
export const MINING: MiningParams = {
  difficulty: 200n,
  minDifficulty: 1n,
  answersPerEpoch: 50,
  windowBlocks: 30,
  windows: 1,
  windowIntervalBlocks: 1,
  sectorsPerPrice: 1024,
  releaseSeconds: 1000,
};
const BLOCKS_PER_EPOCH = 40;

/** A chain with contracts and a directory for nodes that mine on it. */
export class MiningNetwork {
  readonly anvil: Anvil;
  readonly deployment: Deployment;
  readonly directory: string;

  private constructor(anvil: Anvil, deployment: Deployment, directory: string) {
    this.anvil = anvil;
    this.deployment = deployment;
    this.directory = directory;
  }

  /** @param flags - more of what anvil is told */
  static async start(...flags: readonly string[]): Promise<MiningNetwork> {
    const anvil = await Anvil.start(...flags);
    const deployment = await deployContracts(
      {
        client: anvil.client,
        signer: signerFromKey(ANVIL_KEYS[1]),
        params: { pricePerSectorWei: 1000n, blocksPerEpoch: BLOCKS_PER_EPOCH, mining: MINING },
        logger: silentLogger(),
        pollMs: 10,
      },
      { signal: testSignal() },
    );
    return new MiningNetwork(anvil, deployment, await mkdtemp(join(tmpdir(), 'cairn-mining-')));
  }

  async stop(): Promise<void> {
    await this.anvil.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Goes to the next epoch's window. */
  async nextEpoch(): Promise<void> {
    const number = await this.anvil.client.blockNumber({ signal: testSignal() });
    await this.anvil.mine(BLOCKS_PER_EPOCH - (number % BLOCKS_PER_EPOCH) + 8);
  }

  /** Puts a file into the log, or into another one. */
  async submit({ commitment }: TestFile, { contracts } = this.deployment): Promise<void> {
    const { shape, nodes } = commitment;
    await this.anvil.submit(contracts.flow, [
      { sizeBytes: shape.sizeBytes, tags: new Uint8Array(), nodes, submitter: FIRST_ACCOUNT },
    ]);
  }

  /** Settings of a node that mines with an account of the chain. */
  async config(
    name: string,
    options: {
      readonly shard?: string;
      readonly mining?: Partial<StorageNodeConfig['mining']>;
    } = {},
  ): Promise<StorageNodeConfig> {
    const directory = join(this.directory, name);
    const accountFile = join(this.directory, `${name}.key`);
    await writeFile(accountFile, ANVIL_KEYS[1], { mode: 0o600 });
    const { contracts, chainId } = this.deployment;
    const config = testConfig(directory, {
      ...(options.shard === undefined ? {} : { shard: options.shard }),
      mining: {
        contract: contracts.poraMine,
        accountFile,
        accountPasswordFile: undefined,
        minerId: undefined,
        threads: 1,
        duty: 0.5,
        sealDuty: 1,
        startPosition: 0,
        pollMs: 50,
        maxFeePerGasWei: undefined,
        autostart: true,
        ...options.mining,
      },
    });
    const { url: rpcUrl } = this.anvil;
    return { ...config, chain: { ...config.chain, rpcUrl, chainId, flow: contracts.flow } };
  }
}

/** A node that mines. */
export class MiningNode {
  readonly #config: StorageNodeConfig;
  #node: StorageNode | undefined;

  constructor(config: StorageNodeConfig) {
    this.#config = config;
  }

  get node(): StorageNode {
    if (this.#node === undefined) throw new Error('the node does not run');
    return this.#node;
  }

  async start(): Promise<void> {
    this.#node = createStorageNode({
      config: this.#config,
      log: adjustableLogger(silentLogger(), 'info'),
      metrics: createMetrics({ processMetrics: false }),
    });
    await this.#node.start({ signal: testSignal() });
  }

  async stop(): Promise<void> {
    await this.#node?.stop();
    this.#node = undefined;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  async rpc(method: string, params: readonly unknown[]): Promise<any> {
    const reply = await fetch(this.node.address.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return reply.json();
  }

  /** Uploads a file once the node knows of it. */
  async upload(file: TestFile, sequence: number): Promise<void> {
    await until(async () => (await this.rpc('zgs_getStatus', [])).result.nextTxSeq > sequence);
    for (let index = 0; index < file.commitment.shape.segments; index += 1) {
      const { error } = await this.rpc('zgs_uploadSegmentsByTxSeq', [
        [zgSegment(file, index)],
        sequence,
      ]);
      if (error !== undefined) throw new Error(JSON.stringify(error));
    }
  }

  /** What `/health/ready` answers. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  async ready(): Promise<{ readonly status: number; readonly body: any }> {
    const reply = await fetch(`${this.node.address.url}/health/ready`);
    return { status: reply.status, body: await reply.json() };
  }

  /** What admins see of mining. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  status(): any {
    return this.node.mining?.statusJson() as Json;
  }

  async until(look: (status: ReturnType<MiningNode['status']>) => boolean): Promise<void> {
    try {
      await until(async () => look(this.status()));
    } catch (error) {
      throw new Error(JSON.stringify(this.status()), { cause: error });
    }
  }
}
