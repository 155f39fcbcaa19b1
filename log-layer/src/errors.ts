import { type Address, type ChainId, Fault, type Root, type Sequence } from '@cairn/primitives';

/** What can be wrong between the chain's log and what is stored of it. */
export type LogFault =
  /** The store was made for another chain or log contract. */
  | {
      readonly code: 'LOG_STORE_WRONG_CHAIN';
      readonly storedChainId: ChainId;
      readonly storedFlow: Address;
      readonly chainId: ChainId;
      readonly flow: Address;
    }
  /** The store has a layout this build does not read. */
  | { readonly code: 'LOG_STORE_VERSION'; readonly version: number; readonly supported: number }
  /** A stored record that cannot be what was written. */
  | { readonly code: 'LOG_STORE_DAMAGED'; readonly what: string; readonly sizeBytes: number }
  /** The chain's next entry is not the next one here. */
  | { readonly code: 'LOG_GAP'; readonly expected: Sequence; readonly actual: Sequence }
  /** The chain puts an entry elsewhere than its own rules do. */
  | {
      readonly code: 'LOG_MISPLACED';
      readonly sequence: Sequence;
      readonly expectedSector: number;
      readonly actualSector: number;
    }
  /** The flow root computed here is not the contract's: both are evidence. */
  | {
      readonly code: 'LOG_FLOW_MISMATCH';
      readonly sequence: Sequence;
      readonly localRoot: Root;
      readonly chainRoot: Root;
      readonly localLength: number;
    }
  /** A rollback to a block after the newest one applied. */
  | { readonly code: 'LOG_ROLLBACK_AHEAD'; readonly to: number; readonly newest: number };

/** The log is not what it should be. */
export class LogError extends Fault<LogFault> {}

/** What can be wrong with a stored segment or with storing one. */
export type SegmentFault =
  /** Root or size of the segment are not the entry's. */
  | {
      readonly code: 'ENTRY_MISMATCH';
      readonly sequence: Sequence;
      readonly expectedSizeBytes: number;
      readonly actualSizeBytes: number;
    }
  /** The chain replaced the entry while its segment was on the way. */
  | { readonly code: 'ENTRY_REPLACED'; readonly sequence: Sequence }
  /** The piece is kept sealed, and nothing here unseals yet. */
  | { readonly code: 'SEGMENT_SEALED'; readonly sector: number }
  /** A stored record of a piece that cannot be read. */
  | { readonly code: 'SEGMENT_RECORD'; readonly sector: number; readonly sizeBytes: number }
  /** A file with more segments than a bitmap may have. */
  | {
      readonly code: 'SEGMENT_BITMAP_TOO_LARGE';
      readonly segments: number;
      readonly maxSegments: number;
    }
  /** A segment that was there when reading began and is gone. */
  | { readonly code: 'SEGMENT_NOT_HELD'; readonly sequence: Sequence; readonly index: number }
  /** A proof asked for under a flow root that is not known any more, or never was. */
  | { readonly code: 'FLOW_ROOT_UNKNOWN'; readonly root: Root };

/** A segment that cannot be stored or read. */
export class SegmentError extends Fault<SegmentFault> {}

/** Why a segment without a log entry is not kept in memory. */
export type CacheFault =
  | { readonly code: 'CACHE_FILE_TOO_LARGE'; readonly sizeBytes: number; readonly maxBytes: number }
  | { readonly code: 'CACHE_FULL'; readonly heldBytes: number; readonly maxBytes: number };

/** A segment that has to wait for its log entry elsewhere. */
export class CacheError extends Fault<CacheFault> {}
