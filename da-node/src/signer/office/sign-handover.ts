import {
  type BlsBackend,
  type Committee,
  certify,
  type EpochHeader,
  encodeCertificate,
  encodeEpochHeader,
  encodeSnapshot,
  epochHeaderHash,
  isQuorum,
  type Network,
  STATEMENT_KINDS,
  type Statement,
  sumVotes,
  type VerifiedVote,
  verifyVote,
  weightOf,
} from '@cairn/attestation';
import { equalBytes, type KeyValueStore } from '@cairn/primitives';
import {
  encodeSignedHandover,
  type OfficeVote,
  parseSignedHandover,
  type SignedHandover,
} from '@cairn/wire-protocol/da';
import type { ChainOptions } from '../ports.ts';
import { type ProtectionLog, signProtected } from '../protection-log.ts';
import type { SignerIdentity } from '../seat.ts';
import { type AskMembersDeps, askMembers } from './ask-members.ts';
import { fetchHandover } from './fetch-handover.ts';
import type { OfficeMetrics } from './metrics.ts';
import { forgetBefore, OFFICE_KEYS, officeKey } from './office-store.ts';
import type { OfficeChain, OfficePeers } from './ports.ts';

/** What signing and gathering handovers needs. */
export interface HandoverDeps extends AskMembersDeps {
  readonly chain: OfficeChain;
  readonly network: Network;
  readonly identity: Pick<SignerIdentity, 'address' | 'key'>;
  readonly backend: BlsBackend;
  readonly protection: ProtectionLog;
  readonly peers: Pick<OfficePeers, 'handover' | 'handoverVote'>;
  readonly store: KeyValueStore;
  readonly metrics: Pick<OfficeMetrics, 'handovers'>;
}

/** Handovers that are kept: more than any light client may be behind. */
const KEPT_EPOCHS = 128;
/** Epochs behind the one in office whose handovers are made up for, and whose own votes are kept. */
const REACH = 8;
/** First and longest wait before the members are asked for the same handover again. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/**
 * Names every epoch to those who know the committee before it: signs the header of the next epoch once a
 * final block has sealed it, where this signer sits in the committee, and gathers the votes of the
 * others into one certificate, or takes the certificate that another member has made.
 *
 * One header for each epoch, ever: the log of what was signed sees to it.
 */
export class HandoverSigner {
  readonly #deps: HandoverDeps;
  /** Own votes by the epoch that they name. */
  readonly #votes = new Map<number, OfficeVote>();
  /** When members are asked again, by the epoch that is to be named. */
  readonly #waits = new Map<number, { readonly waitMs: number; readonly untilMs: number }>();

  constructor(deps: HandoverDeps) {
    this.#deps = deps;
  }

  /** The handover that names an epoch, verified when it was kept. @throws what the store throws */
  async get(epoch: number): Promise<SignedHandover | undefined> {
    const bytes = await this.#deps.store.get(officeKey(OFFICE_KEYS.handover, epoch));
    return bytes === undefined ? undefined : parseSignedHandover(bytes);
  }

  /** This signer's vote for the handover that names an epoch. */
  vote(epoch: number): OfficeVote | undefined {
    return this.#votes.get(epoch);
  }

