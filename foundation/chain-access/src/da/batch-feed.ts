import {
  type BlobHeader,
  type BlsBackend,
  encodeBlobHeader,
  leafHash,
  treeRoot,
} from '@cairn/attestation';
import { type BlockMark, equalBytes, LruCache } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { readTransactionCall } from '../client/read-transaction.ts';
import { type EventQuery, EventReader } from '../log/event-reader.ts';
import {
  type BatchConfirmation,
  type BlobOrder,
  decodeBatchConfirmation,
  decodeBlobOrder,
  decodePromisedConfirmation,
  logsOf,
} from './blob-events.ts';
import { certificatesOfCall } from './confirmed-batch.ts';
import type { EpochBook } from './epoch-book.ts';
import type { Entrance } from './open-entrance.ts';

/** Paid blobs of one epoch that are searched for the leaves of a batch: the newest. */
const MAX_ORDERS = 4096;
/** Hashes that one search may take: some seconds. */
const MAX_SEARCH = 2 ** 18;
/** Epochs whose orders are kept. */
const MAX_EPOCHS = 4;

/** Paid blobs of an epoch, as far as they were read. */
interface EpochOrders {
  readonly through: number;
  readonly orders: readonly BlobOrder[];
}

/** Blocks, both ends included. */
export interface BlockRange {
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** What reading batches takes. */
export interface BatchFeedDeps {
  readonly entrance: Entrance;
  readonly epochs: Pick<EpochBook, 'sealed'>;
  readonly backend: Pick<BlsBackend, 'parseSignature'>;
}

/** Batches that were confirmed in a run of blocks. */
export interface FeedPage {
  readonly through: BlockMark;
  /** In the chain's order. */
  readonly confirmations: readonly BatchConfirmation[];
}

/** A blob of a confirmed batch, as the chain tells it: whoever takes the certificate verifies it. */
export interface FoundBlob {
  readonly certificate: Uint8Array;
  readonly header: BlobHeader;
  readonly confirmation: BatchConfirmation;
  readonly leafIndex: number;
  /** Whether the chain says that it was not paid for, and counts for nothing. */
  readonly isVoid: boolean;
}

/**
 * Blobs with their certificates from the chain alone: the calls that confirmed batches hold all that
 * quorums signed. No disperser is needed, and the endpoint is believed in nothing but what it leaves
 * out.
 */
export class BatchFeed {
  readonly #deps: BatchFeedDeps;
  readonly #reader: EventReader;
  /** Headers of paid blobs by epoch and quorum, as far as they were read. */
  readonly #orders = new LruCache<number, EpochOrders>({ maxWeight: MAX_EPOCHS });

  constructor(deps: BatchFeedDeps) {
    this.#deps = deps;
    const { client, domain } = deps.entrance;
    this.#reader = new EventReader({ client, address: domain.address });
  }

