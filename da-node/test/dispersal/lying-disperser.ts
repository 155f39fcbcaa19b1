import { isQuorum, weightOf } from '@cairn/attestation';
import {
  type CommittedBlob,
  commitBlob,
  packedSliceBytes,
  packedSliceOf,
  type RowCodec,
} from '@cairn/erasure-codec';
import {
  concatBytes,
  describeError,
  isFault,
  memoryKeyValueStore,
  noMetrics,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import type { PromisedOrder } from '../../src/disperser/blob-order.ts';
import { BlobStore } from '../../src/disperser/blob-store.ts';
import { collectVotes } from '../../src/disperser/collect-votes.ts';
import { arcsOf } from '../../src/disperser/deliver-slices.ts';
import { PromiseMaker } from '../../src/disperser/make-promise.ts';
import { createDispersalMetrics } from '../../src/disperser/metrics.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { backend, NETWORK, signerAddress } from './committee.ts';
import { payer, type TestQuorum } from './harness.ts';

const { signal } = new AbortController();
const PATIENCE = { timeoutMs: 2000, attempts: 1, delayMs: 20, laggardMs: 0 };

/** A blob that somebody promised to pay for. */
export interface ForgedBlob {
  readonly blob: CommittedBlob;
  readonly order: PromisedOrder;
}

/** Speaks the disperser's protocol with a payer's real key, and breaks its rules. */
export class LyingDisperser {
  readonly #quorum: TestQuorum;
  readonly #codec: Pick<RowCodec, 'encode'>;
  readonly #promises: PromiseMaker;

  constructor(quorum: TestQuorum, codec: Pick<RowCodec, 'encode'>) {
    this.#quorum = quorum;
    this.#codec = codec;
    const store = new BlobStore(memoryKeyValueStore());
    // Slots that the honest disperser, which has the same account, does not come to.
    const slots = { next: 30_000 };
    this.#promises = new PromiseMaker({
      store: {
        nextSlot: async () => slots.next,
        useSlotsBelow: async (epoch, below) => {
          slots.next = below;
          await store.useSlotsBelow(epoch, below);
        },
      },
      network: NETWORK,
      payer,
    });
  }

  /** Commits and promises; `saidBytes` is the length that the promise names. */
  async forge(
    payload: Uint8Array,
    { codec = this.#codec, saidBytes = payload.length }: ForgeOptions = {},
  ): Promise<ForgedBlob> {
    const { suite, combiner, chain } = this.#quorum;
    const parts = { codec, suite, combiner, signal };
    const blob = await commitBlob(payload, NETWORK.layout, parts);
    const terms = await chain.openEpoch({ signal });
    const layout = { ...blob.layout, payloadBytes: saidBytes };
    const { commitment } = blob;
    const paid = { commitment, suite: suite.id, layout, retentionEpochs: 1 };
    return { blob, order: await this.#promises.make(paid, terms) };
  }

  /**
   * Sends a member its slice, with a bit of a row flipped if it is to be spoiled.
   *
   * @returns what the member refuses it for; `undefined` if it takes it
   */
  async deliver(
    { blob, order }: ForgedBlob,
    member: number,
    { isSpoiled = false }: { readonly isSpoiled?: boolean } = {},
  ): Promise<string | undefined> {
    const { suite, chain, transport } = this.#quorum;
    const committee = chain.committeeAt(order.epoch);
    const arc = arcsOf({ blob, committee }, suite).find(({ id }) => id === member);
    const socket = await chain.socketOf(signerAddress(member));
    if (arc === undefined || socket === undefined) throw new RangeError(`no member ${member}`);
    const message = concatBytes(...(await packedSliceOf(blob, arc, { signal })));
    const firstRow = packedSliceBytes(blob.layout, { start: 0, count: 0 });
    if (isSpoiled) message[firstRow] = (message[firstRow] ?? 0) ^ 1;
    const slice = [message];
    try {
      const options = { timeoutMs: PATIENCE.timeoutMs, signal };
      await httpSignerPeers(transport).deliver(socket, { order, slice }, options);
      return undefined;
    } catch (error) {
      return isFault(error, 'SIGNER_REFUSED')
        ? String(Reflect.get(error.facts, 'reply'))
        : describeError(error);
    }
  }

  /** Asks all members to sign. @returns those who did, and whether they are a quorum */
  async collect({ order }: ForgedBlob): Promise<{
    readonly signed: readonly number[];
    readonly isQuorum: boolean;
  }> {
    const { chain, transport } = this.#quorum;
    const { epoch, quorumId } = order;
    const committee = chain.committeeAt(epoch);
    const members = committee.members.map(({ index }) => index);
    const deps = {
      peers: httpSignerPeers(transport),
      epochs: chain,
      backend,
      network: NETWORK,
      clock: systemClock(),
      logger: silentLogger(),
      metrics: createDispersalMetrics(noMetrics()),
      patience: PATIENCE,
    };
    const batch = { epoch, quorumId, orders: [order] };
    const { votes } = await collectVotes(batch, committee, members, deps, { signal });
    return {
      signed: votes.map(({ memberIndex }) => memberIndex),
      isQuorum: isQuorum(weightOf(votes), committee.snapshot.totalWeight),
    };
  }
}

/** What is wrong with a blob from the beginning. */
export interface ForgeOptions {
  readonly codec?: Pick<RowCodec, 'encode'>;
  readonly saidBytes?: number;
}
