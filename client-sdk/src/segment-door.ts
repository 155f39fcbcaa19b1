import type { FileSector, Segment } from '@cairn/commitments';
import type { ChainId, Root, Sequence } from '@cairn/primitives';

/** A file's log entry, as far as moving its segments needs it. */
export interface EntryPlace {
  readonly chainId: ChainId;
  readonly root: Root;
  readonly sequence: Sequence;
  readonly sizeBytes: number;
  readonly startSector: number;
}

/** A segment on its way out, with the root over its own sectors. */
export interface OutgoingSegment extends Segment {
  readonly segmentRoot: Uint8Array;
  /** Segments of the padded file. */
  readonly paddedSegments: number;
}

/** What a holder said to a segment. */
export type SendOutcome =
  /** It has the segment, now or from before. */
  | 'stored'
  /** It has the whole file: nothing more needs to be sent. */
  | 'complete'
  /** It is busy, or does not know the entry yet. */
  | 'later';

/** What a holder has of an entry. */
export interface HolderProgress {
  readonly finalized: boolean;
  /** Whether the holder has segment `index`; `undefined`: it does not tell. */
  readonly holds: ((index: number) => boolean) | undefined;
}

/** Moves segments to and from one node, in whichever form it understands. */
export interface SegmentDoor {
  /** @throws {TransportError} where another try may help; other faults where it will not */
  send(
    entry: EntryPlace,
    segment: OutgoingSegment,
    options: { readonly signal: AbortSignal },
  ): Promise<SendOutcome>;
  /** A segment as the node claims it; `undefined` if it has none. @throws {TransportError} {WireError} {RpcError} */
  fetch(
    entry: EntryPlace,
    index: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Segment | undefined>;
  /**
   * Up to `count` segments from `first` on in one request, as the node claims them, ending where it
   * has none. Left out where the node cannot. They share the memory that `allocate` gives for them.
   * @throws as `fetch`
   */
  fetchRun?(
    entry: EntryPlace,
    first: number,
    count: number,
    options: {
      readonly signal: AbortSignal;
      readonly allocate?: (length: number) => Uint8Array;
    },
  ): Promise<readonly Segment[]>;
  /**
   * One sector with its path, as the node claims it; `undefined` if it has none. Left out where the
   * node cannot.
   * @throws as `fetch`
   */
  fetchSector?(
    entry: EntryPlace,
    index: number,
    options: { readonly signal: AbortSignal },
  ): Promise<FileSector | undefined>;
  /** `undefined` while the node does not know the entry, or has another file's in its place. */
  progress(
    entry: Pick<EntryPlace, 'root' | 'sequence' | 'sizeBytes'>,
    options: { readonly signal: AbortSignal },
  ): Promise<HolderProgress | undefined>;
}
