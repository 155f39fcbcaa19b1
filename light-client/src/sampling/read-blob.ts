import { MIB } from '@cairn/primitives';
import { RowGathering } from './gather-rows.ts';
import { readWholeBlob } from './read-whole-blob.ts';
import { placeRows } from './row-places.ts';
import {
  DEFAULT_HOLDER_TIMEOUT_MS,
  DEFAULT_PARALLEL,
  type SampleDeps,
  type SampleRequest,
} from './sample-blob.ts';
import type { SampleVerdict } from './verdict.ts';

/** Time for a mebibyte: slower holders are given up, so that a blob comes as fast as this at least. */
const MIB_MS = 1000;

/** How to read a blob. */
export interface ReadBlobOptions {
  readonly signal: AbortSignal;
  /** Holders asked at once; 16 unless told. */
  readonly parallel?: number;
  /** Time for one request of at most 1 MiB; 10,000 unless told. */
  readonly requestTimeoutMs?: number;
}

/** How to read a blob; it cannot be stopped where no signal is given. */
export type ReadCallOptions = Partial<ReadBlobOptions>;

/**
 * Reads a blob from its holders: rows until there are enough, each proven, then its value, which is
 * encoded again and compared with the commitment. Whoever serves them, the result is the same.
 *
 * Memory: four times the payload at most.
 *
 * @returns `available` with a value that was read, null if no evidence of that could be had;
 *   `unavailable`; `badEncoding` with evidence
 * @throws {SampleError} SAMPLE_COMMITTEE; {CodecError} QUORUM_TOO_LARGE; the signal's reason
 */
export async function readBlob(
  { blob, committee, sockets }: SampleRequest,
  deps: SampleDeps,
  options: ReadBlobOptions,
): Promise<SampleVerdict> {
  const { transport, clock, combiner, codec } = deps;
  const { signal, parallel = DEFAULT_PARALLEL } = options;
  const { requestTimeoutMs = DEFAULT_HOLDER_TIMEOUT_MS } = options;
  const suite = deps.suiteOf(blob.suite);
  const places = placeRows(blob, committee, suite);
  const { dataRows, rowBytes } = blob.layout;
  const verify = combiner === undefined ? { suite } : { suite, combiner };
  // One holder may be asked for all of it.
  const holderTimeoutMs = requestTimeoutMs + Math.ceil((dataRows * rowBytes) / MIB) * MIB_MS;
  const timeouts = { holderTimeoutMs, requestTimeoutMs };
  const gathering = new RowGathering(blob, {
    ...{ transport, clock, verify, sockets, parallel },
    ...timeouts,
  });
  return readWholeBlob(blob, places, gathering, { codec, ...verify, clock, signal });
}
