import { signerFromKey } from '@cairn/chain-access';
import { depositFor } from '@cairn/chain-access/da';
import { loadRowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  GIB,
  type HttpTransport,
  keccak256,
  memoryKeyValueStore,
  type Root,
  silentLogger,
  utf8Bytes,
} from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import {
  type ShardNetwork,
  senderOn,
} from '../../../foundation/chain-access/test/shard-network.ts';
import { ByteBudget } from '../../src/byte-budget.ts';
import { ChainEntrance } from '../../src/chain/chain-entrance.ts';
import { ChainEpochs } from '../../src/chain/chain-epochs.ts';
import { chainOfEntrance } from '../../src/chain/chain-places.ts';
import { dispersalNetworkOf } from '../../src/create-disperser.ts';
import { openAccounts } from '../../src/disperser/accounts.ts';
import type { BlobRecord, BlobStage } from '../../src/disperser/blob-record.ts';
import type { Dispersal } from '../../src/disperser/create-dispersal.ts';
import type { AcceptOptions } from '../../src/disperser/disperser.ts';
import type { SignedBatch } from '../../src/disperser/ports.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { createDisperser } from '../dispersal/create-disperser.ts';
import { QUICK, wantedOf } from '../dispersal/harness.ts';
import { payloadsInMemory } from '../dispersal/payloads-in-memory.ts';
import type { ShardWorld } from './shard-world.ts';

const COIN = 10n ** 18n;

/** A disperser of the shard beside the hub, in this process, with everything on the real chains. */
export class ShardDisperser {
  readonly epochs: ChainEpochs;
  /** What it had confirmed. */
  readonly confirmed: SignedBatch[] = [];
  readonly #dispersal: Dispersal;
  readonly #stop = new AbortController();
  readonly #transport: HttpTransport;
  readonly #read: (record: BlobRecord) => Promise<Uint8Array>;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(parts: {
    readonly epochs: ChainEpochs;
    readonly confirmed: SignedBatch[];
    readonly dispersal: Dispersal;
    readonly stop: AbortController;
    readonly transport: HttpTransport;
    readonly read: (record: BlobRecord) => Promise<Uint8Array>;
  }) {
    this.epochs = parts.epochs;
    this.confirmed = parts.confirmed;
    this.#dispersal = parts.dispersal;
    this.#stop = parts.stop;
    this.#transport = parts.transport;
    this.#read = parts.read;
  }

  /** One with coins and a deposit on a shard, the one beside the hub unless told; it runs. */
  static async start(
    { network, chain: hub, clock }: ShardWorld,
    { anvil, entrance }: Pick<ShardNetwork, 'anvil' | 'entrance'> = network,
  ): Promise<ShardDisperser> {
    const payer = signerFromKey(keccak256(utf8Bytes('who pays for blobs on the shard')));
    await anvil.rpc('anvil_setBalance', payer.address, `0x${(100n * COIN).toString(16)}`);
    const sender = senderOn(anvil, entrance.chainId, payer);
    const deposit = { payer: payer.address, amountWei: COIN };
    const call = { intent: 'deposit', signal: testSignal() };
    await depositFor({ entrance, sender }, deposit, call);
    const chain = chainOfEntrance(hub, entrance);
    const stop = new AbortController();
    const logger = silentLogger();
    const shared = { chain, sender, clock, logger };
    const transport = createNodeTransport();
    const epochs = new ChainEpochs(
      { ...shared, stopping: stop.signal },
      { pollMs: 50, socketsMs: 10_000 },
    );
    const onChain = new ChainEntrance({ ...shared, backend: BLS }, { pollMs: 50 });
    const confirmed: SignedBatch[] = [];
    const confirm = onChain.confirm.bind(onChain);
    onChain.confirm = (batch, options) => {
      confirmed.push(batch);
      return confirm(batch, options);
    };
    const suites = await Promise.all([loadRowSuite(0), loadRowSuite(1)]);
    const tools = { codec: await loadWasmCodec(), combiner: await loadWasmCombiner(), suites };
    const peers = httpSignerPeers(transport);
    const network_ = dispersalNetworkOf(chain);
    const budget = new ByteBudget({ maxBytes: GIB, maxWaiting: 64 });
    const dispersal = createDisperser({
      ...{ ...tools, epochs, peers, payer, budget, clock, logger },
      index: memoryKeyValueStore(),
      payloads: payloadsInMemory(),
      accounts: openAccounts(),
      network: network_,
      entrance: onChain,
      backend: BLS,
      settings: { ...QUICK, delivery: PATIENCE, votes: PATIENCE },
    });
    const sources = { ...tools, epochs, peers, layout: network_.layout, budget, clock, logger };
    const reader = { ...sources, timeoutMs: 20_000, hedgeMs: 500 };
    const read = async (record: BlobRecord): Promise<Uint8Array> =>
      (await readBlob(wantedOf(record), reader, { signal: testSignal() })).payload;
    const disperser = new ShardDisperser({ epochs, confirmed, dispersal, stop, transport, read });
    await dispersal.disperser.open(stop.signal);
    disperser.#running = dispersal.disperser.run(stop.signal).catch((error: unknown) => error);
    return disperser;
  }

  put(payload: Uint8Array, options: Pick<AcceptOptions, 'path'>): Promise<BlobRecord> {
    const { disperser } = this.#dispersal;
    return disperser.accept(payload, { apiKey: undefined }, { ...options, signal: testSignal() });
  }

  /** Resolves once a blob is as far. */
  reached(id: Root, stage: BlobStage, signal: AbortSignal = testSignal()): Promise<BlobRecord> {
    return this.#dispersal.disperser.reached(id, stage, signal);
  }

  /** The payload, from the signers alone. */
  read(record: BlobRecord): Promise<Uint8Array> {
    return this.#read(record);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#running;
    await this.#transport.close();
  }
}

/** Signers of a busy machine may take their time, and each of them gets its rows. */
const PATIENCE = { timeoutMs: 30_000, attempts: 3, delayMs: 50, laggardMs: 30_000 };
