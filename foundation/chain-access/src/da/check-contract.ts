import { type ChainId, toHex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { checkCode, isOtherContract } from '../log/check-contract.ts';
import type { Contract } from './contract.ts';
import { DaError } from './errors.ts';

/**
 * Checks that a contract is there and answers one function without arguments as its ABI says.
 *
 * @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_WRONG_CONTRACT
 */
export async function checkContract(
  contract: Contract,
  name: string,
  { client, chainId }: { readonly client: ChainClient; readonly chainId: ChainId },
  options: CallOptions,
): Promise<void> {
  const { address } = contract;
  await checkCode(client, address, chainId, options);
  try {
    await contract.read(name, [], options);
  } catch (error) {
    if (!isOtherContract(error)) throw error;
    const selector = toHex(contract.encode(name, []));
    throw new ChainError(
      { code: 'CHAIN_WRONG_CONTRACT', address, chainId, selector, generation: 'unknown' },
      `the contract at ${address} on chain ${chainId} is another one than expected: it does not answer ${name}() (${selector})`,
      { cause: error },
    );
  }
}

/** @throws {DaError} DA_CONTRACTS_DIFFER */
export function requireSame(what: string, expected: string, actual: string): void {
  if (actual === expected) return;
  throw new DaError(
    { code: 'DA_CONTRACTS_DIFFER', what, expected, actual },
    `the contracts do not belong to each other: the ${what} is ${actual}, not ${expected}`,
  );
}
