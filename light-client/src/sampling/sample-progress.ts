import {
  fromHex,
  type Hex,
  isHexOf,
  isRecord,
  parseRoot,
  type Root,
  rootOf,
  toHex,
} from '@cairn/primitives';
import { SampleError } from '../errors.ts';
import { DRAW_SEED_BYTES } from './draw-rows.ts';
import { MAX_DRAWN_ROWS, requiredAnswers, type SamplePlan } from './sample-bound.ts';

const VERSION = 1;

/**
 * How far a sample got, as plain JSON. It keeps the draw: whoever goes on with it asks for the same
 * rows. Keep it to yourself, since its seed tells which ones.
 */
export interface SampleProgress {
  readonly version: typeof VERSION;
  readonly commitment: Root;
  /** The quorum whose members hold the rows. */
  readonly epoch: number;
  readonly quorumId: number;
  /** Rows that the draw was made from. */
  readonly rows: number;
  readonly seed: Hex;
  readonly drawn: number;
  /** Answers that make the blob available. */
  readonly answers: number;
  /** Rows that came, rising. */
  readonly answered: readonly number[];
}

/** A draw, with all that decided it. */
export interface SampleDraw {
  readonly commitment: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  readonly rows: number;
  readonly seed: Uint8Array;
  readonly plan: SamplePlan;
}

/** What is stored of a draw and the rows that came. */
export function progressOf(draw: SampleDraw, answered: Iterable<number>): SampleProgress {
  const { commitment, epoch, quorumId, rows, seed, plan } = draw;
  return {
    version: VERSION,
    commitment: rootOf(commitment),
    epoch,
    quorumId,
    rows,
    seed: toHex(seed),
    drawn: plan.drawn,
    answers: plan.answers,
    answered: [...answered].sort((left, right) => left - right),
  };
}

/**
 * Progress as it was stored.
 *
 * @param value - of `parseJson`
 * @throws {SampleError} SAMPLE_PROGRESS naming the first field that is not one of a sample's progress
 */
export function parseSampleProgress(value: unknown): SampleProgress {
  if (!isRecord(value)) throw badProgress('object');
  const { commitment, seed, answered } = value;
  if (value['version'] !== VERSION) throw badProgress('version');
  if (!isHexOf(commitment, 32)) throw badProgress('commitment');
  if (!isHexOf(seed, DRAW_SEED_BYTES)) throw badProgress('seed');
  const rows = naturalOf(value, 'rows', 2 ** 16);
  const drawn = naturalOf(value, 'drawn', Math.min(rows, MAX_DRAWN_ROWS));
  if (!Array.isArray(answered) || answered.length > drawn) throw badProgress('answered');
  const rising = answered.every(
    (row, at) => Number.isSafeInteger(row) && row >= 0 && (at === 0 || row > answered[at - 1]),
  );
  if (!rising) throw badProgress('answered');
  return {
    version: VERSION,
    commitment: parseRoot(commitment),
    epoch: naturalOf(value, 'epoch', Number.MAX_SAFE_INTEGER),
    quorumId: naturalOf(value, 'quorumId', 2 ** 32 - 1),
    rows,
    seed,
    drawn,
    answers: naturalOf(value, 'answers', drawn, 1),
    answered,
  };
}

/**
 * The draw that progress keeps.
 *
 * @param expected - the blob, quorum and rows of the sample that goes on
 * @param shown - what its answers have to show: 2^-bits, of a blob with so many data rows
 * @throws {SampleError} SAMPLE_PROGRESS for that of another sample, or of one that shows less
 */
export function drawOfProgress(
  progress: SampleProgress,
  expected: Omit<SampleDraw, 'seed' | 'plan'>,
  { bits, needed }: { readonly bits: number; readonly needed: number },
): SampleDraw {
  if (progress.commitment !== rootOf(expected.commitment)) throw badProgress('commitment');
  for (const field of ['epoch', 'quorumId', 'rows'] as const) {
    if (progress[field] !== expected[field]) throw badProgress(field);
  }
  const { drawn, answers, rows } = progress;
  const least = requiredAnswers(drawn, bits, { needed, rows });
  if (least === undefined) throw badProgress('drawn');
  if (answers < least || answers > drawn) throw badProgress('answers');
  const plan = { drawn, answers };
  return { ...expected, seed: fromHex(progress.seed), plan };
}

/** @throws {SampleError} SAMPLE_PROGRESS if it counts a row that is not of the draw */
export function assertDrawn({ answered }: SampleProgress, drawn: readonly number[]): void {
  const rows = new Set(drawn);
  if (!answered.every((row) => rows.has(row))) throw badProgress('answered');
}

function naturalOf(
  value: Readonly<Record<string, unknown>>,
  field: string,
  max: number,
  min = 0,
): number {
  const found = value[field];
  if (typeof found === 'number' && Number.isSafeInteger(found) && found >= min && found <= max) {
    return found;
  }
  throw badProgress(field);
}

function badProgress(field: string): SampleError {
  return new SampleError(
    { code: 'SAMPLE_PROGRESS', field },
    `the ${field} of the stored progress is not that of this sample`,
  );
}
