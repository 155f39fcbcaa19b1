import {
  type BlobHeader,
  type BlsBackend,
  type Certificate,
  encodeBlobHeader,
  encodeCertificate,
  leafHash,
  MEMBER_BYTES,
  promisedIndex,
  STATEMENT_KINDS,
  shortestSigners,
  signatureFromWords,
  treePath,
  treeRoot,
} from '@cairn/attestation';
import { type Address, concatBytes, equalBytes, fromHex, viewOf } from '@cairn/primitives';
import { promiseDigest } from '@cairn/wire-protocol/da';
import { recoverAddress } from '../keys/private-key.ts';
import type { BatchConfirmation } from './blob-events.ts';
import type { ContractCall } from './contract.ts';
import type { Entrance } from './open-entrance.ts';
import type { Values } from './values.ts';

/** What making certificates of a confirmed batch takes beside the transaction. */
export interface BatchSurroundings {
  readonly entrance: Pick<Entrance, 'domain' | 'network' | 'settings'>;
  readonly backend: Pick<BlsBackend, 'parseSignature'>;
  /** Unix seconds at which the batch's epoch ends, from which expiry follows. */
  readonly endSeconds: number;
  /** The batch's headers in order, where the call does not bring them: those of paid blobs. */
  readonly headers?: readonly BlobHeader[];
}

/** A blob of a batch, and what its quorum signed. Nothing is proven yet. */
export interface CertifiedLeaf {
  readonly header: BlobHeader;
  readonly certificate: Uint8Array;
}

/**
 * Certificates of a batch, made of nothing but the call that confirmed it: headers, absent members and
 * the aggregate signature. Nothing is checked but that the headers lead to the batch's root; whoever
 * takes a certificate verifies it.
 *
 * @returns one for each leaf, in order; `undefined` for a call of another kind, or one whose headers
 *   do not lead to the root
 * @throws {BlsError} for a signature that is none; {RangeError} for members that are none
 */
export function certificatesOfCall(
  call: ContractCall,
  confirmation: BatchConfirmation,
  surroundings: BatchSurroundings,
): readonly CertifiedLeaf[] | undefined {
  const isPromised = call.name === 'confirmPromised';
  if (!isPromised && call.name !== 'confirmBatch') return undefined;
  const headers = isPromised ? promisedHeaders(call.values, surroundings) : surroundings.headers;
  if (headers === undefined) return undefined;
  const leaves = headers.map((header) => leafHash(encodeBlobHeader(header)));
  if (!equalBytes(treeRoot(leaves), confirmation.root)) return undefined;
  const { entrance, backend } = surroundings;
  const { epoch, quorumId } = confirmation;
  const { network, domain } = entrance;
  const common = {
    network,
    kind: isPromised ? STATEMENT_KINDS.promisedBatch : STATEMENT_KINDS.batch,
    domain,
    ...{ epoch, quorumId, count: leaves.length },
    signers: shortestSigners(absentOf(call.values), memberCountOf(call.values)),
    signature: signatureFromWords(signatureWords(call.values), backend),
  } satisfies Omit<Certificate, 'body' | 'leafIndex' | 'path'>;
  return headers.map((header, leafIndex) => {
    const leaf = { body: encodeBlobHeader(header), leafIndex, path: treePath(leaves, leafIndex) };
    return { header, certificate: encodeCertificate({ ...common, ...leaf }) };
  });
}

/** Headers as the contract makes them of promises; `undefined` for a signature that is nobody's. */
function promisedHeaders(
  values: Values,
  { entrance, endSeconds }: BatchSurroundings,
): readonly BlobHeader[] | undefined {
  const promises = values.inner('promises');
  const signatures = values.inner('payerSignatures');
  const headers: BlobHeader[] = [];
  for (let index = 0; index < promises.length; index += 1) {
    const promise = promises.inner(index);
    const signature = signatures.bytes(index);
    const header = promisedHeader(promise, signature, { entrance, endSeconds });
    if (header === undefined) return undefined;
    headers.push(header);
  }
  return headers;
}

function promisedHeader(
  promise: Values,
  signature: Uint8Array,
  { entrance, endSeconds }: Pick<BatchSurroundings, 'entrance' | 'endSeconds'>,
): BlobHeader | undefined {
  const { settings, domain } = entrance;
  const retentionEpochs = promise.number('retentionEpochs');
  const place = { epoch: promise.number('epoch'), slot: promise.number('slot') };
  const unowned = {
    suite: promise.number('suite'),
    log2K: promise.number('log2K'),
    cosets: promise.number('cosets'),
    rowSizeBytes: promise.number('rowSize'),
    sizeBytes: promise.number('length'),
    commitment: promise.bytes('commitment'),
    shardId: settings.shardId,
    submissionIndex: promisedIndex(place),
    expirySeconds: endSeconds + retentionEpochs * settings.epochSeconds,
  };
  const terms = {
    retentionEpochs,
    signBySeconds: promise.number('signBy'),
    maxFeeWei: promise.wide('maxFee'),
  };
  const nobody = `0x${'00'.repeat(20)}` as Address;
  const digest = promiseDigest({ header: { ...unowned, submitter: nobody }, terms }, domain);
  const submitter = recoverAddress(digest, signature);
  return submitter === undefined ? undefined : { ...unowned, submitter };
}

/** Places of the members that did not sign, as their bodies claim. */
function absentOf(values: Values): number[] {
  const bodies = values.bytes('nonSigners');
  const view = viewOf(bodies);
  return Array.from({ length: Math.floor(bodies.length / MEMBER_BYTES) }, (_, index) =>
    view.getUint32(index * MEMBER_BYTES),
  );
}

function memberCountOf(values: Values): number {
  return values.inner('snapshot').number('memberCount');
}

function signatureWords(values: Values): Uint8Array {
  const words = values.inner('signature');
  return concatBytes(
    ...Array.from({ length: words.length }, (_, index) =>
      fromHex(`0x${words.wide(index).toString(16).padStart(64, '0')}`),
    ),
  );
}
