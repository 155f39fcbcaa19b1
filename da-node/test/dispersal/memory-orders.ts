import { type BlobHeader, type EpochHeader, encodeBlobHeader } from '@cairn/attestation';
import { signerFromKey } from '@cairn/chain-access';
import { toHex } from '@cairn/primitives';
import type { BlobSubmission, OrderedBlob } from '../../src/disperser/ports.ts';
import type { SubmittedBlob } from '../../src/signer/ports.ts';
import { NETWORK } from './committee.ts';

/** Who pays for orders. */
const PAYER = signerFromKey('42'.repeat(32)).address;

/** What orders need of the chain. */
export interface OrdersChain {
  readonly office: () => EpochHeader;
  readonly until: (isSo: () => boolean, signal: AbortSignal) => Promise<void>;
}

/** A call that a block holds. */
interface Mined {
  readonly intent: string;
  readonly orders: readonly OrderedBlob[];
  readonly block: number;
}

/**
 * The part of a memory chain that orders blobs which are paid first, with the journal of the payer's
 * transactions: a call is made once for its intent, whoever asks how often, and is mined again
 * where a reorg took its block.
 */
export class MemoryOrders {
  /** Blocks that must follow a block until orders in it are told. */
  finalityBlocks = 2;
  /** Calls that were paid for, one for each intent. */
  readonly paid: string[] = [];
  /** Blobs of each call. */
  readonly sizes: number[] = [];
  /** Whether calls wait. */
  isUp = true;
  /** What the chain says no with. */
  refusal: Error | undefined;
  /** Told when a call is paid for, before its caller hears of it. */
  onPaid: () => void = () => undefined;
  readonly #chain: OrdersChain;
  readonly #journal = new Map<string, BlobSubmission>();
  #mined: Mined[] = [];
  #block = 0;
  /** Orders of others before these: a reorg may shift numbers. */
  #strangers = 0;

  constructor(chain: OrdersChain) {
    this.#chain = chain;
  }

  async submit(submission: BlobSubmission, signal: AbortSignal): Promise<readonly OrderedBlob[]> {
    const { intent } = submission;
    await this.#chain.until(() => this.isUp, signal);
    signal.throwIfAborted();
    if (this.refusal !== undefined) throw this.refusal;
    const known = this.#journal.get(intent);
    if (known === undefined) {
      this.#journal.set(intent, submission);
      this.paid.push(intent);
      this.sizes.push(submission.blobs.length);
      this.#mine(submission);
      this.onPaid();
    } else if (!isSameCall(known, submission)) throw new Error('TX_INTENT_CHANGED');
    else if (this.#of(intent) === undefined) this.#mine(known); // its block was taken back
    await this.#chain.until(() => this.#isFinal(intent), signal);
    signal.throwIfAborted();
    return this.#of(intent)?.orders ?? [];
  }

  /** Mines blocks. */
  mine(blocks: number): void {
    this.#block += blocks;
  }

  /**
   * Takes back the newest blocks: calls in them are gone until they are mined again, after as many
   * orders of others as are told.
   */
  reorg(depth: number, strangers = 0): void {
    const first = this.#block - depth + 1;
    this.#mined = this.#mined.filter(({ block }) => block < first);
    this.#strangers += strangers;
  }

  /** An order as final blocks have it. */
  at(index: bigint): SubmittedBlob | undefined {
    for (const { orders, intent } of this.#mined) {
      const found = orders.find(({ header }) => header.submissionIndex === index);
      if (found !== undefined) return { ...found, isFinal: this.#isFinal(intent) };
    }
    return undefined;
  }

  /** The order with this very header in a final block. */
  find(header: BlobHeader): SubmittedBlob | undefined {
    const found = this.at(header.submissionIndex);
    const isIt = found && toHex(encodeBlobHeader(found.header)) === toHex(encodeBlobHeader(header));
    return isIt === true && found?.isFinal === true ? found : undefined;
  }

  #of(intent: string): Mined | undefined {
    return this.#mined.find((mined) => mined.intent === intent);
  }

  #isFinal(intent: string): boolean {
    const mined = this.#of(intent);
    return mined !== undefined && this.#block >= mined.block + this.finalityBlocks;
  }

  #mine({ intent, blobs }: BlobSubmission): void {
    this.#block += 1;
    const first = this.#strangers + this.#mined.reduce((sum, { orders }) => sum + orders.length, 0);
    const { epoch, endSeconds } = this.#chain.office();
    const block = this.#block;
    const orders = blobs.map(({ commitment, suite, layout, retentionEpochs }, at) => {
      const header: BlobHeader = {
        suite,
        log2K: layout.log2K,
        cosets: layout.cosets,
        rowSizeBytes: layout.rowBytes,
        sizeBytes: layout.payloadBytes,
        commitment,
        submitter: PAYER,
        shardId: NETWORK.shardId,
        submissionIndex: BigInt(first + at),
        expirySeconds: endSeconds + retentionEpochs * NETWORK.epochSeconds,
      };
      const transaction = `0x${intent.slice(-64)}` as const;
      return { header, epoch, quorumId: 0, block, transaction };
    });
    this.#mined.push({ intent, orders, block });
    this.#block += this.finalityBlocks; // blocks go on, unless a test says otherwise
  }
}

function isSameCall(left: BlobSubmission, right: BlobSubmission): boolean {
  const contentOf = ({ blobs }: BlobSubmission): string =>
    blobs
      .map(({ commitment, layout, retentionEpochs }) =>
        [toHex(commitment), layout.payloadBytes, retentionEpochs].join(':'),
      )
      .join();
  return contentOf(left) === contentOf(right);
}
