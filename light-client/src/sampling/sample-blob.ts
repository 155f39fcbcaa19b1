import type { Committee } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import type { ReadOptions, RowCombiner } from '@cairn/erasure-codec';
import {
  type Address,
  type Clock,
  type HttpTransport,
  type Rng,
  Semaphore,
} from '@cairn/primitives';
import { DRAW_SEED_BYTES, drawPlaces } from './draw-rows.ts';
import { type GatherOptions, RowGathering } from './gather-rows.ts';
import { readWholeBlob } from './read-whole-blob.ts';
import { groupByHolder, placeRows, type RowPlaces } from './row-places.ts';
import { DEFAULT_TARGET, planSample, type SampleTarget, sampleBound } from './sample-bound.ts';
import {
  assertDrawn,
  drawOfProgress,
  progressOf,
  type SampleDraw,
  type SampleProgress,
} from './sample-progress.ts';
import type { SampledBlob } from './sampled-blob.ts';
import { reportOf, type SampleVerdict } from './verdict.ts';

/** Data rows up to which reading the whole blob is cheaper than a sample, and certain. */
export const MAX_READ_ROWS = 256;

/** Holders asked at once, unless told. */
export const DEFAULT_PARALLEL = 16;
/** Time for all rows of a sample that one holder is asked for, unless told. */
export const DEFAULT_HOLDER_TIMEOUT_MS = 10_000;

/** What sampling works with. */
export interface SampleDeps {
  readonly transport: Pick<HttpTransport, 'send'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Cryptographic outside tests: whoever can guess the draw can serve just that. */
  readonly rng: Pick<Rng, 'fill'>;
  /** The hashes of a suite. */
  readonly suiteOf: (id: RowSuite['id']) => RowSuite;
  readonly combiner?: RowCombiner;
  /** Decodes small blobs. */
  readonly codec: ReadOptions['codec'];
}

/** What is sampled, and who holds it. */
export interface SampleRequest {
  readonly blob: SampledBlob;
  /** All members of the quorum that certified it. */
  readonly committee: Committee;
  /** Where they are reached: http or https addresses by account. */
  readonly sockets: ReadonlyMap<Address, string>;
}

/** How to sample. */
export interface SampleOptions {
  readonly signal: AbortSignal;
  /**
   * 2^-40 at four fifths served unless told. Progress that is gone on with keeps its own plan, which
   * has to show as many bits.
   */
  readonly target?: SampleTarget;
  /** Holders asked at once; 16 unless told. */
  readonly parallel?: number;
  /** Time a holder has for all rows asked of it together; 10,000 unless told. */
  readonly holderTimeoutMs?: number;
  /** Goes on where a sample ended: its draw, without the rows that came. */
  readonly progress?: SampleProgress;
  /**
   * Called before the first request, and when a holder is done with; one call at a time, each awaited.
   * Whoever stores what it is given loses no draw. Not called for blobs that are read whole.
   */
  readonly onProgress?: (progress: SampleProgress) => void | Promise<void>;
}

/**
 * Finds out whether a blob is there: asks holders for rows of a private draw, each for its own, and
 * judges by how many come that hold. Nothing is drawn anew for a row that does not come. Blobs of up
 * to 256 data rows are read whole.
 *
 * The claim is that enough rows are served for everyone to reach one value, perhaps that there is
 * none; it rests on holders that answer alike whoever asks for whatever. With the progress of a
 * sample that ended, what was missing is asked for once more.
 *
 * Bytes: the rows with 32 · log2 K each, and 32 · K up to three times, or up to once for each holder
 * asked at once where the first three do not answer.
 *
 * @throws {SampleError}; {CodecError} QUORUM_TOO_LARGE; the signal's reason; what `onProgress` throws
 */
export async function sampleBlob(
  { blob, committee, sockets }: SampleRequest,
  deps: SampleDeps,
  options: SampleOptions,
): Promise<SampleVerdict> {
  const { transport, clock, combiner } = deps;
  const suite = deps.suiteOf(blob.suite);
  const places = placeRows(blob, committee, suite);
  const gatherOptions: GatherOptions = {
    transport,
    clock,
    verify: combiner === undefined ? { suite } : { suite, combiner },
    sockets,
    holderTimeoutMs: options.holderTimeoutMs ?? DEFAULT_HOLDER_TIMEOUT_MS,
    parallel: options.parallel ?? DEFAULT_PARALLEL,
  };
  const gathering = new RowGathering(blob, gatherOptions);
  if (blob.layout.dataRows <= MAX_READ_ROWS) {
    const { signal } = options;
    const read = { codec: deps.codec, ...gatherOptions.verify, clock, signal };
    return readWholeBlob(blob, places, gathering, read);
  }
  const draw = drawOf(blob, committee, places, deps, options);
  return judgeDraw(draw, places, blob, gathering, options);
}

function drawOf(
  { commitment, layout }: SampledBlob,
  { snapshot }: Committee,
  { heldRows }: RowPlaces,
  { rng }: Pick<SampleDeps, 'rng'>,
  { progress, target = DEFAULT_TARGET }: SampleOptions,
): SampleDraw {
  const { quorumId, office } = snapshot;
  const about = { commitment, epoch: office.epoch, quorumId, rows: heldRows };
  if (progress !== undefined) {
    return drawOfProgress(progress, about, { bits: target.bits, needed: layout.dataRows });
  }
  const plan = planSample({ needed: layout.dataRows, rows: heldRows }, target);
  return { ...about, seed: rng.fill(new Uint8Array(DRAW_SEED_BYTES)), plan };
}

async function judgeDraw(
  draw: SampleDraw,
  places: RowPlaces,
  { layout }: SampledBlob,
  gathering: RowGathering,
  { signal, progress, onProgress, parallel = DEFAULT_PARALLEL }: SampleOptions,
): Promise<SampleVerdict> {
  const { plan, rows } = draw;
  const drawn = drawPlaces(draw, rows, plan.drawn).map((place) => places.rowAt(place));
  if (progress !== undefined) assertDrawn(progress, drawn);
  const before = progress?.answered ?? [];
  const answered = (): Set<number> => new Set([...before, ...gathering.rows.keys()]);
  const saves = new Semaphore({ limit: 1, maxWaiting: parallel });
  const save = (signal: AbortSignal): Promise<void> =>
    saves.run(async () => onProgress?.(progressOf(draw, answered())), signal);
  await save(signal);
  const known = new Set(before);
  const wanted = groupByHolder(
    drawn.filter((row) => !known.has(row)),
    places,
  );
  await gathering.gather(wanted, { signal, onAnswer: save });
  const came = answered();
  const odds = { needed: layout.dataRows, rows };
  const report = reportOf(drawn, came, { gathering, places, ...odds, required: plan.answers });
  if (gathering.badRow !== undefined) {
    return { kind: 'badEncoding', evidence: gathering.badRow, report };
  }
  if (came.size < plan.answers) return { kind: 'unavailable', report };
  const bits = sampleBound({ drawn: plan.drawn, answers: came.size }, odds);
  return { kind: 'available', confidence: { kind: 'sampled', bits }, report };
}
