import type { Address, Hex } from '@cairn/primitives';
import type { JsonFragment } from 'ethers/abi';
import type { TransactionReceipt } from '../client/parse-replies.ts';

/** A transaction someone wants made, once. */
export interface TransactionIntent {
  /**
   * What it is for, the same again after a crash: two sends with the same intent are one payment.
   * Up to 200 characters.
   */
  readonly intent: string;
  /** `undefined`: creates a contract. */
  readonly to: Address | undefined;
  readonly data: Uint8Array;
  readonly valueWei: bigint;
  /**
   * Gas that is enough for it, where the caller knows: one call tries it then, where an estimate makes an
   * endpoint run it a dozen times. What it does not take is not paid.
   */
  readonly enoughGas?: bigint | undefined;
  /**
   * Gas that it may take beyond an estimate by the time it is in a block, where the caller knows of work that may fall
   * due until then; 0 unless told. What it does not take is not paid.
   */
  readonly spareGas?: bigint | undefined;
  /** ABIs whose errors a revert is read against. */
  readonly errors?: readonly (readonly (string | JsonFragment)[])[];
}

/** How long a send waits, and for what. */
export interface SendOptions {
  readonly signal: AbortSignal;
  /** Blocks that must hold the transaction or follow it, its own included; 1 unless told. */
  readonly confirmations?: number;
  /** Told of every signed form once it is in the journal and before it is sent. */
  readonly onSigned?: (hash: Hex) => void;
}

/** Makes transactions of one account, each intent at most once, whatever crashes in between. */
export interface TransactionSender {
  readonly address: Address;
  /**
   * Makes the transaction and waits until it is in a block.
   *
   * Safe to repeat: the same intent finds its journal record and waits for, or sends again, what was
   * signed. While the chain is silent it waits; end it with the signal, the intent stays open.
   *
   * @throws {TransactionError} TX_REVERTED, TX_INSUFFICIENT_FUNDS, TX_FEE_ABOVE_CAP,
   * TX_INTENT_CHANGED, TX_REJECTED, TX_FATE_UNKNOWN, TX_JOURNAL_DAMAGED; {QueueFullError} QUEUE_FULL;
   * {ChainError} before anything is signed; the signal's reason
   */
  send(intent: TransactionIntent, options: SendOptions): Promise<TransactionReceipt>;
  /** Intents signed and not settled, of earlier runs too. */
  openIntents(options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
}
