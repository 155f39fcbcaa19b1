import { randomInt } from 'node:crypto';
import type { RowSuite } from '@cairn/commitments/rows';
import {
  type CheckParityOptions,
  type CommitOptions,
  type CommittedBlob,
  checkParity,
  commitBlob,
  type LayoutNetwork,
  layoutOf,
  type RowCombiner,
} from '@cairn/erasure-codec';
import { equalBytes, type Root } from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import type { SpareMemory } from '../spare-memory.ts';
import { requireSuite } from './blob-id.ts';
import type { BlobRecord } from './blob-record.ts';
import { DispersalError } from './errors.ts';
import type { DispersalNetwork, PayloadStore } from './ports.ts';

/** Of parity rows made here. Signers check each row that they take: this tells whose fault it is. */
const CHECKED_ONE_IN = 16;

/** What blobs are encoded with. */
export interface EncoderDeps {
  readonly codec: CommitOptions['codec'];
  readonly suites: readonly RowSuite[];
  readonly combiner: RowCombiner;
  readonly payloads: Pick<PayloadStore, 'get'>;
  readonly network: Pick<DispersalNetwork, 'layout'>;
  /** Memory for blobs that are encoded. */
  readonly budget: ByteBudget;
  /** Where parity goes: used again from blob to blob. */
  readonly spare: SpareMemory;
}

/** A blob with all its rows in memory until `release`. */
export interface EncodedBlob {
  readonly blob: CommittedBlob;
  release(): void;
}

/** Memory that encoding and committing a payload takes: itself and twice its rows. */
export function encodedBytes(sizeBytes: number, network: LayoutNetwork): number {
  const { rows, rowBytes } = layoutOf(sizeBytes, network);
  return sizeBytes + 2 * rows * rowBytes;
}

/**
 * Encodes and commits a payload from the disk, and checks parity rows, so that a fault of memory or
 * device is noticed here and not by each signer: every row that a device made, of others one in
 * sixteen, a different choice each time. The same payload gives the same bytes: rows are
 * never stored, but made again where a crash lost them.
 *
 * Memory: twice the rows and the payload, taken from the budget before it is used.
 *
 * @throws {DispersalError} PAYLOAD_DAMAGED if it is gone, or no longer the committed one
 * @throws {CodecError} PARITY; the signal's reason
 */
export async function encodeBlob(
  {
    id,
    sizeBytes,
    suite: suiteId,
    commitment,
  }: Pick<BlobRecord, 'id' | 'sizeBytes' | 'suite' | 'commitment'>,
  { codec, suites, combiner, payloads, network, budget, spare }: EncoderDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<EncodedBlob> {
  const suite = requireSuite(suites, suiteId);
  const layout = layoutOf(sizeBytes, network.layout);
  const release = await budget.take(encodedBytes(sizeBytes, network.layout), signal);
  try {
    const payload = await payloads.get(id);
    if (payload === undefined || payload.length !== sizeBytes) throw damaged(id);
    const into = spare.take((layout.rows - layout.dataRows) * layout.rowBytes);
    const options = { codec, suite, combiner, into, signal };
    const blob = await commitBlob(payload, network.layout, options);
    try {
      if (commitment !== undefined && !equalBytes(blob.commitment, commitment)) throw damaged(id);
      await checkParity(blob, { ...options, ...checkOf(codec) });
    } catch (error) {
      blob.held.release();
      throw error;
    }
    return {
      blob,
      release: () => {
        blob.held.release();
        spare.giveBack(into);
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Rows to check, of those that a codec made: a whole check takes a fifth of the time of encoding. */
function checkOf({ name }: EncoderDeps['codec']): Pick<CheckParityOptions, 'oneIn' | 'first'> {
  return name === 'gpu' ? {} : { oneIn: CHECKED_ONE_IN, first: randomInt(CHECKED_ONE_IN) };
}

function damaged(id: Root): DispersalError {
  return new DispersalError(
    { code: 'PAYLOAD_DAMAGED', id },
    `the payload of ${id} on the disk is not the one that was accepted`,
  );
}
