import type { Committee, Domain, LoggedBatch, TimeRule } from '@cairn/attestation';
import type { LayoutNetwork } from '@cairn/erasure-codec';
import type { Address, Clock } from '@cairn/primitives';
import { assertUndivided, type EpochTrust, headOf } from './epochs/epoch-trust.ts';
import { type ChainOffer, followChain } from './epochs/follow-chain.ts';
import {
  assertBelieved,
  followHandover,
  type HandoverOffer,
  type TrustBackend,
  type TrustRules,
} from './epochs/follow-handover.ts';
import { SampleError, TrustError } from './errors.ts';
import { type ReadCallOptions, readBlob } from './sampling/read-blob.ts';
import { placeRows, type RowPlaces } from './sampling/row-places.ts';
import { type SampleDeps, type SampleOptions, sampleBlob } from './sampling/sample-blob.ts';
import type { SampleVerdict } from './sampling/verdict.ts';
import {
  type CertificateOffer,
  type CertifiedBlob,
  verifyBlobCertificate,
} from './verify-blob-certificate.ts';

/** The network and the shard that a light client looks at. */
export interface LightNetwork {
  readonly entrance: Domain;
  readonly shardId: number;
  readonly layout: LayoutNetwork;
  /** Seconds after an epoch's end in which its certificates count by themselves. */
  readonly graceSeconds: number;
  /** Seconds after an epoch's end for which its committee is believed. */
  readonly trustingSeconds: number;
  /** Seconds by which an epoch may begin after the time of the clock. */
  readonly maxDriftSeconds: number;
}

/** What a light client works with. */
export interface LightClientDeps extends SampleDeps {
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly backend: TrustBackend;
}

/** How to sample; it cannot be stopped where no signal is given. */
export type SampleCallOptions = Omit<SampleOptions, 'signal'> &
  Partial<Pick<SampleOptions, 'signal'>>;

/**
 * Follows the epochs of one network, and checks by them that blobs are there. It believes nothing
 * that it is brought, and asks nobody but the holders of rows.
 */
export class LightClient {
  readonly #deps: LightClientDeps;
  readonly #network: LightNetwork;
  #trust: EpochTrust;

  /** @param trust - of `startTrust` or `parseTrust` */
  constructor(deps: LightClientDeps, network: LightNetwork, trust: EpochTrust) {
    this.#deps = deps;
    this.#network = network;
    this.#trust = trust;
  }

  /** What is believed now: store it with `encodeTrust` after every `accept`, one that throws too. */
  get trust(): EpochTrust {
    return this.#trust;
  }

  /**
   * Takes the next epoch, or sees one that is known.
   *
   * @throws {TrustError} TRUST_CONFLICT with the evidence, if another epoch is known in its place;
   *   what `followHandover` throws
   */
  accept(offer: HandoverOffer): EpochTrust {
    this.#trust = followHandover(this.#trust, offer, this.#rules(), this.#deps.backend);
    const { conflict } = this.#trust;
    if (conflict === undefined) return this.#trust;
    throw new TrustError(
      { code: 'TRUST_CONFLICT', epoch: conflict.epoch, evidence: conflict },
      `the committee of epoch ${conflict.epoch} named two epochs to follow its own`,
    );
  }

  /**
   * Takes the next epoch as the chain sealed it: for callers who have proven that by a block they trust.
   *
   * @throws what `followChain` throws
   */
  acceptSealed(offer: ChainOffer): EpochTrust {
    this.#trust = followChain(this.#trust, offer, this.#rules());
    return this.#trust;
  }

  /**
   * Refuses to go on after a pause for which nobody's stake answers.
   *
   * @throws {TrustError} TRUST_STOPPED; TRUST_EXPIRED if the newest epoch that is known ended longer
   *   ago than the trusting period
   */
  assertBelieved(): void {
    assertUndivided(this.#trust);
    assertBelieved(headOf(this.#trust).committee, this.#rules());
  }

  /**
   * Checks a certificate of a blob against the epochs that are known and the clock.
   *
   * @param options.isConfirmed - the caller has seen its batch confirmed on chain and its leaf not
   *   void, which no clock has to tell then
   * @param options.logged - the entrance's log has its batch, as `verifyDaLogLeaf` proves: instead of
   *   the clock too
   * @throws what `verifyBlobCertificate` throws
   */
  verify(
    offer: CertificateOffer,
    options: { readonly isConfirmed?: boolean; readonly logged?: LoggedBatch } = {},
  ): CertifiedBlob {
    const { entrance, shardId, layout } = this.#network;
    const context = { entrance, shardId, layout, time: this.#timeRule(options) };
    return verifyBlobCertificate(offer, this.#trust, context, this.#deps.backend);
  }

  /**
   * Which member holds which rows of a certified blob.
   *
   * @throws {SampleError} SAMPLE_NEEDS_MEMBERS; {CodecError} QUORUM_TOO_LARGE
   */
  placesOf(certified: CertifiedBlob): RowPlaces {
    const { blob } = certified;
    return placeRows(blob, committeeOf(certified), this.#deps.suiteOf(blob.suite));
  }

  /**
   * Asks the holders of a certified blob for rows of a private draw.
   *
   * @param sockets - where members are reached: http or https addresses by account
   * @throws {SampleError} SAMPLE_NEEDS_MEMBERS if the certificate came without them; what
   *   `sampleBlob` throws
   */
  async sample(
    certified: CertifiedBlob,
    sockets: ReadonlyMap<Address, string>,
    options: SampleCallOptions = {},
  ): Promise<SampleVerdict> {
    const { signal = new AbortController().signal } = options;
    const { blob } = certified;
    const committee = committeeOf(certified);
    return sampleBlob({ blob, committee, sockets }, this.#deps, { ...options, signal });
  }

  /**
   * Brings a certified blob's bytes from its holders, whatever its length.
   *
   * @param sockets - as for `sample`
   * @returns `available` with the value that was read, or why there is none
   * @throws {SampleError} SAMPLE_NEEDS_MEMBERS; what `readBlob` throws
   */
  async read(
    certified: CertifiedBlob,
    sockets: ReadonlyMap<Address, string>,
    options: ReadCallOptions = {},
  ): Promise<SampleVerdict> {
    const { signal = new AbortController().signal } = options;
    const { blob } = certified;
    const committee = committeeOf(certified);
    return readBlob({ blob, committee, sockets }, this.#deps, { ...options, signal });
  }

  #timeRule({
    isConfirmed = false,
    logged,
  }: {
    readonly isConfirmed?: boolean;
    readonly logged?: LoggedBatch;
  }): TimeRule {
    if (logged !== undefined) return { logged };
    if (isConfirmed) return { isConfirmed };
    const { graceSeconds } = this.#network;
    return { trustedTimeSeconds: this.#nowSeconds(), graceSeconds };
  }

  #rules(): TrustRules {
    const { trustingSeconds, maxDriftSeconds } = this.#network;
    return { nowSeconds: this.#nowSeconds(), trustingSeconds, maxDriftSeconds };
  }

  #nowSeconds(): number {
    return Math.floor(this.#deps.clock.now() / 1000);
  }
}

function committeeOf({ committee, snapshot }: CertifiedBlob): Committee {
  if (committee !== undefined) return committee;
  const { quorumId, office } = snapshot;
  throw new SampleError(
    { code: 'SAMPLE_NEEDS_MEMBERS', epoch: office.epoch, quorumId },
    `who holds which rows follows from the members of quorum ${quorumId} in epoch ${office.epoch}, which were not given`,
  );
}
