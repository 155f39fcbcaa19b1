import { Fault, type Hex } from '@cairn/primitives';

/** What can be wrong with a mining contract, or with what it was asked for. */
export type MineFault =
  /** The contract keeps other rules than this build. */
  | { readonly code: 'MINE_VERSION'; readonly expected: number; readonly actual: number }
  /** Contracts of different networks. */
  | {
      readonly code: 'MINE_CONTRACTS_DIFFER';
      readonly what: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** A request for a miner id went through and none was announced. */
  | { readonly code: 'MINE_NO_ID'; readonly transactionHash: Hex };

/** A mining contract that cannot be mined with. */
export class MineError extends Fault<MineFault> {}
