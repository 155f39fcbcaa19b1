import type { BlobHeader, Certificate } from '@cairn/attestation';
import { encodeCertificate, encodeSnapshot } from '@cairn/attestation';
import { loadRowSuite, type RowSuite, sha256Suite } from '@cairn/commitments/rows';
import {
  type CommitOptions,
  type CommittedBlob,
  commitBlob,
  commitMatrix,
  dataMatrix,
  type LayoutNetwork,
  layoutOf,
  loadWasmCodec,
  loadWasmCombiner,
  type RowCodec,
} from '@cairn/erasure-codec';
import { seededRng } from '@cairn/primitives';
import {
  blobCertificateOf,
  SHARD_ID,
  START_SECONDS,
  signerAddress,
  type TestGroup,
} from './committees.ts';

/** A signal that never aborts. */
export const signal: AbortSignal = new AbortController().signal;
/** Gives nobody else a turn. */
const NO_TURNS = { monotonic: (): number => 0, sleep: (): Promise<void> => Promise.resolve() };

/** The kernels that commit, verify and decode in tests. */
export const kernels = {
  codec: await loadWasmCodec({ clock: NO_TURNS }),
  combiner: await loadWasmCombiner(),
  suites: [await loadRowSuite(0), sha256Suite] as readonly RowSuite[],
};

/** The suite of a header. */
export function suiteOf(id: number): RowSuite {
  return kernels.suites[id] as RowSuite;
}

/** Bytes of chance that a seed determines. */
export function bytesOf(length: number, seed: number): Uint8Array {
  return seededRng(seed).fill(new Uint8Array(length));
}

/** What commits in tests. */
export function commitOptions(
  suite: number,
  codec: Pick<RowCodec, 'encode'> = kernels.codec,
): CommitOptions {
  return { codec, combiner: kernels.combiner, suite: suiteOf(suite), clock: NO_TURNS, signal };
}

/** An honest blob of chance bytes. */
export function honestBlob(
  bytes: number,
  network: LayoutNetwork,
  suite = 0,
): Promise<CommittedBlob> {
  return commitBlob(bytesOf(bytes, bytes + 1), network, commitOptions(suite));
}

/** A blob whose maker flipped a bit in each of the named parity rows before committing to them. */
export function badBlob(
  bytes: number,
  network: LayoutNetwork,
  parityRows: readonly number[],
): Promise<CommittedBlob> {
  const layout = layoutOf(bytes, network);
  const encode: RowCodec['encode'] = async (data, shape, options) => {
    const parity = await kernels.codec.encode(data, shape, options);
    for (const row of parityRows) {
      const at = (row - layout.dataRows) * layout.rowBytes + 5;
      parity[at] = (parity[at] ?? 0) ^ 4;
    }
    return parity;
  };
  const data = dataMatrix(bytesOf(bytes, bytes + 1), layout);
  return commitMatrix(data, layout, commitOptions(0, { encode }));
}

/** What a quorum certifies about a blob. */
export function headerOfBlob(
  { commitment, layout, suite }: CommittedBlob,
  fields: Partial<BlobHeader> = {},
): BlobHeader {
  return {
    suite,
    log2K: layout.log2K,
    cosets: layout.cosets,
    rowSizeBytes: layout.rowBytes,
    sizeBytes: layout.payloadBytes,
    commitment,
    submitter: signerAddress(999),
    shardId: SHARD_ID,
    submissionIndex: 5n,
    expirySeconds: START_SECONDS + 40_000,
    ...fields,
  };
}

/** A blob's certificate with its quorum, as anyone brings it. */
export function offerOf(group: TestGroup, blob: CommittedBlob, fields: Partial<BlobHeader> = {}) {
  return offered(group, blobCertificateOf(group, [headerOfBlob(blob, fields)]));
}

/** A certificate with its quorum. */
export function offered(group: TestGroup, certificate: Certificate) {
  return {
    certificate: encodeCertificate(certificate),
    snapshot: encodeSnapshot(group.committee.snapshot),
    members: group.bodies,
  };
}
