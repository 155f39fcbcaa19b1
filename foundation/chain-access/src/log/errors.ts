import { ChainError } from '../client/errors.ts';

/** A page whose logs contradict the blocks or each other; reading it again may help. */
export function inconsistent(fromBlock: number, toBlock: number, reason: string): ChainError {
  return new ChainError(
    { code: 'CHAIN_LOGS_INCONSISTENT', fromBlock, toBlock, reason },
    `the logs of blocks ${fromBlock} to ${toBlock} are not usable: ${reason}`,
  );
}

/** The chain changed while a page was read: not a fault of the endpoint, only a reason to look again. */
export class ChainMoved extends Error {}
