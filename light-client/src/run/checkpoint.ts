import { fromHex, isRecord, parseJson, stringifyJson, toHex } from '@cairn/primitives';
import type { EpochTrust } from '../epochs/epoch-trust.ts';
import type { TrustBackend } from '../epochs/follow-handover.ts';
import { encodeTrust, MAX_TRUST_BYTES, parseTrust } from '../epochs/trust-message.ts';
import { TrustError } from '../errors.ts';
import { parseSampleProgress, type SampleProgress } from '../sampling/sample-progress.ts';
import type { BlobPlace } from './ports.ts';

const VERSION = 1;
/** Samples under way that a checkpoint holds at most. */
export const MAX_OPEN_SAMPLES = 64;
/** Characters of a checkpoint at most: trust as hex, and half a megabyte for samples. */
export const MAX_CHECKPOINT_CHARACTERS: number = 2 * MAX_TRUST_BYTES + 2 ** 19;

/** How far a run got: what it believes, the first blob that it has not judged, and the draws it made. */
export interface RunCheckpoint {
  readonly trust: EpochTrust;
  readonly next: BlobPlace;
  /** Of samples that were begun; their seeds are for nobody else's eyes. At most 64. */
  readonly samples: readonly SampleProgress[];
}

/** Where a run keeps its checkpoint. Whoever can write there can make it say anything. */
export interface CheckpointStore {
  /** Replaces what was kept, so that a crash leaves one or the other. */
  save(checkpoint: RunCheckpoint, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** A checkpoint as JSON text. */
export function formatCheckpoint({ trust, next, samples }: RunCheckpoint): string {
  const { daIndex, leafIndex, block } = next;
  const kept = samples.map((progress) => ({ ...progress }));
  return `${stringifyJson({
    version: VERSION,
    trust: toHex(encodeTrust(trust)),
    next: { daIndex, leafIndex, block },
    samples: kept,
  })}\n`;
}

/**
 * A checkpoint as it was stored.
 *
 * @throws {TrustError} TRUST_STORED; {SampleError} SAMPLE_PROGRESS; what `parseTrust` throws
 */
export function parseCheckpoint(
  text: string,
  backend: Pick<TrustBackend, 'parseKey'>,
): RunCheckpoint {
  const file = text.length > MAX_CHECKPOINT_CHARACTERS ? undefined : recordOf(text);
  if (file?.['version'] !== VERSION) throw damaged('version');
  const { trust, next, samples } = file;
  if (typeof trust !== 'string' || !/^0x([0-9a-f]{2})*$/.test(trust)) throw damaged('trust');
  if (!isRecord(next)) throw damaged('next');
  if (!Array.isArray(samples) || samples.length > MAX_OPEN_SAMPLES) throw damaged('samples');
  return {
    trust: parseTrust(fromHex(trust), backend),
    next: {
      daIndex: naturalOf(next, 'daIndex'),
      leafIndex: naturalOf(next, 'leafIndex'),
      block: naturalOf(next, 'block'),
    },
    samples: samples.map(parseSampleProgress),
  };
}

function recordOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const file = parseJson(text);
    return isRecord(file) ? file : undefined;
  } catch {
    return undefined; // no JSON
  }
}

function naturalOf(fields: Readonly<Record<string, unknown>>, field: string): number {
  const value = fields[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged(field);
}

function damaged(what: string): TrustError {
  return new TrustError(
    { code: 'TRUST_STORED', what },
    `the ${what} of the checkpoint is not what was stored`,
  );
}