  /** Confirmations in these blocks, oldest first. @throws {DaError} DA_BAD_EVENT; what the client throws */
  async *forward(blocks: BlockRange, options: CallOptions): AsyncGenerator<FeedPage, void, void> {
    for await (const { through, logs } of this.#reader.forward(this.#query(blocks), options)) {
      yield { through, confirmations: logs.map((log) => this.#decode(log)) };
    }
  }

  /** Confirmations in these blocks, a page at a time, newest first. @throws as `forward` */
  async *backward(
    blocks: BlockRange,
    options: CallOptions,
  ): AsyncGenerator<readonly BatchConfirmation[], void, void> {
    for await (const { logs } of this.#reader.backward(this.#query(blocks), options)) {
      yield logs.map((log) => this.#decode(log)).reverse();
    }
  }

  /**
   * The blobs of a batch.
   *
   * @returns `undefined` where the transaction does not tell them: another contract made the call, or
   *   paid blobs were batched in an order that nobody can guess
   * @throws {ChainError} CHAIN_BAD_REPLY; {DaError}; {BlsError}; what the client throws
   */
  async blobsOf(
    confirmation: BatchConfirmation,
    options: CallOptions,
  ): Promise<readonly FoundBlob[] | undefined> {
    const { entrance, epochs, backend } = this.#deps;
    const { epoch } = confirmation;
    const sealed = await epochs.sealed(epoch, options);
    const transaction = await readTransactionCall(
      entrance.client,
      confirmation.transactionHash,
      options,
    );
    if (sealed === undefined || transaction.to !== entrance.domain.address) return undefined;
    const call = entrance.contract.parseCall(transaction.input);
    if (call === undefined) return undefined;
    const isPaid = call.name === 'confirmBatch';
    const count = isPaid ? call.values.number('count') : 0;
    const headers = isPaid ? await this.#paidHeaders(confirmation, count, options) : undefined;
    const { endSeconds } = sealed.header;
    const certificates = certificatesOfCall(call, confirmation, {
      entrance,
      backend,
      endSeconds,
      ...(headers === undefined ? {} : { headers }),
    });
    if (certificates === undefined) return undefined;
    const voids = isPaid ? [] : await this.#voids(confirmation, options);
    return certificates.map(({ certificate, header }, leafIndex) => ({
      certificate,
      header,
      confirmation,
      leafIndex,
      isVoid: voids.includes(leafIndex),
    }));
  }

  #query(blocks: BlockRange): EventQuery {
    return { ...blocks, topics: [this.#deps.entrance.contract.topic('BatchConfirmed')] };
  }

  #decode(log: LogRecord): BatchConfirmation {
    return decodeBatchConfirmation(this.#deps.entrance.contract, log);
  }

  /** Leaves of promised blobs that were not paid for. */
  async #voids(confirmation: BatchConfirmation, options: CallOptions): Promise<readonly number[]> {
    const { client, contract } = this.#deps.entrance;
    const receipt = await client.getReceipt(confirmation.transactionHash, options);
    const [confirmed] = receipt === undefined ? [] : logsOf(receipt, contract, 'BatchConfirmed');
    if (receipt === undefined || confirmed === undefined) return [];
    const { voids } = decodePromisedConfirmation(contract, confirmed, receipt);
    return voids.map(({ leafIndex }) => leafIndex);
  }

  /** The paid blobs that a batch is made of: successive orders, of one submitter or of all. */
  async #paidHeaders(
    { root, epoch, quorumId, block }: BatchConfirmation,
    count: number,
    options: CallOptions,
  ): Promise<readonly BlobHeader[] | undefined> {
    const orders = (await this.#ordersOf(epoch, block.number, options)).filter(
      (order) => order.quorumId === quorumId,
    );
    const submitters = new Set(orders.map(({ header }) => header.submitter));
    const own = [...submitters].map((submitter) =>
      orders.filter(({ header }) => header.submitter === submitter),
    );
    let left = MAX_SEARCH;
    for (const run of [orders, ...own]) {
      const leaves = run.map(({ header }) => leafHash(encodeBlobHeader(header)));
      for (let at = run.length - count; at >= 0 && left > 0; at -= 1) {
        left -= count;
        if (!equalBytes(treeRoot(leaves.slice(at, at + count)), root)) continue;
        return run.slice(at, at + count).map(({ header }) => header);
      }
    }
    return undefined;
  }

  /** What was ordered in an epoch before a block: no order of it is older than its seal. */
  async #ordersOf(
    epoch: number,
    toBlock: number,
    options: CallOptions,
  ): Promise<readonly BlobOrder[]> {
    const { entrance, epochs } = this.#deps;
    const known = this.#orders.get(epoch);
    if (known !== undefined && known.through >= toBlock) return known.orders;
    const sealed = await epochs.sealed(epoch, options);
    const fromBlock = known === undefined ? (sealed?.block.number ?? toBlock) : known.through + 1;
    const topics = [entrance.contract.topic('BlobSubmitted')];
    let orders = known?.orders ?? [];
    for await (const { logs } of this.#reader.forward({ topics, fromBlock, toBlock }, options)) {
      const more = logs.map((log) => decodeBlobOrder(entrance, log));
      const own = more.filter((order) => order.epoch === epoch);
      orders = [...orders, ...own].slice(-MAX_ORDERS);
    }
    this.#orders.set(epoch, { through: toBlock, orders });
    return orders;
  }
}
