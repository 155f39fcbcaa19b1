import { Fault } from '@cairn/primitives';

/** What can go wrong with a deployment besides the chain and its transactions. */
export type DeployFault =
  /** Transactions of others took the nonces in between, in every attempt. */
  | { readonly code: 'DEPLOY_NONCES_TAKEN'; readonly attempts: number }
  /** A contract is not there, or names another one than it should. */
  | {
      readonly code: 'DEPLOY_MISMATCH';
      readonly contract: string;
      readonly expected: string;
      readonly actual: string;
    }
  | { readonly code: 'DEPLOY_FILE_INVALID'; readonly field: string };

/** Contracts that are not deployed as they should be. */
export class DeployError extends Fault<DeployFault> {}
