import { type EpochHeader, epochHeaderHash, type Snapshot } from '@cairn/attestation';
import { equalBytes } from '@cairn/primitives';
import {
  assertUndivided,
  committeeOf,
  type EpochTrust,
  headOf,
  MAX_FOLLOWED_EPOCHS,
} from './epoch-trust.ts';
import { assertBegun, assertBelieved, chainDiffers, type TrustRules } from './follow-handover.ts';

/** The next epoch as a chain sealed it: the caller has proven that by the state of a block it trusts. */
export interface ChainOffer {
  readonly header: EpochHeader;
  readonly snapshot: Snapshot;
}

/**
 * Takes the next epoch from the chain, where no committee has named it to this client. It must
 * continue the last one, by the hash that its header has of that, and time is kept as for handovers:
 * after a longer pause a chain that was rewritten by those whose stake is free could not be told from
 * the right one.
 *
 * @returns the trust to store; the same for an epoch that is known
 * @throws {TrustError} TRUST_STOPPED, TRUST_EXPIRED, TRUST_IN_FUTURE, TRUST_CHAIN_DIFFERS,
 *   TRUST_NOT_COMMITTEE; {QuorumError} SNAPSHOT_UNKNOWN
 */
export function followChain(
  trust: EpochTrust,
  { header, snapshot }: ChainOffer,
  rules: TrustRules,
): EpochTrust {
  assertUndivided(trust);
  const known = trust.epochs.find(({ committee }) => committee.office.epoch === header.epoch);
  if (known !== undefined) {
    if (equalBytes(epochHeaderHash(known.committee.office), epochHeaderHash(header))) return trust;
    throw chainDiffers(header.epoch);
  }
  const { committee: last } = headOf(trust);
  assertBelieved(last, rules);
  const isNext = header.epoch === last.office.epoch + 1;
  if (!isNext || !equalBytes(header.previous, epochHeaderHash(last.office))) {
    throw chainDiffers(header.epoch);
  }
  assertBegun(header, rules);
  const next = { committee: committeeOf(snapshot, header) };
  return { ...trust, epochs: [...trust.epochs, next].slice(-MAX_FOLLOWED_EPOCHS) };
}
