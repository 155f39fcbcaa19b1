import {
  type Checkpoint,
  checkpointHash,
  type Domain,
  encodeCheckpoint,
  type Network,
  STATEMENT_KINDS,
} from '@cairn/attestation';
import { type Clock, equalBytes, toHex } from '@cairn/primitives';
import type { CheckpointRequest, OfficeVote } from '@cairn/wire-protocol/da';
import { SignerError } from '../../errors.ts';
import type { ChainOptions, SignerChain, SignerNetwork } from '../ports.ts';
import { type ProtectionLog, signProtected } from '../protection-log.ts';
import { requireOffice, requireSeat, type SignerIdentity } from '../seat.ts';
import type { ShardChains } from './ports.ts';
import { type ShardWatch, slotAt } from './watch-shards.ts';

/** What signing for bundles needs. */
export interface CheckpointSignerDeps {
  readonly chain: Pick<SignerChain, 'epochHeader' | 'committee'>;
  readonly chains: Pick<ShardChains, 'orderedHash'>;
  readonly watch: Pick<ShardWatch, 'view'>;
  readonly network: Network;
  readonly orderingHub: Domain;
  /** Seconds of an epoch, and those after its end in which its bundles are taken. */
  readonly times: Pick<SignerNetwork, 'epochSeconds' | 'graceSeconds'>;
  readonly identity: SignerIdentity;
  readonly protection: ProtectionLog;
  readonly clock: Clock;
}

/**
 * Signs bundles of checkpoints: the epoch signs now and this signer sits in its committee → every
 * checkpoint is, byte by byte, what this signer's own node of the shard says of a final block, and is the
 * next of its stream or one that was signed or ordered already → its number is this content's for good →
 * only then the signature. One that fails refuses the whole bundle, and is named.
 *
 * @see the rule for signers of checkpoints: kind 2
 */
export class CheckpointSigner {
  readonly #deps: CheckpointSignerDeps;

  constructor(deps: CheckpointSignerDeps) {
    this.#deps = deps;
  }

  /**
   * The vote for a bundle.
   *
   * @throws {SignerError} EPOCH_UNKNOWN, EPOCH_CLOSED, SIGNER_NOT_SEATED, SHARD_UNKNOWN,
   *   CHECKPOINT_NOT_FINAL, CHECKPOINT_SEQUENCE, CHECKPOINT_DIFFERS and what `protect` throws; what the
   *   chain throws; the signal's reason
   */
  async sign(
    { epoch, checkpoints }: CheckpointRequest,
    { signal }: ChainOptions,
  ): Promise<OfficeVote> {
    const { chain, times, identity, protection, network, orderingHub, clock } = this.#deps;
    const nowSeconds = Math.floor(clock.now() / 1000);
    await requireOffice({ epoch, nowSeconds }, { chain, network: times }, { signal });
    await requireSeat({ epoch, quorumId: 0 }, { chain, identity }, { signal });
    const signing = new Map<number, number>();
    for (const checkpoint of checkpoints) await this.#assertNext(checkpoint, signing, { signal });
    const kind = STATEMENT_KINDS.checkpoints;
    const about = { kind, domain: orderingHub, epoch, quorumId: 0 };
    const bodies = checkpoints.map(encodeCheckpoint);
    const statement = await protection.protect(about, bodies, { signal });
    const signature = signProtected(identity.key, network, statement);
    const { count, root } = statement;
    return { kind, epoch, quorumId: 0, count, root, signer: identity.address, signature };
  }

  /** @param signing - numbers up to which each shard's stream goes in this bundle so far */
  async #assertNext(
    checkpoint: Checkpoint,
    signing: Map<number, number>,
    options: ChainOptions,
  ): Promise<void> {
    const { watch, protection, orderingHub } = this.#deps;
    const { shardId, number } = checkpoint;
    const view = watch.view(shardId);
    if (view === undefined) {
      throw new SignerError(
        { code: 'SHARD_UNKNOWN', shardId },
        `shard ${shardId} is not watched here`,
      );
    }
    const leaf = checkpointHash(checkpoint);
    const slot = slotAt(orderingHub, shardId, number);
    const signed = protection.leafOf(slot);
    if (signed !== undefined && equalBytes(signed, leaf)) return;
    if (number <= view.head.number) {
      const ordered = await this.#deps.chains.orderedHash(shardId, number, options);
      if (signed === undefined && ordered !== undefined && equalBytes(ordered, leaf)) return;
      throw sequence(checkpoint, view.head.number + 1);
    }
    const before = Math.max(view.head.number, protection.newestIn(slot), signing.get(shardId) ?? 0);
    if (number > before + 1) throw sequence(checkpoint, before + 1);
    const own = view.upcoming.find((each) => each.number === number);
    if (own === undefined) {
      const { newest } = view;
      throw new SignerError(
        { code: 'CHECKPOINT_NOT_FINAL', shardId, number, newest },
        `checkpoint ${number} of shard ${shardId} is not final here yet, ${newest} is`,
      );
    }
    const ownLeaf = checkpointHash(own);
    if (!equalBytes(ownLeaf, leaf)) {
      const facts = { shardId, number, own: toHex(ownLeaf), asked: toHex(leaf) };
      throw new SignerError(
        { code: 'CHECKPOINT_DIFFERS', ...facts },
        `checkpoint ${number} of shard ${shardId} is ${facts.own} by this signer's node, not ${facts.asked}`,
      );
    }
    signing.set(shardId, number);
  }
}

function sequence({ shardId, number }: Checkpoint, next: number): SignerError {
  return new SignerError(
    { code: 'CHECKPOINT_SEQUENCE', shardId, number, next },
    `checkpoint ${number} of shard ${shardId} is not the next one, which is ${next}`,
  );
}
