import type { RowSuite } from '@cairn/commitments/rows';
import {
  type CommitOptions,
  commitBlob,
  type LayoutNetwork,
  type RowCombiner,
  rowsOf,
} from '@cairn/erasure-codec';
import { concatBytes, equalBytes } from '@cairn/primitives';
import { RetrievalError } from '../../retriever/errors.ts';

/** What rows are made and hashed with. */
export interface ReadProofDeps {
  readonly codec: CommitOptions['codec'];
  /** The suite of the blob. */
  readonly suite: RowSuite;
  readonly combiner: RowCombiner;
  readonly layout: LayoutNetwork;
}

/** Bytes of the payload that one read is about. */
const READ_BYTES = 32;
/** Bytes of the data rows that stand before the payload. */
const PREFIX_BYTES = 8;

/**
 * What proves up to 32 bytes of a payload to `NitroCertificateValidator`, behind the certificate: the
 * roots of all cosets, the root of the combinations, and the one or two data rows in which the bytes
 * lie, each with its path. Nothing for an offset past the end.
 *
 * Cost: encodes the blob again. Memory: its rows, twice.
 *
 * @throws {RetrievalError} BLOB_NULL if the payload is not that of the commitment; {CodecError}; the
 *   signal's reason
 */
export async function proveRead(
  payload: Uint8Array,
  commitment: Uint8Array,
  offset: bigint,
  { codec, suite, combiner, layout: network }: ReadProofDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  if (offset >= BigInt(payload.length)) return new Uint8Array(0);
  const blob = await commitBlob(payload, network, { codec, suite, combiner, signal });
  try {
    if (!equalBytes(blob.commitment, commitment)) {
      throw new RetrievalError(
        { code: 'BLOB_NULL', badRows: 0 },
        'the payload has another commitment than the certificate',
      );
    }
    const { rowBytes } = blob.layout;
    const start = PREFIX_BYTES + Number(offset);
    const end = Math.min(start + READ_BYTES, PREFIX_BYTES + payload.length);
    const first = Math.floor(start / rowBytes);
    const last = Math.floor((end - 1) / rowBytes);
    const rows = await rowsOf(blob, first === last ? [first] : [first, last], { signal });
    return concatBytes(
      ...blob.cosetRoots,
      blob.combinationTree.root,
      ...rows.flatMap(({ bytes, path }) => [bytes, path]),
    );
  } finally {
    blob.held.release();
  }
}
