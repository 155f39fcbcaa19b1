import { sectorsOf, segmentsOf } from '@cairn/commitments';
import type { LogEntry } from '@cairn/log-layer';
import { type Json, MAX_DOWNLOAD_SECTORS, SECTOR_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';
import { invalidParam, serverRpcError, ZGS } from '@cairn/wire-protocol';
import type { EntryFinder, KnownEntry } from '../entry-finder.ts';
import type { SegmentReader } from '../journeys/serve-segment.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';
import { encodeData, zgSegmentJson } from './segment-json.ts';

/** What the download methods need. */
export interface ZgDownloadDeps {
  readonly finder: EntryFinder;
  readonly reader: Pick<SegmentReader, 'read'>;
}

/**
 * The four download methods. What is unknown or not held here is null, never an empty text, which
 * old Go clients crash on; files that are not complete give what there is.
 */
export function zgDownloadMethods({ finder, reader }: ZgDownloadDeps): JsonRpcMethods {
  const sectors = async (
    known: KnownEntry | undefined,
    range: SectorRange,
    signal: AbortSignal,
  ): Promise<Json> => {
    if (known === undefined) return null;
    const bytes = await readSectors(known.entry, range, { reader, signal });
    return bytes === undefined ? null : encodeData(bytes);
  };
  const segment = async (
    known: KnownEntry | undefined,
    index: number,
    signal: AbortSignal,
  ): Promise<Json> => {
    if (known === undefined) return null;
    const { entry } = known;
    if (index >= segmentsOf(entry.sizeBytes)) throw invalidParam('index', 'index out of bound');
    const found = await reader.read(entry, index, { signal });
    return found === undefined ? null : zgSegmentJson(found);
  };
  return {
    [ZGS.downloadSegment]: {
      parameters: 3,
      run: async (parameters, { signal }) => {
        const [start, end] = [parameters.natural(1), parameters.natural(2)];
        const known = await finder.byRoot(parameters.root(0), signal);
        // An unknown root is null before the range is looked at, as on 0G nodes.
        return known === undefined ? null : sectors(known, checkedRange(start, end), signal);
      },
    },
    [ZGS.downloadSegmentByTxSeq]: {
      parameters: 3,
      run: async (parameters, { signal }) => {
        const range = checkedRange(parameters.natural(1), parameters.natural(2));
        return sectors(await finder.bySequence(parameters.sequence(0)), range, signal);
      },
    },
    [ZGS.downloadSegmentWithProof]: {
      parameters: 2,
      run: async (parameters, { signal }) => {
        const index = parameters.natural(1);
        return segment(await finder.byRoot(parameters.root(0), signal), index, signal);
      },
    },
    [ZGS.downloadSegmentWithProofByTxSeq]: {
      parameters: 2,
      run: async (parameters, { signal }) => {
        const index = parameters.natural(1);
        return segment(await finder.bySequence(parameters.sequence(0)), index, signal);
      },
    },
  };
}

/** Sectors of a file, the end not included. */
interface SectorRange {
  readonly start: number;
  readonly end: number;
}

function checkedRange(start: number, end: number): SectorRange {
  if (start >= end) throw invalidParam('end_index', 'invalid chunk index');
  if (end - start > MAX_DOWNLOAD_SECTORS) {
    throw invalidParam('end_index', `exceeds maximum chunks ${MAX_DOWNLOAD_SECTORS}`);
  }
  return { start, end };
}

/** The sectors, from one segment or two; `undefined` if one of them is not held. */
async function readSectors(
  entry: LogEntry,
  { start, end }: SectorRange,
  {
    reader,
    signal,
  }: { readonly reader: Pick<SegmentReader, 'read'>; readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  const sectors = sectorsOf(entry.sizeBytes);
  if (end > sectors) {
    throw serverRpcError(`end entry index exceeds tx size: end=${end} tx size=${sectors}`);
  }
  const bytes = new Uint8Array((end - start) * SECTOR_BYTES);
  for (let at = start; at < end; ) {
    const index = Math.floor(at / SEGMENT_SECTORS);
    const stop = Math.min(end, (index + 1) * SEGMENT_SECTORS);
    const segment = await reader.read(entry, index, { signal });
    if (segment === undefined) return undefined;
    const from = at - index * SEGMENT_SECTORS;
    const part = segment.data.subarray(from * SECTOR_BYTES, (from + stop - at) * SECTOR_BYTES);
    bytes.set(part, (at - start) * SECTOR_BYTES);
    at = stop;
  }
  return bytes;
}
