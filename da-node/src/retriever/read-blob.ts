import type { RowSuite } from '@cairn/commitments/rows';
import {
  type LayoutNetwork,
  type ReadOptions,
  type RowCombiner,
  readValue,
  type VerifiedBadRow,
} from '@cairn/erasure-codec';
import type { Address, Clock, Logger } from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import type { EpochSource } from '../disperser/ports.ts';
import { RetrievalError } from './errors.ts';
import { fetchRows } from './fetch-rows.ts';
import { findHeader } from './find-header.ts';
import type { RowPeers } from './ports.ts';

/** What names a blob to a reader. */
export interface WantedBlob {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  /** The epoch and quorum whose members keep it. */
  readonly epoch: number;
  readonly quorumId: number;
}

/** A member of the quorum, and where it is reached. */
export interface Holder {
  readonly index: number;
  readonly signer: Address;
  readonly seats: number;
  readonly socket: string | undefined;
}

/** What a retriever is made of. */
export interface RetrieverDeps {
  readonly epochs: Pick<EpochSource, 'committee' | 'socketOf'>;
  readonly peers: RowPeers;
  readonly codec: ReadOptions['codec'];
  /** One for each suite that is read. */
  readonly suites: readonly RowSuite[];
  readonly combiner: RowCombiner;
  readonly layout: Required<LayoutNetwork>;
  /** Memory for blobs that are read at the same time. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time for one answer of a signer. */
  readonly timeoutMs: number;
  /** Time after which somebody else is asked as well. */
  readonly hedgeMs: number;
}

/** The same, with where blame goes. */
export interface ReaderDeps extends RetrieverDeps {
  readonly blame: (holder: Holder, reason: string) => void;
}

/** A signer that did not do its part. Nobody else can check this; bad rows come with evidence. */
export interface Blame {
  readonly signer: Address;
  readonly reason: string;
}

/** A blob that was read. */
export interface ReadBlob {
  readonly payload: Uint8Array;
  /** Signers that gave nothing, or nothing that counts. */
  readonly blamed: readonly Blame[];
}

/** Takes memory for a payload whose length is proven, before any more of it is read. */
export type AdmitPayload = (payloadBytes: number) => Promise<void>;

/** Times the rows of data that reading needs: rows, data, parity, payload. */
const MEMORY_PARTS = 3;

/**
 * Reads a blob from the members of its quorum: header, rows, value. Any K rows that were committed to
 * decide it, whoever gives them; what is decoded is encoded again and compared with the commitment.
 *
 * A null is final, so it is told at once: no more rows are asked for evidence, as a light client does.
 *
 * @throws {RetrievalError} BLOB_UNAVAILABLE with what there is and what is needed; BLOB_NULL, with
 *   {VerifiedBadRow} evidence as `evidence` if such a row was among those that were read; BLOB_ABSENT;
 *   QUORUM_UNKNOWN
 * @throws what `admit` throws; the signal's reason
 */
export async function readBlob(
  wanted: WantedBlob,
  deps: RetrieverDeps,
  { admit, signal }: { readonly admit?: AdmitPayload; readonly signal: AbortSignal },
): Promise<ReadBlob> {
  const { epoch, quorumId } = wanted;
  const committee = await deps.epochs.committee(epoch, quorumId, { signal });
  if (committee === undefined) {
    throw new RetrievalError(
      { code: 'QUORUM_UNKNOWN', epoch, quorumId },
      `there is no quorum ${quorumId} in epoch ${epoch}`,
    );
  }
  const holders: readonly Holder[] = await Promise.all(
    committee.members.map(async ({ index, signer, seats }) => {
      const socket = await deps.epochs.socketOf(signer, { signal });
      return { index, signer, seats, socket };
    }),
  );
  const blamed: Blame[] = [];
  const reader: ReaderDeps = {
    ...deps,
    blame: ({ signer }, reason) => {
      blamed.push({ signer, reason });
      deps.logger.debug({ signer, reason }, 'a signer gave no row that counts');
    },
  };
  const found = await findHeader(wanted, holders, reader, { signal });
  const { layout } = found.header;
  await admit?.(layout.payloadBytes);
  const release = await deps.budget.take(MEMORY_PARTS * layout.rows * layout.rowBytes, signal);
  try {
    const { seed } = committee.snapshot.office;
    const { rows, evidence } = await fetchRows(found, holders, seed, reader, { signal });
    const { codec, combiner } = deps;
    const expected = { commitment: wanted.commitment, layout };
    const options = { codec, combiner, suite: found.suite, signal };
    const value = await readValue(rows, expected, options);
    switch (value.kind) {
      case 'payload':
        return { payload: value.payload, blamed };
      case 'null':
        throw new NullBlobError(evidence);
      case 'unavailable':
        throw new RetrievalError(
          { code: 'BLOB_UNAVAILABLE', have: value.have, need: value.need },
          `${value.have} rows are served, and ${value.need} make up the blob`,
        );
    }
  } finally {
    release();
  }
}

/** A commitment that no payload has, with what others can check about it. */
export class NullBlobError extends RetrievalError {
  /** Rows that were committed to but are not of the codeword; may be none. */
  readonly evidence: readonly VerifiedBadRow[];

  constructor(evidence: readonly VerifiedBadRow[]) {
    super(
      { code: 'BLOB_NULL', badRows: evidence.length },
      'no payload has this commitment: what its rows decode to has another one',
    );
    this.evidence = evidence;
  }
}
