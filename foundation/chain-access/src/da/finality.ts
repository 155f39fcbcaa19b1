import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';

/** When a chain's block stays: at a depth, or when the chain says so itself. */
export type Finality = number | 'tag';

/**
 * The newest block that stays. With a depth of 2 two blocks must follow it; block 0 always stays.
 *
 * @throws {ChainError} CHAIN_BAD_REPLY where the chain knows no final block; what the client throws
 */
export async function finalBlock(
  client: Pick<ChainClient, 'blockNumber' | 'getBlock'>,
  finality: Finality,
  options: CallOptions,
): Promise<number> {
  if (finality !== 'tag') return Math.max(0, (await client.blockNumber(options)) - finality);
  const block = await client.getBlock('finalized', options);
  if (block !== undefined) return block.number;
  throw new ChainError(
    { code: 'CHAIN_BAD_REPLY', method: 'eth_getBlockByNumber', reason: 'no finalized block' },
    'the chain names no final block: its finality has to be given as a depth',
  );
}
