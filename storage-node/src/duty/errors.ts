import { type Address, Fault } from '@cairn/primitives';

/** Why duties, or one of them, cannot be kept now. The node goes on storing, and tries again. */
export type DutyFault =
  | { readonly code: 'DUTY_KEY'; readonly file: string }
  /** The contract is of another log than the node's, or on another chain. */
  | {
      readonly code: 'DUTY_OTHER_LOG';
      readonly contract: Address;
      readonly expected: string;
      readonly actual: string;
    }
  | { readonly code: 'DUTY_TOO_MANY'; readonly duties: number; readonly most: number }
  | {
      readonly code: 'DUTY_SET_TOO_LARGE';
      readonly id: number;
      readonly files: number;
      readonly most: number;
    }
  /** The node has not read the log so far yet. */
  | {
      readonly code: 'DUTY_ENTRY_UNKNOWN';
      readonly id: number;
      readonly sequence: number;
      readonly nextSequence: number;
    }
  /** A period asks for a sector that is not here. */
  | {
      readonly code: 'DUTY_SECTOR_NOT_HELD';
      readonly sequence: number;
      readonly segment: number;
      readonly sector: number;
    };

/** Something that keeps a node from keeping a duty, and that its operator can mend. */
export class DutyError extends Fault<DutyFault> {}
