import type { VerifiedSegment } from '@cairn/commitments';
import type { FileSource, StreamOptions } from '@cairn/log-layer';
import { BufferPool, mapConcurrent, type Root, SEGMENT_BYTES } from '@cairn/primitives';
import { MAX_SEGMENT_MESSAGE_BYTES, MAX_SEGMENTS_PER_REPLY } from '@cairn/wire-protocol';
import type { ByteRange, FileReference, HolderEvidence, StoredFile } from './client.ts';
import { SdkError } from './errors.ts';
import { type FetchDeps, fetchRun, type SegmentRun } from './fetch-segment.ts';
import {
  type EntryReference,
  type FileLocator,
  type LocatedFile,
  parseReference,
} from './locate-file.ts';
import { joinSources, readFromStream, resolveRange } from './sources.ts';

/** Segments fetched ahead of the reader unless told: two requests; 6 MiB with the one being read. */
export const READ_PARALLEL = 16;
/** The most that may be asked for: 66 MiB in memory. */
const MAX_READ_PARALLEL = 256;

/** What reading needs. */
export type DownloadDeps = FetchDeps & { readonly locate: FileLocator };

/** How a file is opened. */
export interface OpenOptions {
  readonly signal: AbortSignal;
  /** Segments fetched ahead of the reader; 16 unless told, taken as 1 to 256. */
  readonly parallel?: number;
}

/** One opened file of the log, with the fragments it is made of. */
export interface OpenedFile extends StoredFile {
  /** In order; the file itself if it was not cut. */
  readonly fragments: readonly FileSource[];
}

/**
 * The Read journey: find who has the file → fetch each segment from the fastest holder → prove it
 * → hand it on. The reader pulls; nothing unproven is ever given.
 *
 * The root proves the bytes, not how many trailing zero bytes belong to the file: the length is
 * what the log entry says, on which holders must agree and which is checked on the chain where the
 * client has one.
 *
 * @throws {SdkError} SDK_FILE_NOT_FOUND, SDK_SIZE_DISPUTED when it is opened;
 *   SDK_SEGMENT_UNAVAILABLE, SDK_RANGE when it is read; the signal's reason
 */
export async function openFile(
  reference: FileReference,
  deps: DownloadDeps,
  options: OpenOptions,
): Promise<OpenedFile> {
  const evidence: HolderEvidence[] = [];
  const fragments: { readonly located: LocatedFile; readonly source: FileSource }[] = [];
  for (const entry of parseReference(reference)) {
    fragments.push(await openEntry(entry, evidence, deps, options));
  }
  const [first] = fragments;
  if (first === undefined) {
    throw new SdkError(
      { code: 'SDK_FILE_NOT_FOUND', reference: 'an empty list of roots', asked: 0, failures: [] },
      'a file needs at least one root',
    );
  }
  const sources = fragments.map(({ source }) => source);
  const whole = fragments.length === 1 ? first.source : joinSources(sources);
  const roots: readonly Root[] = fragments.map(({ located }) => located.root);
  const { root, sequence, shard } = first.located;
  return {
    ...whole,
    ...(fragments.length === 1 ? { root, sequence } : {}),
    ...(fragments.length === 1 && shard !== undefined ? { shard } : {}),
    roots,
    evidence,
    fragments: sources,
  };
}

async function openEntry(
  reference: EntryReference,
  evidence: HolderEvidence[],
  deps: DownloadDeps,
  { signal, parallel = READ_PARALLEL }: OpenOptions,
): Promise<{ readonly located: LocatedFile; readonly source: FileSource }> {
  const located = await deps.locate(reference, { signal });
  evidence.push(...located.evidence);
  const ahead = Math.min(Math.max(1, Math.floor(parallel)), MAX_READ_PARALLEL);
  const { sizeBytes } = located;
  const source: FileSource = {
    sizeBytes,
    read: (offset, length, options) => readFromStream(source, offset, length, options),
    stream: (options, range) => provenBytes(located, range, evidence, ahead, deps, options),
  };
  return { located, source };
}

/** The bytes of a range in order: only its segments are fetched, and cut to it. */
async function* provenBytes(
  file: LocatedFile,
  range: ByteRange | undefined,
  evidence: HolderEvidence[],
  parallel: number,
  deps: FetchDeps,
  { signal, reuse = false }: StreamOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { start, end } = resolveRange(file.sizeBytes, range);
  if (start === end) return;
  const length = Math.min(MAX_SEGMENTS_PER_REPLY, parallel);
  const runsAhead = Math.max(1, Math.floor(parallel / length));
  const pool = reuse
    ? new BufferPool({ bufferBytes: length * MAX_SEGMENT_MESSAGE_BYTES, maxIdle: runsAhead })
    : undefined;
  const fetch = async (run: SegmentRun, inner: AbortSignal): Promise<FetchedRun> => {
    let memory: Uint8Array | undefined;
    const allocate = pool && ((bytes: number) => (memory = pool.take(bytes)));
    const segments = await fetchRun(file, { ...run, allocate }, evidence, deps, inner);
    // Memory that a failed request was given is left alone: something may still write into it.
    const isUsed = segments[0]?.data.buffer === memory?.buffer;
    return { segments, memory: isUsed ? memory : undefined };
  };
  const runs = runsIn(start, end, length);
  for await (const run of mapConcurrent(runs, fetch, { parallel: runsAhead, signal })) {
    for (const { index, data } of run.segments) {
      const position = index * SEGMENT_BYTES;
      yield data.subarray(Math.max(0, start - position), Math.min(data.length, end - position));
    }
    if (run.memory !== undefined) pool?.give(run.memory);
  }
}

interface FetchedRun {
  readonly segments: readonly VerifiedSegment[];
  /** What the segments lie in, if it can be used again after them. */
  readonly memory: Uint8Array | undefined;
}

/** The segments that hold the bytes from `start` to before `end`, `length` of them at a time. */
function* runsIn(start: number, end: number, length: number): Generator<SegmentRun, void, void> {
  const last = Math.floor((end - 1) / SEGMENT_BYTES);
  for (let first = Math.floor(start / SEGMENT_BYTES); first <= last; first += length) {
    yield { first, count: Math.min(length, last - first + 1) };
  }
}
