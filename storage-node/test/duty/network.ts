import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ChainClient,
  createTransactionSender,
  signerFromKey,
  type TransactionSender,
} from '@cairn/chain-access';
import { DEVNET_POSSESSION, deployDa, deployPossession } from '@cairn/chain-access/deploy';
import {
  bondProvider,
  fundDuty,
  openDuty,
  openPossession,
  type Possession,
  readDutySpans,
  readLogRecords,
  seedBlockOf,
  startDuty,
  windowEndOf,
} from '@cairn/chain-access/possession';
import {
  DEVNET_CONSENSUS,
  keccak256,
  memoryKeyValueStore,
  silentLogger,
  utf8Bytes,
} from '@cairn/primitives';
import { ANVIL_KEYS, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import type { StorageNodeConfig } from '../../src/config.ts';
import { MiningNetwork } from '../mining/network.ts';

const COIN = 10n ** 18n;
/** What a period of a test's duty costs. */
export const PRICE = 1000n;
/** What answers for it. */
export const DEPOSIT = 2n * COIN;

/** Keys of accounts that are given coins: of providers, none of whom deploys or pays. */
export const PROVIDER_KEYS = ['a1', 'a2', 'a3'].map((byte) => byte.repeat(32)) as [
  string,
  string,
  string,
];

/** A chain with the contract of duties, and accounts that act there. */
export class DutyNetwork {
  readonly base: MiningNetwork;
  readonly possession: Possession;
  readonly payer: TransactionSender;
  readonly #providers = new Map<string, TransactionSender>();

  private constructor(base: MiningNetwork, possession: Possession) {
    this.base = base;
    this.possession = possession;
    this.payer = this.senderOf(ANVIL_KEYS[0]);
  }

  static async start(): Promise<DutyNetwork> {
    const base = await MiningNetwork.start();
    const { client } = base.anvil;
    const options = { signal: testSignal() };
    for (const key of PROVIDER_KEYS) {
      const balance = `0x${(100n * COIN).toString(16)}`;
      await client.rpc('anvil_setBalance', [signerFromKey(key).address, balance], options);
    }
    const place = { client, signer: signerFromKey(ANVIL_KEYS[1]), pollMs: 5 };
    const genesisSalt = keccak256(utf8Bytes('duties of nodes'));
    const params = { consensus: DEVNET_CONSENSUS, genesisSalt, genesisDelayBlocks: 60 };
    const { stakeHub, entropy } = (await deployDa({ ...place, params }, options)).contracts;
    const { flow } = base.deployment.contracts;
    const duties = { ...place, stakeHub, entropy, flow, params: DEVNET_POSSESSION };
    const address = await deployPossession(duties, options);
    return new DutyNetwork(base, await openPossession(client, address, options));
  }

  get client(): ChainClient {
    return this.base.anvil.client;
  }

  stop(): Promise<void> {
    return this.base.stop();
  }

  senderOf(key: string): TransactionSender {
    const found = this.#providers.get(key);
    if (found !== undefined) return found;
    const sender = createTransactionSender({
      client: this.client,
      signer: signerFromKey(key),
      journal: memoryKeyValueStore(),
      chainId: this.base.deployment.chainId,
      logger: silentLogger(),
      pollMs: 5,
      rebroadcastMs: 200,
      finalBlocks: 1,
    });
    this.#providers.set(key, sender);
    return sender;
  }

  /** Settings of a node that keeps the duties of an account. */
  async config(name: string, key: string): Promise<StorageNodeConfig> {
    const accountFile = join(this.base.directory, `${name}.duty.key`);
    await writeFile(accountFile, key, { mode: 0o600 });
    return {
      ...(await this.base.config(name)),
      mining: undefined,
      duty: {
        contract: this.possession.contract.address,
        accountFile,
        accountPasswordFile: undefined,
        pollMs: 20,
        maxFeePerGasWei: undefined,
      },
    };
  }

  /** Has an account take a duty on for files of the log. */
  async open(key: string, sequences: readonly number[]): Promise<number> {
    const options = { signal: testSignal() };
    const { possession } = this;
    const sender = this.senderOf(key);
    const caller = { possession, sender };
    await bondProvider(caller, 5n * COIN, { ...options, intent: 'bond' });
    const wish = {
      priceWei: PRICE,
      recordsUpTo: (toBlock: number) =>
        readLogRecords(this.client, possession.flow, { fromBlock: 0, toBlock }, options),
      sequences,
    };
    const intent = `open ${sequences.join(' ')}`;
    const id = await openDuty(caller, wish, { ...options, intent });
    await startDuty(caller, id, DEPOSIT, options);
    return id;
  }

  /** Pays for periods of a duty; gives the first one. */
  async fund(id: number, periods: number): Promise<number> {
    const options = { signal: testSignal() };
    const { possession, payer } = this;
    const before = await readDutySpans(possession, id, options);
    const intent = `fund ${id} ${before.length}`;
    const wish = { id, periods, priceWei: PRICE };
    await fundDuty({ possession, sender: payer }, wish, { ...options, intent });
    return (await readDutySpans(possession, id, options)).at(-1)?.from ?? 0;
  }

  /** Goes to the block whose entropy is a period's seed, if it is not over. */
  toSeedOf(period: number): Promise<void> {
    return this.mineTo(seedBlockOf(this.possession.terms, period));
  }

  /** Goes so far that nothing can change any more whether a period was answered. */
  pastWindowOf(period: number): Promise<void> {
    const { terms } = this.possession;
    return this.mineTo(windowEndOf(terms, period) + terms.finalityBlocks + 1);
  }

  async mineTo(block: number): Promise<void> {
    const blocks = block - (await this.client.blockNumber({ signal: testSignal() }));
    if (blocks > 0) await this.base.anvil.mine(blocks);
  }
}
