import type { Hex, Root, Sequence } from '@cairn/primitives';
import type { CostQuote } from './cost.ts';
import type { Encryption } from './encryption/keys.ts';
import type { Placement } from './shards/placement.ts';

/** What happens during an upload, in the order in which it happens. Counts are of one file. */
export type PutEvent =
  | { readonly step: 'hashing'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly step: 'prepared'; readonly root: Root; readonly sizeBytes: number }
  /** Which consensus shard it will be, and why; where the client knows of several. */
  | { readonly step: 'placed'; readonly placement: Placement }
  | { readonly step: 'quoted'; readonly quote: CostQuote }
  | { readonly step: 'submitting'; readonly roots: readonly Root[] }
  | {
      readonly step: 'submitted';
      readonly root: Root;
      readonly sequence: Sequence;
      readonly transactionHash?: Hex;
    }
  /** Waiting until the holders have read the file's log entry from the chain. */
  | { readonly step: 'waiting'; readonly root: Root; readonly holders: readonly string[] }
  | {
      readonly step: 'sending';
      readonly root: Root;
      readonly holder: string;
      /** Segments this holder has, of those its shard keeps. */
      readonly doneSegments: number;
      readonly totalSegments: number;
    }
  | {
      readonly step: 'holderLost';
      readonly root: Root;
      readonly holder: string;
      readonly reason: string;
    }
  | { readonly step: 'finalised'; readonly root: Root; readonly sequence: Sequence };

/** How a file is stored. Everything left out has a working default. */
export interface PutOptions {
  /** Free bytes stored with the log entry; the key-value layer reads stream ids here. */
  readonly tags?: Uint8Array;
  /** Full copies to store; 1 unless told. */
  readonly replicas?: number;
  /**
   * The consensus shard, by its number at the hub, of a client that knows several. Unless told it is one that has the
   * file already, or was paid for it by an upload that was cut off, or else the cheapest at that time.
   */
  readonly shard?: number;
  /** Files longer than this are cut into files of this size: a power of two, 4 GiB unless told. */
  readonly fragmentBytes?: number;
  /** Name under which a cut file's fragments are listed in its manifest; `file` unless told. */
  readonly name?: string;
  readonly encryption?: Encryption;
  /** Whether to wait until every chosen holder has it all; true unless told. */
  readonly finalityRequired?: boolean;
  /** The longest wait for holders, after the last of them made progress; 120,000 unless told. */
  readonly timeoutMs?: number;
  /** Segments read and on their way at once, over all holders; 8 unless told. */
  readonly parallel?: number;
  /**
   * Pays for a new log entry even where the file is known. The text names the operation: the same
   * file with the same text is paid once, however often the upload is run.
   */
  readonly resubmit?: string;
  /**
   * Names the bytes across runs, so that an upload that was cut off goes on where it was without
   * hashing or encrypting anew. It must change when the bytes do: an upload under a name that was
   * cut off before is taken for the same bytes. File sources of the Node entry bring one.
   */
  readonly resumeKey?: string;
  /** Sees the price before anything is paid; returning `false` ends the upload unpaid. */
  readonly onQuote?: (quote: CostQuote) => boolean | undefined | Promise<boolean | undefined>;
  readonly onProgress?: (event: PutEvent) => void;
  readonly signal?: AbortSignal;
}

/** How a directory is stored. */
export interface PutDirectoryOptions
  extends Omit<PutOptions, 'name' | 'tags' | 'resubmit' | 'resumeKey' | 'onQuote'> {
  /** Told of each file as it is stored; `root` is absent for empty files and those that are cut. */
  readonly onFile?: (path: string, root: Root | undefined, sizeBytes: number) => void;
}
