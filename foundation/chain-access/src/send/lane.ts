import {
  type ChainId,
  type Hex,
  type KeyValueStore,
  keccak256,
  Semaphore,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import type { LocalSigner, SignedTransaction, UnsignedTransaction } from '../keys/signer.ts';
import { checkChainId } from '../log/check-contract.ts';
import { insufficientFunds } from './errors.ts';
import { offered, suggestFees } from './fees.ts';
import { type IntentRecord, Journal, type Round, type Variant } from './journal.ts';
import { laneOf } from './keyspace.ts';
import type { TransactionIntent } from './transaction-sender.ts';

/** What a lane needs. */
interface LaneDeps {
  readonly client: ChainClient;
  readonly signer: LocalSigner;
  readonly store: KeyValueStore;
  readonly chainId: ChainId;
  readonly maxFeePerGasWei: bigint | undefined;
}

/** Signings that may wait for the one before; a lane signs some hundreds a second. */
const MAX_WAITING = 4096;

/**
 * One account's nonces on one chain: which are taken, by what, and what was signed for them.
 *
 * Nothing leaves it before the journal holds it on disk.
 */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #turns = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  /** Every intent that is not settled. */
  readonly #open = new Map<string, IntentRecord>();
  #journal: Journal | undefined;
  /** The last of our transactions that was seen in a block, for endpoints that lag behind it. */
  #newestMined: { readonly nonce: number; readonly hash: Hex } | undefined;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** Open intents, in no order. */
  get openRecords(): Iterable<IntentRecord> {
    return this.#open.values();
  }

  /** Checks the chain and reads the journal, once. @throws {ChainError} CHAIN_WRONG_ID and others */
  async load(options: CallOptions): Promise<void> {
    if (this.#journal !== undefined) return;
    await this.#turns.run(async () => {
      if (this.#journal !== undefined) return;
      const { client, chainId, store, signer } = this.#deps;
      await checkChainId(client, chainId, options);
      const genesis = await client.getBlock(0, options);
      if (genesis === undefined) {
        throw new ChainError(
          { code: 'CHAIN_BAD_REPLY', method: 'eth_getBlockByNumber', reason: 'no first block' },
          `the endpoint ${client.endpoint} does not know the chain's first block`,
        );
      }
      const journal = new Journal(store, laneOf(chainId, genesis.hash, signer.address));
      for (const record of await journal.open(options.signal))
        this.#open.set(record.intent, record);
      this.#journal = journal;
    }, options.signal);
  }

  async find(intent: string): Promise<IntentRecord | undefined> {
    return this.#open.get(intent) ?? (await this.#requireJournal().find(intent));
  }

  /** Stores a changed record; returns once it is on the disk. */
  async put(record: IntentRecord): Promise<IntentRecord> {
    await this.#requireJournal().put(record);
    if (record.mined === undefined) this.#open.set(record.intent, record);
    else this.#open.delete(record.intent);
    return record;
  }

  /** Remembers that a transaction of ours is in a block. */
  noteMined(nonce: number, hash: Hex): void {
    if (this.#newestMined === undefined || nonce >= this.#newestMined.nonce) {
      this.#newestMined = { nonce, hash };
    }
  }

  /** The open record, other than `intent`'s, whose round has `nonce`: live ones unless `any`. */
  holderOf(
    nonce: number,
    intent: string | undefined,
    which: 'live' | 'any' = 'live',
  ): IntentRecord | undefined {
    let refused: IntentRecord | undefined;
    for (const record of this.#open.values()) {
      const round = record.rounds.at(-1);
      if (record.intent === intent || round?.nonce !== nonce) continue;
      if (round.state === 'live') return record;
      if (round.state === 'refused' && which === 'any') refused = record;
    }
    return refused;
  }

  /** Changes a record as it is now, and stores it. Waits its turn; never call it while holding the lane. */
  async update(
    intent: string,
    change: (record: IntentRecord) => IntentRecord,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#turns.run(async () => {
      const record = await this.find(intent);
      if (record !== undefined) await this.put(change(record));
    }, signal);
  }

  /** Runs `task` when no other intent is taking a nonce. */
  async exclusively<Result>(task: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return this.#turns.run(task, signal);
  }

  /**
   * Signs a new round with the next free nonce and journals it.
   *
   * Call it {@link exclusively}.
   *
   * @throws {TransactionError} TX_INSUFFICIENT_FUNDS, TX_FEE_ABOVE_CAP; what the client throws
   */
  async signRound(
    request: TransactionIntent,
    gasLimit: bigint,
    earlier: readonly Round[],
    options: CallOptions,
  ): Promise<IntentRecord> {
    const { client, signer, chainId, maxFeePerGasWei } = this.#deps;
    const fees = await suggestFees(client, maxFeePerGasWei, options);
    const { feePerGas } = offered(fees);
    const costWei = request.valueWei + gasLimit * feePerGas;
    const signedAtBlock = await client.blockNumber(options);
    const mined = await client.getTransactionCount(signer.address, 'latest', options);
    await this.#requireFunds(costWei, mined, options);
    const nonce = await this.#nextNonce(mined, options);
    const unsigned: UnsignedTransaction = {
      chainId,
      nonce,
      to: request.to,
      data: request.data,
      valueWei: request.valueWei,
      gasLimit,
      fees,
    };
    const variant = variantOf(signer.signTransaction(unsigned), unsigned);
    return this.put({
      intent: request.intent,
      fingerprint: fingerprintOf(request),
      rounds: [...earlier, { nonce, signedAtBlock, variants: [variant], costWei, state: 'live' }],
      mined: undefined,
    });
  }

  async #requireFunds(costWei: bigint, mined: number, options: CallOptions): Promise<void> {
    const { client, signer } = this.#deps;
    const balanceWei = await client.getBalance(signer.address, options);
    let neededWei = costWei;
    for (const { rounds } of this.#open.values()) {
      const round = rounds.at(-1);
      if (round?.state === 'live' && round.nonce >= mined) neededWei += round.costWei;
    }
    if (balanceWei < neededWei) throw insufficientFunds(signer.address, balanceWei, neededWei);
  }

  async #nextNonce(mined: number, options: CallOptions): Promise<number> {
    const { client, signer } = this.#deps;
    const pending = await client.getTransactionCount(signer.address, 'pending', options);
    let nonce = Math.max(mined, pending);
    const newest = this.#newestMined;
    if (newest !== undefined && newest.nonce >= nonce) {
      // The endpoint lags, or a reorganisation took our transaction back: its receipt tells.
      if ((await client.getReceipt(newest.hash, options)) !== undefined) nonce = newest.nonce + 1;
    }
    while (this.holderOf(nonce, undefined) !== undefined) nonce += 1;
    return nonce;
  }

  #requireJournal(): Journal {
    if (this.#journal === undefined) throw new Error('the lane was not loaded');
    return this.#journal;
  }
}

/** keccak-256 over recipient and data of an intent. */
export function fingerprintOf({ to, data }: TransactionIntent): Hex {
  return toHex(keccak256(utf8Bytes(`${to ?? 'deploy'}:${toHex(data)}`)));
}

/** The journal's form of a signed transaction. */
export function variantOf(signed: SignedTransaction, { fees }: UnsignedTransaction): Variant {
  return { ...signed, ...offered(fees) };
}
