import { createHash } from 'node:crypto';
import { type Address, type Clock, LruCache, toHex, utf8Bytes } from '@cairn/primitives';
import type { SubmittedOrder } from '../disperser/blob-order.ts';
import type {
  BatchOutcome,
  BlobSubmission,
  Entrance,
  FinalConfirmation,
  OrderedBlob,
  OrderFate,
  SignedBatch,
  StalledOrder,
} from '../disperser/ports.ts';
import type { ConfirmedLeaf, DaChainFacts } from '../doors/chain-facts.ts';
import type { DevEpochs } from './dev-epochs.ts';
import { DEV_NETWORK } from './dev-network.ts';
import type { Switches } from './switches.ts';

/** Confirmed batches and calls that are remembered: those of one payer in two epochs. */
const MAX_REMEMBERED: number = 2 * 65_536;
/** Covers any promise. */
const DEPOSIT_WEI: bigint = 10n ** 30n;

interface Confirmed extends Omit<ConfirmedLeaf, 'isVoid'> {
  readonly block: number;
  readonly transaction: string;
  /** Whether the time until it is final is over. */
  isFinal: boolean;
}

/**
 * What a chain would do, after the time that switches say: every batch is confirmed, every promise
 * covered, nothing taken back. Blocks are numbered by the second.
 */
export class DevEntrance implements Entrance, DaChainFacts {
  readonly #epochs: DevEpochs;
  readonly #switches: Switches;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #payer: Address;
  readonly #confirmed = new LruCache<string, Confirmed>({ maxWeight: MAX_REMEMBERED });
  readonly #calls = new LruCache<string, readonly OrderedBlob[]>({ maxWeight: MAX_REMEMBERED });
  #ordered = 0n;

  constructor(
    deps: { readonly epochs: DevEpochs; readonly switches: Switches; readonly clock: Clock },
    payer: Address,
  ) {
    this.#epochs = deps.epochs;
    this.#switches = deps.switches;
    this.#clock = deps.clock;
    this.#payer = payer;
  }

  async submit(
    { intent, epoch, blobs }: BlobSubmission,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly OrderedBlob[]> {
    await this.#switches.delay('final', signal);
    const known = this.#calls.get(intent);
    if (known !== undefined) return known;
    const committee = await this.#epochs.committee(epoch, 0);
    const endSeconds = committee?.snapshot.office.endSeconds ?? this.#seconds();
    const transaction = toHex(createHash('sha256').update(utf8Bytes(intent)).digest());
    const orders = blobs.map(({ commitment, suite, layout, retentionEpochs }) => {
      const header = {
        suite,
        log2K: layout.log2K,
        cosets: layout.cosets,
        rowSizeBytes: layout.rowBytes,
        sizeBytes: layout.payloadBytes,
        commitment,
        submitter: this.#payer,
        shardId: DEV_NETWORK.shardId,
        submissionIndex: this.#ordered,
        expirySeconds: endSeconds + retentionEpochs * DEV_NETWORK.epochSeconds,
      };
      this.#ordered += 1n;
      return { header, epoch, quorumId: 0, block: this.#seconds(), transaction };
    });
    this.#calls.set(intent, orders);
    return orders;
  }

  async holds(_order: SubmittedOrder): Promise<boolean> {
    return true; // nothing is taken back
  }

  async freeDepositWei(): Promise<bigint> {
    return DEPOSIT_WEI;
  }

  async confirm(
    batch: SignedBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<BatchOutcome> {
    await this.#switches.delay('confirmed', signal);
    const { epoch, quorumId, orders, committee } = batch;
    const closesSeconds = committee.snapshot.office.endSeconds + DEV_NETWORK.graceSeconds;
    if (this.#seconds() > closesSeconds) return { kind: 'closed' };
    const root = toHex(batch.root);
    const block = this.#seconds();
    const transaction = root; // there is none: a name for it as long as one
    const count = orders.length;
    this.#confirmed.set(root, { epoch, quorumId, count, block, transaction, isFinal: false });
    return { kind: 'confirmed', voidLeaves: [], transaction, block };
  }

  async finalConfirmation(
    root: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<FinalConfirmation | undefined> {
    await this.#switches.delay('final', signal);
    const found = this.#confirmed.get(toHex(root));
    if (found === undefined) return undefined;
    found.isFinal = true;
    const { block, transaction } = found;
    return { block, transaction, voidLeaves: [] };
  }

  async fateOf({ batch }: StalledOrder): Promise<OrderFate> {
    const found = batch && this.#confirmed.get(toHex(batch.root));
    return found === undefined ? { kind: 'void' } : { kind: 'counted', block: found.block };
  }

  async leaf(
    { root, leafIndex }: { readonly root: Uint8Array; readonly leafIndex: number },
    at: 'newest' | 'final',
  ): Promise<ConfirmedLeaf | undefined> {
    const found = this.#confirmed.get(toHex(root));
    if (found === undefined || (at === 'final' && !found.isFinal)) return undefined;
    const { epoch, quorumId, count } = found;
    return leafIndex < count ? { epoch, quorumId, count, isVoid: false } : undefined;
  }

  async finalSeconds(): Promise<number> {
    return this.#seconds();
  }

  async finalEpoch(): Promise<number> {
    return this.#epochs.current;
  }

  async secondsOf(block: number): Promise<number | undefined> {
    return block <= this.#seconds() ? block : undefined;
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
