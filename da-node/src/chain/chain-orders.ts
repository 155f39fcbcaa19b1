import { encodeBlobHeader } from '@cairn/attestation';
import {
  type BlobOrder,
  type EntranceCaller,
  readOrders,
  readPayer,
  submitBlobs,
} from '@cairn/chain-access/da';
import { type Clock, equalBytes, type Logger, SingleFlight } from '@cairn/primitives';
import type { SubmittedOrder } from '../disperser/blob-order.ts';
import type { BlobSubmission, OrderedBlob } from '../disperser/ports.ts';
import type { DaChain } from './connect-chain.ts';
import { outlastOutages } from './outlast-outages.ts';

/** What ordering on chain works with. */
export interface ChainOrdersDeps {
  readonly chain: Pick<DaChain, 'entrance'>;
  readonly sender: EntranceCaller['sender'];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a deposit that was read counts: promises are covered five times over. */
const DEPOSIT_MS = 5000;
/** Looks in a row that must miss an order before it counts as given up: endpoints may lag. */
const LOOKS_TO_MISS = 3;

/** Orders of blobs that are paid on chain, and the deposit for those that are not. */
export class ChainOrders {
  readonly #deps: ChainOrdersDeps;
  readonly #pollMs: number;
  readonly #reading = new SingleFlight<bigint>();
  #deposit: { readonly freeWei: bigint; readonly readMs: number } | undefined;

  constructor(deps: ChainOrdersDeps, { pollMs }: { readonly pollMs: number }) {
    this.#deps = deps;
    this.#pollMs = pollMs;
  }

  /** As `Entrance.submit`. */
  async submit(
    { intent, epoch, blobs }: BlobSubmission,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly OrderedBlob[]> {
    const { chain, sender, clock } = this.#deps;
    const { entrance } = chain;
    const paid = blobs.map(({ commitment, suite, layout, retentionEpochs }) => ({
      commitment,
      suite,
      retentionEpochs,
      sizeBytes: layout.payloadBytes,
      log2K: layout.log2K,
      cosets: layout.cosets,
      rowSizeBytes: layout.rowBytes,
    }));
    // The journal of transactions knows the call by its intent, so this only looks again.
    const look = (): Promise<readonly BlobOrder[]> =>
      this.#outlast(
        () => submitBlobs({ entrance, sender }, { blobs: paid, epoch }, { intent, signal }),
        signal,
      );
    for (;;) {
      const seen = await look();
      const block = seen[0]?.block.number ?? 0;
      while ((await this.#finalBlock(signal)) < block) await clock.sleep(this.#pollMs, signal);
      const orders = await look();
      // A block that was taken back until then had the call elsewhere, with other numbers.
      if (orders[0]?.block.hash === seen[0]?.block.hash) return orders.map(orderedBlobOf);
    }
  }

  /** As `Entrance.holds`. */
  async holds(
    { header, submitted }: SubmittedOrder,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { entrance } = this.#deps.chain;
    const { transaction } = submitted;
    const wanted = encodeBlobHeader(header);
    for (let looks = 1; ; looks += 1) {
      const final = await this.#finalBlock(signal);
      const orders = await this.#outlast(
        () => readOrders(entrance, transaction, { signal }),
        signal,
      );
      const found = orders.find((order) => equalBytes(encodeBlobHeader(order.header), wanted));
      if (found !== undefined && found.block.number <= final) return true;
      if (looks === LOOKS_TO_MISS) return false;
      await this.#deps.clock.sleep(this.#pollMs, signal);
    }
  }

  /** As `Entrance.freeDepositWei`; up to five seconds old. */
  async freeDepositWei({ signal }: { readonly signal: AbortSignal }): Promise<bigint> {
    const { clock } = this.#deps;
    const known = this.#deposit;
    if (known !== undefined && clock.monotonic() - known.readMs < DEPOSIT_MS) return known.freeWei;
    return this.#reading.run('', () => this.#readDeposit(signal), signal);
  }

  async #readDeposit(signal: AbortSignal): Promise<bigint> {
    const { chain, sender, clock } = this.#deps;
    const readMs = clock.monotonic();
    const freeWei = await this.#outlast(async () => {
      const block = await chain.entrance.finalBlock({ signal });
      const { balanceWei, leavingWei } = await readPayer(chain.entrance, sender.address, {
        block,
        signal,
      });
      return balanceWei > leavingWei ? balanceWei - leavingWei : 0n;
    }, signal);
    this.#deposit = { freeWei, readMs };
    return freeWei;
  }

  #finalBlock(signal: AbortSignal): Promise<number> {
    return this.#outlast(() => this.#deps.chain.entrance.finalBlock({ signal }), signal);
  }

  #outlast<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return outlastOutages(work, this.#deps, signal);
  }
}

function orderedBlobOf({
  header,
  epoch,
  quorumId,
  block,
  transactionHash,
}: BlobOrder): OrderedBlob {
  return { header, epoch, quorumId, block: block.number, transaction: transactionHash };
}
