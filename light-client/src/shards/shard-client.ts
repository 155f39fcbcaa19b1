import {
  type CertifiedBlob,
  type Checkpoint,
  checkpointHash,
  type Domain,
  type LoggedFile,
  type OrderedCheckpoint,
  type OrderState,
  parseCertificate,
  type VerifiedBlobContent,
  type VerifiedCheckpoint,
  type VerifiedFileContent,
  verifyBlobContent,
  verifyCheckpointCertificate,
  verifyFileContent,
  verifyMembers,
  verifyOrderedCheckpoint,
} from '@cairn/attestation';
import { type Clock, equalBytes, toHex } from '@cairn/primitives';
import { assertUndivided, type EpochTrust, headOf, requireEpoch } from '../epochs/epoch-trust.ts';
import {
  assertBelieved,
  followHandover,
  type HandoverOffer,
  type TrustBackend,
  type TrustRules,
} from '../epochs/follow-handover.ts';
import { type CheckpointConflict, ShardTrustError, TrustError } from '../errors.ts';

/** What a client of shards works with. */
export interface ShardClientDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly backend: TrustBackend;
}

/** The network whose shards are followed. */
export interface ShardClientNetwork {
  /** What orders checkpoints on the hub. */
  readonly orderingHub: Domain;
  /** Seconds after an epoch's end in which its committee's checkpoints count by themselves. */
  readonly graceSeconds: number;
  /** Seconds after an epoch's end for which its committee is believed about the next. */
  readonly trustingSeconds: number;
  /** Seconds by which an epoch may begin after the time of the clock. */
  readonly maxDriftSeconds: number;
}

/** A checkpoint with what signed it, as anyone may bring it. */
export interface CheckpointOffer {
  /** A certificate of kind 2. */
  readonly certificate: Uint8Array;
  /** Bodies of all members of the committee, for a certificate that names absent ones by index. */
  readonly members?: readonly Uint8Array[];
}

/** A checkpoint that more than two thirds of a committee signed. It is final once it is ordered. */
export interface FollowedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Its leaf, 32 bytes. */
  readonly hash: Uint8Array;
  readonly certificate: Uint8Array;
}

/** "File R is in shard S at global index G", as anyone may bring it. */
export interface FileContentOffer {
  readonly ordered: OrderedCheckpoint;
  /** Checkpoints under the root that the path leads to. */
  readonly orderCount: number;
  readonly file: LoggedFile;
}

/** "Blob B is in shard S at global index G", as anyone may bring it. */
export interface BlobContentOffer {
  readonly ordered: OrderedCheckpoint;
  readonly orderCount: number;
  readonly blob: CertifiedBlob;
  /** The epoch of the blob's batch, which must have been followed. */
  readonly epoch: number;
}

/** Newest checkpoints of a shard that are remembered, to notice a second content of their numbers. */
const RECENT = 16;
/** Shards that are followed at most; of more, those heard of first stay. */
const MAX_SHARDS = 4096;
/** Roots of the order that are remembered: the newest. */
const MAX_ORDERS = 256;

/**
 * Follows a hub's epochs and the checkpoints of all its shards by signatures alone: from one epoch that is
 * trusted, asking no chain and believing no peer. What it is brought by several peers it compares: two
 * headers of one epoch, or two contents of one checkpoint, end all trust, with both as evidence.
 *
 * How long: the committee of the newest epoch is believed until `trustingSeconds` after its end. A client
 * that heard of no handover for longer refuses everything and is to begin anew from a published epoch.
 */
export class ShardClient {
  readonly #deps: ShardClientDeps;
  readonly #network: ShardClientNetwork;
  #trust: EpochTrust;
  readonly #shards = new Map<number, FollowedCheckpoint[]>();
  readonly #orders = new Map<number, OrderState>();
  #conflict: CheckpointConflict | undefined;

