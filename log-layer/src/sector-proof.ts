import {
  flowProof,
  type Hasher,
  type SectorPath,
  sectorPath,
  zeroSubtreeRoot,
} from '@cairn/commitments';
import { rootOf, SECTOR_BYTES, SEGMENT_HEIGHT, SEGMENT_SECTORS } from '@cairn/primitives';
import { SegmentError } from './errors.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogStore } from './log-store.ts';
import type { Reader } from './reader.ts';

/** What proving sectors works with. */
export interface SectorProofDeps {
  readonly log: LogStore;
  readonly reader: Pick<Reader, 'segmentWithProof'>;
  readonly hasher: Hasher;
}

/** That a sector is in the flow. */
export interface SectorProof {
  /** Hash of the sector, 32 bytes. */
  readonly leaf: Uint8Array;
  /** 32 bytes each, bottom-up; bit i of the sector's number says on which side: 0 = right. */
  readonly siblings: readonly Uint8Array[];
  /** The flow root, 32 bytes. */
  readonly root: Uint8Array;
  /** Sectors of the flow under that root. */
  readonly length: number;
}

/**
 * Proves sector `sector` of the flow under `flowRoot`, or under the root as of now.
 *
 * @returns `undefined` if the sector is not in the flow, or its segment is not held
 * @throws {SegmentError} FLOW_ROOT_UNKNOWN for a root that is none of the last 256 blocks'
 */
export async function proveSector(
  sector: number,
  flowRoot: Uint8Array | undefined,
  { log, reader, hasher }: SectorProofDeps,
  signal: AbortSignal,
): Promise<SectorProof | undefined> {
  const root = flowRoot ?? log.flowRoot();
  const length = log.flowLengthOf(root);
  if (length === undefined) {
    const unknown = rootOf(root);
    throw new SegmentError(
      { code: 'FLOW_ROOT_UNKNOWN', root: unknown },
      `${unknown} is not the flow root after any of the last blocks`,
    );
  }
  const path = await sectorInFlow(sector, length, { log, reader, hasher }, signal);
  return path === undefined ? undefined : { ...path, root, length };
}

/**
 * The path of a sector up to the root of the flow when it had `length` sectors.
 *
 * @returns `undefined` if the sector was not in the flow then, or its segment is not held
 * @throws {CommitmentError} NODE_MISSING if the log is not read that far
 */
export async function sectorInFlow(
  sector: number,
  length: number,
  { log, reader, hasher }: SectorProofDeps,
  signal: AbortSignal,
): Promise<SectorPath | undefined> {
  if (!Number.isSafeInteger(sector) || sector < 0 || sector >= length) return undefined;
  const entry = await log.entryOfSector(sector, signal);
  const inside =
    entry === undefined
      ? nobodysSector(sector)
      : await insideNode(entry, sector, { reader, hasher }, signal);
  if (inside === undefined) return undefined;
  const level = inside.siblings.length;
  const index = Math.floor(sector / 2 ** level);
  const above = await flowProof({ level, index, length }, log.flowNodes, hasher);
  return { leaf: inside.leaf, siblings: [...inside.siblings, ...above] };
}

/** A sector that belongs to no entry: the log's first, or one of an alignment gap. */
function nobodysSector(sector: number): SectorPath {
  return { leaf: sector === 0 ? new Uint8Array(32) : zeroSubtreeRoot(0), siblings: [] };
}

/** The path from a sector to the root of the submission node it lies in. */
async function insideNode(
  entry: LogEntry,
  sector: number,
  { reader, hasher }: Pick<SectorProofDeps, 'reader' | 'hasher'>,
  signal: AbortSignal,
): Promise<SectorPath | undefined> {
  const place = sector - entry.startSector;
  let start = 0;
  let height = 0;
  for (const node of entry.nodes) {
    height = node.height;
    if (place < start + 2 ** height) break;
    start += 2 ** height;
  }
  const index = Math.floor(place / SEGMENT_SECTORS);
  if (index * SEGMENT_SECTORS * SECTOR_BYTES >= entry.sizeBytes) {
    return zeroPath(height); // padding only: such nodes hold no data, as the proofs of others show
  }
  const segment = await reader.segmentWithProof(entry, index, { signal });
  if (segment === undefined) return undefined;
  if (height < SEGMENT_HEIGHT) {
    const from = (start - index * SEGMENT_SECTORS) * SECTOR_BYTES;
    const data = segment.data.subarray(from, from + 2 ** height * SECTOR_BYTES);
    return data.length === 0 ? zeroPath(height) : sectorPath(hasher, data, height, place - start);
  }
  const path = sectorPath(hasher, segment.data, SEGMENT_HEIGHT, place % SEGMENT_SECTORS);
  const between = segment.proof.siblings.slice(0, height - SEGMENT_HEIGHT);
  return { leaf: path.leaf, siblings: [...path.siblings, ...between] };
}

function zeroPath(height: number): SectorPath {
  const siblings = Array.from({ length: height }, (_, level) => zeroSubtreeRoot(level));
  return { leaf: zeroSubtreeRoot(0), siblings };
}
