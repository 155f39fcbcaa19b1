// What a page runs to check signatures: bundled for the browser by test/journeys/browser-attestation.test.ts.
import {
  encodeCertificate,
  nobleBackend,
  parseCertificate,
  parseSnapshot,
  type TimeRule,
  verifyBlobCertificate,
  verifySnapshot,
} from '@cairn/attestation';
import { chainIdOf, fromHex, parseAddress, toHex } from '@cairn/primitives';

/** What a page is given of test/vectors/consensus.json. */
export interface PageVectors {
  readonly hubChainId: number;
  readonly hub: string;
  readonly entrance: string;
  readonly shardId: number;
  readonly keys: readonly { readonly ikm: string; readonly sk: string; readonly pk96: string }[];
  /** Eight words. */
  readonly snapshot: string;
  readonly snapshotHash: string;
  /** One that brings its absent members. */
  readonly certificate: string;
  readonly digest: string;
}

/** What a page found. */
export interface PageReport {
  readonly checks: number;
  readonly signedWeight: string;
  /** The code of the fault for a certificate with one bit changed. */
  readonly refusal: string;
}

/** @throws {Error} naming what differs */
export function verifyInPage(vectors: PageVectors): PageReport {
  const backend = nobleBackend();
  let checks = 0;
  for (const { ikm, sk, pk96 } of vectors.keys) {
    const secret = backend.secretFromMaterial(fromHex(ikm));
    check(toHex(secret) === sk, 'a secret key');
    check(toHex(backend.openKey(secret).publicKey) === pk96, 'a public key');
    checks += 2;
  }
  const hash = fromHex(vectors.snapshotHash);
  const office = {
    epoch: 1,
    previous: hash,
    startSeconds: 1,
    endSeconds: 2,
    seed: hash,
    orderRoot: hash,
    orderCount: 0,
    snapshotHashes: [hash],
  };
  const chainId = chainIdOf(vectors.hubChainId);
  const time: TimeRule = { isConfirmed: true };
  const context = {
    network: { hubChainId: chainId, hub: parseAddress(vectors.hub) },
    snapshot: verifySnapshot(parseSnapshot(fromHex(vectors.snapshot), backend), office),
    entrance: { chainId, address: parseAddress(vectors.entrance) },
    shardId: vectors.shardId,
    maxMembers: 32,
    time,
  };
  const bytes = fromHex(vectors.certificate);
  const certificate = parseCertificate(bytes, backend);
  check(toHex(encodeCertificate(certificate)) === vectors.certificate, 'a certificate');
  const proven = verifyBlobCertificate(certificate, context, backend);
  check(toHex(proven.digest) === vectors.digest, 'a digest');
  checks += 2;
  const { body } = certificate;
  const forged = body.slice();
  forged[20] = (forged[20] ?? 0) ^ 1; // another commitment
  let refusal = 'none';
  try {
    verifyBlobCertificate({ ...certificate, body: forged }, context, backend);
  } catch (error) {
    refusal = (error as { code?: string }).code ?? String(error);
  }
  return { checks, signedWeight: String(proven.signedWeight), refusal };
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as in the vectors: ${what}`);
}

Object.assign(globalThis, { verifyInPage });