  /** @param trust - of `startTrust` or `parseTrust` */
  constructor(deps: ShardClientDeps, network: ShardClientNetwork, trust: EpochTrust) {
    this.#deps = deps;
    this.#network = network;
    this.#trust = trust;
    for (const { committee } of trust.epochs) this.#learn(committee.office);
  }

  /** What is believed about epochs: store it with `encodeTrust`. */
  get trust(): EpochTrust {
    return this.#trust;
  }

  /** The newest checkpoint of a shard that was brought. */
  head(shardId: number): FollowedCheckpoint | undefined {
    return this.#shards.get(shardId)?.at(-1);
  }

  /** The root over the first `count` checkpoints, if a header or a checkpoint of the hub told it. */
  order(count: number): OrderState | undefined {
    return this.#orders.get(count);
  }

  /** The newest root of the order that was learned. */
  get newestOrder(): OrderState | undefined {
    return [...this.#orders.values()].reduce<OrderState | undefined>(
      (newest, each) => (newest === undefined || each.count > newest.count ? each : newest),
      undefined,
    );
  }

  /**
   * Takes the next epoch, or sees one that is known.
   *
   * @throws {TrustError} TRUST_CONFLICT with both headers' certificates; what `followHandover` throws;
   *   {ShardTrustError} SHARD_STOPPED
   */
  acceptEpoch(offer: HandoverOffer): EpochTrust {
    this.#assertGoesOn();
    this.#trust = followHandover(this.#trust, offer, this.#rules(), this.#deps.backend);
    const { conflict } = this.#trust;
    if (conflict !== undefined) {
      throw new TrustError(
        { code: 'TRUST_CONFLICT', epoch: conflict.epoch, evidence: conflict },
        `the committee of epoch ${conflict.epoch} named two epochs to follow its own`,
      );
    }
    this.#learn(headOf(this.#trust).committee.office);
    return this.#trust;
  }

