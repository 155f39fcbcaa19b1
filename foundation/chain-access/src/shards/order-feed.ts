import { type BlsBackend, type Checkpoint, parseSnapshot } from '@cairn/attestation';
import type { BlockMark, Hex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { readTransactionCall } from '../client/read-transaction.ts';
import type { BlockRange } from '../da/batch-feed.ts';
import type { Values } from '../da/values.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import type { Ordering } from './open-ordering.ts';
import type { SignedBundle } from './ordering-calls.ts';
import { signatureIn, snapshotBytesIn } from './quorum-signature.ts';

/** A checkpoint that the hub gave its place, as the event tells it. */
export interface OrderedEvent {
  readonly globalIndex: number;
  readonly shardId: number;
  readonly number: number;
  /** Its leaf, 32 bytes. */
  readonly hash: Uint8Array;
  readonly block: BlockMark;
  readonly transactionHash: Hex;
}

/** Places that were given in a run of blocks. */
export interface OrderPage {
  readonly through: BlockMark;
  /** By rising global index. */
  readonly ordered: readonly OrderedEvent[];
}

/** The order of all checkpoints from the hub's events, and the bundles in which they came. */
export class OrderFeed {
  readonly #ordering: Ordering;
  readonly #reader: EventReader;

  constructor(ordering: Ordering) {
    this.#ordering = ordering;
    const { hub, domain } = ordering;
    this.#reader = new EventReader({ client: hub.client, address: domain.address });
  }

  /** Places given in these blocks, oldest first. @throws {DaError} DA_BAD_EVENT; what the client throws */
  async *forward(blocks: BlockRange, options: CallOptions): AsyncGenerator<OrderPage, void, void> {
    const query = { ...blocks, topics: [this.#topic] };
    for await (const { through, logs } of this.#reader.forward(query, options)) {
      yield { through, ordered: logs.map((log) => this.#decode(log)) };
    }
  }

  /**
   * The place of one global index, looked for from the newest of the blocks back.
   *
   * @throws as `forward`
   */
  async find(
    globalIndex: number,
    blocks: BlockRange,
    options: CallOptions,
  ): Promise<OrderedEvent | undefined> {
    const query = { ...blocks, topics: [this.#topic], indexed: indexedNumber(globalIndex) };
    for await (const { logs } of this.#reader.backward(query, options)) {
      const log = logs.at(-1);
      if (log !== undefined) return this.#decode(log);
    }
    return undefined;
  }

  /**
   * The bundle in which a checkpoint came, made of nothing but the call that brought it. Nothing is
   * proven.
   *
   * @returns `undefined` where another contract made the call, or a reduced committee signed
   * @throws {ChainError} CHAIN_BAD_REPLY; {MessageError}, {BlsError} for a call that no chain takes;
   *   what the client throws
   */
  async bundleOf(
    { transactionHash }: Pick<OrderedEvent, 'transactionHash'>,
    backend: Pick<BlsBackend, 'parseKey' | 'parseSignature'>,
    options: CallOptions,
  ): Promise<SignedBundle | undefined> {
    const { contract, domain, hub } = this.#ordering;
    const { to, input } = await readTransactionCall(hub.client, transactionHash, options);
    const call = to === domain.address ? contract.parseCall(input) : undefined;
    if (call?.name !== 'submitBundle') return undefined;
    const { values } = call;
    const items = values.inner('checkpoints');
    const snapshot = parseSnapshot(snapshotBytesIn(values.inner('snapshot')), backend);
    return {
      checkpoints: Array.from({ length: items.length }, (_, at) => checkpointIn(items.inner(at))),
      epoch: values.number('epoch'),
      ...signatureIn(values, snapshot, backend),
    };
  }

  get #topic(): Hex {
    return this.#ordering.contract.topic('CheckpointOrdered');
  }

  #decode(log: LogRecord): OrderedEvent {
    const values = this.#ordering.contract.decode('CheckpointOrdered', log);
    return {
      globalIndex: values.number('globalIndex'),
      shardId: values.number('shardId'),
      number: values.number('number'),
      hash: values.bytes('hash'),
      block: log.block,
      transactionHash: log.transactionHash,
    };
  }
}

/** A checkpoint by its fields in a call. */
function checkpointIn(values: Values): Checkpoint {
  return {
    shardId: values.number('shardId'),
    number: values.number('number'),
    previous: values.bytes('prev'),
    flowRoot: values.bytes('flowRoot'),
    flowLength: values.number('flowLength'),
    logRoot: values.bytes('logRoot'),
    logCount: values.number('logCount'),
    daRoot: values.bytes('daRoot'),
    daCount: values.number('daCount'),
    blockNumber: values.number('blockNumber'),
    blockHash: values.bytes('blockHash'),
    timeSeconds: values.number('time'),
  };
}
