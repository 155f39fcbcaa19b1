import { keccak256, toHex } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { TransactionError } from '../send/errors.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import type { Contract, ContractAbi } from './contract.ts';

/** A call that changes something, which the same intent makes once. */
export interface IntendedOptions extends SendOptions {
  /** Names the call: the same again, after a crash too, is the same call. */
  readonly intent: string;
}

/** What is called, with what. */
export interface ContractCall {
  readonly contract: Contract;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly valueWei?: bigint;
  /** As `TransactionIntent`'s, by the bytes of calldata. */
  readonly enoughGas?: (dataBytes: number) => bigint | undefined;
  /** ABIs of other contracts whose errors come through. */
  readonly others?: readonly ContractAbi[];
}

/**
 * Calls a function in a transaction and waits until a block holds it.
 *
 * @param options - without an intent the call is named by its content: the same call is made once ever
 * @throws {TransactionError}; {ChainError}; {QueueFullError}; the signal's reason
 */
export async function sendCall(
  sender: TransactionSender,
  { contract, name, args, valueWei = 0n, enoughGas, others = [] }: ContractCall,
  options: SendOptions & { readonly intent?: string },
): Promise<TransactionReceipt> {
  const { intent, ...rest } = options;
  const data = contract.encode(name, args);
  return sender.send(
    {
      intent: intent ?? `${name}:${contract.address}:${toHex(keccak256(data))}`,
      to: contract.address,
      data,
      valueWei,
      enoughGas: enoughGas?.(data.length),
      errors: [contract.abi, ...others],
    },
    rest,
  );
}

/** Name of the error with which a contract refused a transaction; `undefined` for any other failure. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof TransactionError)) return undefined;
  return error.facts.code === 'TX_REVERTED' ? error.facts.errorName : undefined;
}
