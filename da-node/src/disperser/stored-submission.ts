import { type Root, rootOf, stringifyJson, toHex, utf8Bytes } from '@cairn/primitives';
import { bytesOf, decodeStored, listOf, type StoredFields } from './stored-json.ts';

/** A blob as the chain is asked to order it. */
export interface SubmittedShape {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly suite: number;
  readonly sizeBytes: number;
}

/** A call that orders blobs on chain, as it is stored before it is made: it is the same for ever. */
export interface StoredSubmission {
  /** Its name, 32 bytes. */
  readonly name: Uint8Array;
  readonly ids: readonly Root[];
  /** In the order of `ids`. */
  readonly shapes: readonly SubmittedShape[];
  readonly retentionEpochs: number;
}

/** A submission as it is stored. */
export function encodeSubmission(submission: StoredSubmission): Uint8Array {
  const { name, ids, shapes, retentionEpochs } = submission;
  return utf8Bytes(
    stringifyJson({
      name: toHex(name),
      ids,
      shapes: shapes.map((shape) => ({ ...shape, commitment: toHex(shape.commitment) })),
      retentionEpochs,
    }),
  );
}

/** A stored submission. @throws {DispersalError} DISPERSAL_RECORD */
export function decodeSubmission(bytes: Uint8Array): StoredSubmission {
  return decodeStored('a submission', bytes, (fields) => ({
    name: bytesOf(fields['name']),
    ids: listOf(fields['ids']).map((id) => rootOf(bytesOf(id))),
    shapes: listOf(fields['shapes']).map((item) => {
      const shape = item as StoredFields;
      return {
        commitment: bytesOf(shape['commitment']),
        suite: Number(shape['suite']),
        sizeBytes: Number(shape['sizeBytes']),
      };
    }),
    retentionEpochs: Number(fields['retentionEpochs']),
  }));
}
