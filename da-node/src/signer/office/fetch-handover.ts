import {
  type BlsBackend,
  type Certificate,
  type Committee,
  type EpochHeader,
  epochHeaderHash,
  type Network,
  parseCertificate,
  parseSnapshot,
  verifyHandover,
  verifySnapshot,
} from '@cairn/attestation';
import { equalBytes } from '@cairn/primitives';
import type { ChainOptions } from '../ports.ts';
import { type AskMembersDeps, askMembers } from './ask-members.ts';
import type { OfficePeers } from './ports.ts';

/** What looking for a handover needs. */
export interface FetchHandoverDeps extends Omit<AskMembersDeps, 'address'> {
  readonly network: Network;
  readonly backend: BlsBackend;
  readonly peers: Pick<OfficePeers, 'handover'>;
  /** Who asks, and does not ask itself. */
  readonly address?: AskMembersDeps['address'];
}

/** A certificate over an epoch's header, verified, and its bytes. */
export interface FetchedHandover {
  readonly certificate: Certificate;
  readonly bytes: Uint8Array;
}

/**
 * The certificate over `header` that a member of `committee` has made, from the first who has it.
 *
 * @returns `undefined` while nobody has one
 * @throws as `askMembers`
 */
export async function fetchHandover(
  header: EpochHeader,
  committee: Committee,
  deps: FetchHandoverDeps,
  options: ChainOptions,
): Promise<FetchedHandover | undefined> {
  const { network, backend, peers } = deps;
  const { snapshot } = committee;
  let found: FetchedHandover | undefined;
  await askMembers(
    committee,
    {
      what: 'a handover',
      isEnough: () => found !== undefined,
      ask: async (_, socket, signal) => {
        const offer = await peers.handover(socket, header.epoch, { signal });
        if (offer === undefined) return;
        const certificate = parseCertificate(offer.certificate, backend);
        const proven = verifyHandover(certificate, { network, snapshot }, backend);
        if (!equalBytes(epochHeaderHash(proven.header), epochHeaderHash(header))) return;
        verifySnapshot(parseSnapshot(offer.snapshot, backend), proven.header);
        found = { certificate, bytes: offer.certificate };
      },
    },
    deps,
    options,
  );
  return found;
}