  /**
   * Signs and gathers what is due now: handovers to the next epoch once it is sealed, to the one in
   * office, and those of the last epochs that were missed.
   *
   * @throws what chain, store and log throw; the signal's reason
   */
  async look(options: ChainOptions): Promise<void> {
    const { chain, store } = this.#deps;
    const current = await chain.currentEpoch(options);
    for (let epoch = Math.max(1, current - REACH); epoch <= current + 1; epoch += 1) {
      await this.#handOver(epoch, options);
    }
    for (const named of [...this.#votes.keys(), ...this.#waits.keys()]) {
      if (named >= current - REACH) continue;
      this.#votes.delete(named);
      this.#waits.delete(named);
    }
    await forgetBefore(store, OFFICE_KEYS.handover, current - KEPT_EPOCHS, options);
  }

  async #handOver(epoch: number, options: ChainOptions): Promise<void> {
    const { chain, clock } = this.#deps;
    const { waitMs, untilMs } = this.#waits.get(epoch) ?? { waitMs: FIRST_WAIT_MS, untilMs: 0 };
    if (clock.monotonic() < untilMs || (await this.get(epoch)) !== undefined) return;
    const header = await chain.epochHeader(epoch, { ...options, span: REACH + 2 });
    const before = await chain.epochHeader(epoch - 1, { ...options, span: REACH + 3 });
    if (header === undefined || before === undefined) return;
    if (!equalBytes(header.previous, epochHeaderHash(before))) return; // begun anew: nobody hands over
    const committee = await chain.committee(epoch - 1, 0, options);
    const named = await chain.committee(epoch, 0, options);
    if (committee === undefined || named === undefined) return;
    const own = await this.#sign(header, committee, options);
    const snapshot = encodeSnapshot(named.snapshot);
    const certificate =
      (await this.#gather(header, committee, own, options)) ??
      (await fetchHandover(header, committee, this.#deps, options))?.bytes;
    if (certificate === undefined) {
      const next = { waitMs: Math.min(2 * waitMs, LONGEST_WAIT_MS) };
      this.#waits.set(epoch, { ...next, untilMs: clock.monotonic() + waitMs });
      return;
    }
    this.#deps.metrics.handovers.add(1);
    const key = officeKey(OFFICE_KEYS.handover, epoch);
    const value = encodeSignedHandover({ snapshot, certificate });
    await this.#deps.store.write([{ type: 'put', key, value }], { sync: true });
    this.#deps.logger.debug({ epoch }, 'the handover to an epoch is signed');
  }

  /** This signer's vote, where it sits in the committee and still knows what it signed in its office. */
  async #sign(
    header: EpochHeader,
    committee: Committee,
    options: ChainOptions,
  ): Promise<VerifiedVote | undefined> {
    const { identity, protection, network, backend } = this.#deps;
    const { address, key } = identity;
    const member = committee.members.find(({ signer }) => signer === address);
    if (member === undefined || !equalBytes(member.publicKey, key.publicKey)) return undefined;
    const { root: _, count: __, ...about } = statementOf(header, network);
    if (about.epoch < protection.floorEpoch) return undefined;
    const body = encodeEpochHeader(header);
    const statement = await protection.protect(about, [body], options);
    const signature = signProtected(key, network, statement);
    const { kind, epoch, quorumId, count, root } = statement;
    if (kind !== STATEMENT_KINDS.handover) throw new Error('a handover of another kind');
    const vote = { kind, epoch, quorumId, count, root, signer: address, signature };
    this.#votes.set(header.epoch, vote);
    return verifyVote(
      { memberIndex: member.index, signature },
      { network, statement, committee },
      backend,
    );
  }

  /** The certificate, if more than two thirds of the seats have signed. */
  async #gather(
    header: EpochHeader,
    committee: Committee,
    own: VerifiedVote | undefined,
    options: ChainOptions,
  ): Promise<Uint8Array | undefined> {
    const { network, backend, peers } = this.#deps;
    const statement = statementOf(header, network);
    const votes = own === undefined ? [] : [own];
    const { totalWeight } = committee.snapshot;
    const isEnough = (): boolean => isQuorum(weightOf(votes), totalWeight);
    await askMembers(
      committee,
      {
        what: 'a vote for a handover',
        isEnough,
        ask: async ({ index }, socket, signal) => {
          const vote = await peers.handoverVote(socket, header.epoch, { signal });
          if (vote === undefined) return;
          const signature = backend.parseSignature(vote.signature);
          const context = { network, statement, committee };
          votes.push(verifyVote({ memberIndex: index, signature }, context, backend));
        },
      },
      this.#deps,
      options,
    );
    if (!isEnough()) return undefined;
    const aggregate = sumVotes(votes, committee, backend);
    const bodies = [encodeEpochHeader(header)];
    const about = { network, bodies, leafIndex: 0, isSelfContained: true };
    return encodeCertificate(certify(aggregate, about));
  }
}

/** What a committee signs to name the next epoch. */
function statementOf(header: EpochHeader, network: Network): Statement {
  return {
    kind: STATEMENT_KINDS.handover,
    domain: { chainId: network.hubChainId, address: network.hub },
    epoch: header.epoch - 1,
    quorumId: 0,
    count: 1,
    root: epochHeaderHash(header),
  };
}
