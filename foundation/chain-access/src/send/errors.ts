import { type Address, Fault, formatCoin } from '@cairn/primitives';

/** What can become of a transaction. Amounts in wei. */
export type TransactionFault =
  /** The contract refuses it: on trial (`transactionHash` undefined, nothing was paid) or in a block (gas was). */
  | {
      readonly code: 'TX_REVERTED';
      readonly intent: string;
      readonly transactionHash: string | undefined;
      /** Name of the contract's error, `Error` for a plain text, `undefined` if no reason came. */
      readonly errorName: string | undefined;
      readonly errorArgs: Readonly<Record<string, string>>;
      readonly reason: string;
    }
  | {
      readonly code: 'TX_INSUFFICIENT_FUNDS';
      readonly address: Address;
      readonly balanceWei: bigint;
      readonly neededWei: bigint;
    }
  /** The chain asks for more per gas than the sender may offer. */
  | { readonly code: 'TX_FEE_ABOVE_CAP'; readonly neededWei: bigint; readonly capWei: bigint }
  /** The same intent was already signed with another recipient or other data. */
  | { readonly code: 'TX_INTENT_CHANGED'; readonly intent: string }
  /** The endpoint refuses the signed transaction for good; it stays in the journal. */
  | {
      readonly code: 'TX_REJECTED';
      readonly intent: string;
      readonly transactionHash: string;
      readonly rpcMessage: string;
    }
  /** The nonce was used, and the endpoint cannot say by what: signing again could pay twice. */
  | {
      readonly code: 'TX_FATE_UNKNOWN';
      readonly intent: string;
      readonly nonce: number;
      readonly transactionHashes: readonly string[];
    }
  /** A journal record that this version cannot read. */
  | { readonly code: 'TX_JOURNAL_DAMAGED'; readonly reason: string };

/** A transaction that was not made, or whose fate is not what was wanted. */
export class TransactionError extends Fault<TransactionFault> {}

/** The fault of an account that cannot pay what it is asked to. */
export function insufficientFunds(
  address: Address,
  balanceWei: bigint,
  neededWei: bigint,
): TransactionError {
  return new TransactionError(
    { code: 'TX_INSUFFICIENT_FUNDS', address, balanceWei, neededWei },
    `account ${address} holds ${formatCoin(balanceWei)} coins, up to ${formatCoin(neededWei)} are needed (${balanceWei} of ${neededWei} wei)`,
  );
}