  /**
   * Takes a checkpoint of any shard. Numbers may be left out; where they adjoin, the later one must name
   * the leaf of the one before. A checkpoint of the hub, shard 0, tells a root of the order.
   *
   * @throws {ShardTrustError} SHARD_CONFLICT with both certificates, SHARD_STOPPED; {TrustError}
   *   TRUST_STOPPED, TRUST_EXPIRED, TRUST_EPOCH_UNKNOWN; {CertificateError} CERTIFICATE_TOO_OLD for one
   *   of a committee whose stake may be free, and all that `verifyCheckpointCertificate` throws
   */
  acceptCheckpoint({ certificate: bytes, members }: CheckpointOffer): FollowedCheckpoint {
    this.#assertBelieved();
    const { backend } = this.#deps;
    const certificate = parseCertificate(bytes, backend);
    const { committee: snapshot } = requireEpoch(this.#trust, certificate.epoch);
    const { orderingHub, graceSeconds } = this.#network;
    const context = {
      network: this.#trust.network,
      snapshot,
      orderingHub,
      graceSeconds,
      trustedTimeSeconds: this.#nowSeconds(),
      ...(members === undefined ? {} : { committee: verifyMembers(members, snapshot) }),
    };
    const { checkpoint } = verifyCheckpointCertificate(certificate, context, backend);
    const followed = { checkpoint, hash: checkpointHash(checkpoint), certificate: bytes.slice() };
    this.#follow(followed);
    const { shardId, logRoot, logCount } = checkpoint;
    if (shardId === 0 && logCount > 0) this.#keepOrder({ root: logRoot, count: logCount });
    return followed;
  }

  /**
   * Proves that a checkpoint has its place in the order.
   *
   * @throws {ShardTrustError} SHARD_ORDER_UNKNOWN, SHARD_STOPPED; {TrustError}; what
   *   `verifyOrderedCheckpoint` throws
   */
  verifyOrdered(ordered: OrderedCheckpoint, orderCount: number): VerifiedCheckpoint {
    this.#assertBelieved();
    const order = this.#orders.get(orderCount);
    if (order !== undefined) return verifyOrderedCheckpoint(ordered, order);
    const newest = this.newestOrder?.count ?? 0;
    throw new ShardTrustError(
      { code: 'SHARD_ORDER_UNKNOWN', count: orderCount, newest },
      `no root over ${orderCount} checkpoints is known here, the newest is over ${newest}`,
    );
  }

  /** Proves a file of any shard. @throws as `verifyOrdered`; what `verifyFileContent` throws */
  verifyFile({ ordered, orderCount, file }: FileContentOffer): VerifiedFileContent {
    return verifyFileContent(file, this.verifyOrdered(ordered, orderCount));
  }

  /** Proves a blob of any shard. @throws as `verifyOrdered`; what `verifyBlobContent` throws */
  verifyBlob({ ordered, orderCount, blob, epoch }: BlobContentOffer): VerifiedBlobContent {
    const checkpoint = this.verifyOrdered(ordered, orderCount);
    const { office } = requireEpoch(this.#trust, epoch).committee;
    return verifyBlobContent(blob, checkpoint, office);
  }

  #follow(followed: FollowedCheckpoint): void {
    const { shardId, number, previous } = followed.checkpoint;
    const known = this.#shards.get(shardId) ?? [];
    if (known.length === 0 && this.#shards.size >= MAX_SHARDS) return;
    const same = known.find(({ checkpoint }) => checkpoint.number === number);
    if (same !== undefined) {
      if (!equalBytes(same.hash, followed.hash)) throw this.#divide(same, followed);
      return;
    }
    const before = known.find(({ checkpoint }) => checkpoint.number === number - 1);
    if (before !== undefined && !equalBytes(before.hash, previous)) {
      throw this.#divide(before, followed);
    }
    const after = known.find(({ checkpoint }) => checkpoint.number === number + 1);
    if (after !== undefined && !equalBytes(after.checkpoint.previous, followed.hash)) {
      throw this.#divide(followed, after);
    }
    const all = [...known, followed].sort(
      (left, right) => left.checkpoint.number - right.checkpoint.number,
    );
    this.#shards.set(shardId, all.slice(-RECENT));
  }

  #divide(first: FollowedCheckpoint, second: FollowedCheckpoint): ShardTrustError {
    const { shardId, number } = second.checkpoint;
    const evidence = {
      shardId,
      number,
      first: first.certificate,
      second: second.certificate,
    };
    this.#conflict = evidence;
    return new ShardTrustError(
      { code: 'SHARD_CONFLICT', shardId, number, evidence },
      `committees signed ${toHex(first.hash)} and ${toHex(second.hash)} about shard ${shardId}, up to its checkpoint ${number}: they cannot both be of one stream`,
    );
  }

  /** What the header of an epoch says about the order. */
  #learn({
    orderRoot: root,
    orderCount: count,
  }: {
    orderRoot: Uint8Array;
    orderCount: number;
  }): void {
    if (count > 0) this.#keepOrder({ root, count });
  }

  #keepOrder(order: OrderState): void {
    if (!this.#orders.has(order.count)) this.#orders.set(order.count, order);
    if (this.#orders.size <= MAX_ORDERS) return;
    this.#orders.delete(Math.min(...this.#orders.keys()));
  }

  #assertGoesOn(): void {
    assertUndivided(this.#trust);
    if (this.#conflict === undefined) return;
    const { shardId, number } = this.#conflict;
    throw new ShardTrustError(
      { code: 'SHARD_STOPPED', shardId, number },
      `committees contradicted each other about checkpoint ${number} of shard ${shardId}: nothing is believed any more`,
    );
  }

  #assertBelieved(): void {
    this.#assertGoesOn();
    assertBelieved(headOf(this.#trust).committee, this.#rules());
  }

  #rules(): TrustRules {
    const { trustingSeconds, maxDriftSeconds } = this.#network;
    return { nowSeconds: this.#nowSeconds(), trustingSeconds, maxDriftSeconds };
  }

  #nowSeconds(): number {
    return Math.floor(this.#deps.clock.now() / 1000);
  }
}
