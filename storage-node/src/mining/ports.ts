import type { SealContext, WorkerContext } from '@cairn/chain-access/pora';
import type { PoraAnswer } from '@cairn/pora';
import type { Address } from '@cairn/primitives';

interface Waiting {
  readonly signal: AbortSignal;
}

/** What an accepted answer brought, in wei. */
export interface MinedReward {
  readonly rewardWei: bigint;
  readonly gasWei: bigint;
}

/** What the account that pays for answers has, and what one takes, in wei. */
export interface MiningFunds {
  readonly balanceWei: bigint;
  /** Of 500,000 gas at the price that is asked now: answers take 380,000 to 430,000. */
  readonly answerWei: bigint;
  /** What the reward contract has put aside for it, of answers of whatever process. */
  readonly waitingWei: bigint;
}

/** Mining contracts as a miner uses them. Every method throws what the chain client throws. */
export interface MiningChain {
  /** Who pays for answers and is paid for them. */
  readonly account: Address;
  workerContext(minerId: Uint8Array, options: Waiting): Promise<WorkerContext>;
  funds(options: Waiting): Promise<MiningFunds>;
  /** The context of a sector; `undefined` while none holds it. */
  sealContext(sector: number, options: Waiting): Promise<SealContext | undefined>;
  beneficiaryOf(minerId: Uint8Array, options: Waiting): Promise<Address | undefined>;
  /** Asks for an id once: the same call after a crash gives the same id. */
  requestMinerId(options: Waiting): Promise<Uint8Array>;
  /** @throws {TransactionError} TX_REVERTED with the name of the contract's reason */
  submit(answer: PoraAnswer, hash: Uint8Array, options: Waiting): Promise<MinedReward>;
  close(): Promise<void>;
}
