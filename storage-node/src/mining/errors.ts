import { type Address, Fault, type Hex } from '@cairn/primitives';

/** Why a node cannot mine. It goes on storing. */
export type MiningFault =
  /** The sealed data here is for another id than the configured one. */
  | { readonly code: 'MINER_ID_DIFFERS'; readonly stored: Hex; readonly configured: Hex }
  | { readonly code: 'MINER_ID_UNKNOWN'; readonly minerId: Hex }
  /** Answers of this id would pay somebody else. */
  | {
      readonly code: 'MINER_ID_FOREIGN';
      readonly minerId: Hex;
      readonly beneficiary: Address;
      readonly account: Address;
    }
  | { readonly code: 'MINER_KEY'; readonly file: string };

/** Something that keeps a node from mining, and that its operator can mend. */
export class MiningError extends Fault<MiningFault> {}
