import {
  type BlsBackend,
  type Certificate,
  type Committee,
  type VerifiedBlobCertificate,
  verifyBlobCertificate,
} from '@cairn/attestation';
import { isFault } from '@cairn/primitives';
import type { DispersalNetwork, EpochSource } from '../../disperser/ports.ts';
import type { DaChainFacts } from '../chain-facts.ts';
import { settleLeaf } from '../settle-batch.ts';
import { dropped, EigendaError } from './errors.ts';

/** What certificates are judged by. */
export interface JudgeDeps {
  readonly network: Pick<DispersalNetwork, 'network' | 'entrance' | 'shardId' | 'graceSeconds'> & {
    readonly maxMembers: number;
  };
  readonly epochs: Pick<EpochSource, 'committee'>;
  readonly chain: DaChainFacts;
  readonly backend: Pick<BlsBackend, 'subtractKeys' | 'verify'>;
}

/** When a certificate is asked about. */
export interface JudgeOptions {
  /** The block that carried it to the rollup's chain; `undefined` where that does not matter. */
  readonly carriedBy: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Decides what a certificate is to a rollup, the same for everybody who asks, whenever: valid if its
 * quorum signed it and the entrance has confirmed its batch, which ends some time after its epoch; and
 * if it was carried to the rollup's chain before the blob's time was over.
 *
 * @throws {EigendaError} EIGENDA_CERTIFICATE where it is invalid for good; EIGENDA_UNDECIDED where
 *   that cannot be told yet
 * @throws what the chain throws; the signal's reason
 */
export async function judgeCertificate(
  certificate: Certificate,
  deps: JudgeDeps,
  { carriedBy, signal }: JudgeOptions,
): Promise<VerifiedBlobCertificate> {
  const { network, chain } = deps;
  const committee = await requireCommittee(certificate, deps, signal);
  const verified = verify(certificate, committee, deps);
  const { epoch, quorumId, count, leafIndex } = certificate;
  const { root } = verified.statement;
  const closesSeconds = committee.snapshot.office.endSeconds + network.graceSeconds;
  const leaf = { root, epoch, quorumId, count, leafIndex };
  const standing = await settleLeaf(leaf, closesSeconds, chain, { signal });
  switch (standing) {
    case 'confirmed':
      break;
    case 'open':
      throw undecided(
        `the batch of the blob is not confirmed yet; it can be until ${closesSeconds}`,
      );
    case 'void':
      throw dropped('invalid', 'the blob was not paid for');
    case 'never':
      throw dropped('tooOld', `the batch of the blob was not confirmed by ${closesSeconds}`);
  }
  if (carriedBy !== undefined) await requireInTime(verified, carriedBy, chain, signal);
  return verified;
}

/** @throws {EigendaError} */
async function requireCommittee(
  { epoch, quorumId, domain }: Certificate,
  { epochs, chain, network }: JudgeDeps,
  signal: AbortSignal,
): Promise<Committee> {
  const { entrance } = network;
  if (domain.chainId !== entrance.chainId || domain.address !== entrance.address) {
    throw dropped('invalid', 'the certificate is of another network');
  }
  const committee = await epochs.committee(epoch, quorumId, { signal });
  if (committee !== undefined) return committee;
  const current = await chain.finalEpoch({ signal });
  // Nobody signs before an epoch begins, and final blocks are behind by less than an epoch.
  if (epoch === current + 1) throw undecided(`epoch ${epoch} has not begun in a final block yet`);
  throw dropped('invalid', `there is no quorum ${quorumId} in epoch ${epoch}`);
}

/** @throws {EigendaError} EIGENDA_CERTIFICATE */
function verify(
  certificate: Certificate,
  committee: Committee,
  { network: { network, entrance, shardId, maxMembers }, backend }: JudgeDeps,
): VerifiedBlobCertificate {
  const { snapshot } = committee;
  const place = { network, entrance, shardId, maxMembers };
  const context = { ...place, snapshot, committee, time: { isConfirmed: true } } as const;
  try {
    return verifyBlobCertificate(certificate, context, backend);
  } catch (error) {
    if (!isFault(error)) throw error;
    throw dropped('invalid', error.message, error);
  }
}

/** @throws {EigendaError} */
async function requireInTime(
  { header }: VerifiedBlobCertificate,
  carriedBy: number,
  chain: DaChainFacts,
  signal: AbortSignal,
): Promise<void> {
  const carriedSeconds = await chain.secondsOf(carriedBy, { signal });
  if (carriedSeconds === undefined) throw undecided(`block ${carriedBy} is not known here yet`);
  if (carriedSeconds <= header.expirySeconds) return;
  throw dropped(
    'tooOld',
    `the blob was kept until ${header.expirySeconds}, and its certificate came at ${carriedSeconds}`,
  );
}

function undecided(sentence: string): EigendaError {
  return new EigendaError({ code: 'EIGENDA_UNDECIDED' }, sentence);
}
