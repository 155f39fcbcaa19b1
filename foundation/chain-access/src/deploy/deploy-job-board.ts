import { jobBoardAbi, jobBoardBytecode } from '@cairn/contracts';
import type { Address } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { DeployOptions } from './deploy-contracts.ts';
import { createSteps } from './steps.ts';

/** Who deploys a board of jobs, and beside which order. */
export interface JobBoardOptions extends Omit<DeployOptions, 'params'> {
  readonly orderingHub: Address;
  /** Seconds for which who takes a job has it alone; an hour unless told. */
  readonly workSeconds?: number;
}

/** Deploys a JobBoard. Goes on where a journal says it ended. @throws {TransactionError}; {ChainError}; the signal's reason */
export async function deployJobBoard(
  options: JobBoardOptions,
  { signal }: CallOptions,
): Promise<Address> {
  const { client, name = 'main', orderingHub, workSeconds = 3600 } = options;
  const chainId = await client.chainId({ signal });
  const run = createSteps({ ...options, chainId, errors: [jobBoardAbi] }, signal);
  const args = [orderingHub, workSeconds];
  return (await run.create(`${name}:jobBoard`, jobBoardAbi, jobBoardBytecode, args)).address;
}
