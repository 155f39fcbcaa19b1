import type { Address, ChainId } from '@cairn/primitives';
import { selectorOf } from '../client/abi.ts';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { NUM_SUBMISSIONS } from '../flow/abi.ts';

/** @throws {ChainError} CHAIN_WRONG_ID if the endpoint serves another chain than `expected` */
export async function checkChainId(
  client: ChainClient,
  expected: ChainId | undefined,
  options: CallOptions,
): Promise<ChainId> {
  const actual = await client.chainId(options);
  if (expected !== undefined && actual !== expected) {
    throw new ChainError(
      { code: 'CHAIN_WRONG_ID', expected, actual },
      `the endpoint ${client.endpoint} serves chain ${actual}, but chain ${expected} is expected`,
    );
  }
  return actual;
}

/** @throws {ChainError} CHAIN_NO_CONTRACT if there is no code at `address` */
export async function checkCode(
  client: ChainClient,
  address: Address,
  chainId: ChainId,
  options: CallOptions,
): Promise<void> {
  const code = await client.getCode(address, options);
  if (code.length > 0) return;
  throw new ChainError(
    { code: 'CHAIN_NO_CONTRACT', address, chainId },
    `there is no contract at ${address} on chain ${chainId}`,
  );
}

/** Whether an answer to a call shows that another contract is there: none, or one that cannot be. */
export function isOtherContract(error: unknown): error is ChainError {
  if (!(error instanceof ChainError)) return false;
  return error.code === 'CHAIN_RPC_ERROR' || error.code === 'CHAIN_BAD_REPLY';
}

/**
 * Checks that a log contract, of whatever generation, is at `address`.
 *
 * @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT
 */
export async function checkLogContract(
  client: ChainClient,
  address: Address,
  chainId: ChainId,
  options: CallOptions,
): Promise<void> {
  await checkCode(client, address, chainId, options);
  try {
    await client.call(address, NUM_SUBMISSIONS, [], options);
  } catch (error) {
    if (!isOtherContract(error)) throw error;
    const selector = selectorOf(NUM_SUBMISSIONS);
    throw new ChainError(
      { code: 'CHAIN_WRONG_CONTRACT', address, chainId, selector, generation: 'unknown' },
      `the contract at ${address} on chain ${chainId} is no log contract: it does not answer numSubmissions() (${selector})`,
      { cause: error },
    );
  }
}
