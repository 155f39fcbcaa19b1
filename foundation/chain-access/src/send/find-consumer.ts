import type { Address, Hex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';

/** A nonce's place on the chain. */
interface NonceConsumer {
  readonly hash: Hex;
  readonly block: number;
}

/**
 * The transaction that used an account's nonce between two blocks, found by halving over the
 * account's transaction count: about 20 calls for a million blocks.
 *
 * @returns `undefined` if the endpoint keeps no state that old, or its answers do not fit together
 * @throws {ChainError} CHAIN_UNREACHABLE, CHAIN_BAD_REPLY; the signal's reason
 */
export async function findNonceConsumer(
  client: ChainClient,
  {
    account,
    nonce,
    fromBlock,
    toBlock,
  }: {
    readonly account: Address;
    readonly nonce: number;
    /** The nonce is free as of this block. */
    readonly fromBlock: number;
    /** The nonce is used as of this block. */
    readonly toBlock: number;
  },
  options: CallOptions,
): Promise<NonceConsumer | undefined> {
  let free = Math.max(0, fromBlock - 1); // one block of slack for an endpoint that lagged
  let used = toBlock;
  try {
    while (used - free > 1) {
      const middle = Math.floor((free + used) / 2);
      const count = await client.getTransactionCount(account, middle, options);
      if (count > nonce) used = middle;
      else free = middle;
    }
    const transactions = await client.getBlockTransactions(used, options);
    const found = transactions.find((item) => item.from === account && item.nonce === nonce);
    return found === undefined ? undefined : { hash: found.hash, block: used };
  } catch (error) {
    if (error instanceof ChainError && error.code === 'CHAIN_RPC_ERROR') return undefined;
    throw error;
  }
}
