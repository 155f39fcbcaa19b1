import type { Address, Hex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { ChainMoved, inconsistent } from './errors.ts';
import { PageSize } from './page-size.ts';
import { type EventsPage, type EventsRequest, readEventsPage } from './read-events-page.ts';

/** Times that one page may move under the reader before it gives up. */
const MAX_MOVES = 5;
/** Wait before a page that moved is read again. */
const MOVED_WAIT_MS = 100;

/** Which events of which blocks, both ends included. */
export type EventQuery = Pick<EventsRequest, 'topics' | 'indexed' | 'fromBlock' | 'toBlock'>;

/** Whose events, and how many blocks to ask for at once. */
export interface EventReaderOptions {
  readonly client: ChainClient;
  readonly address: Address;
  /** Blocks of a page at most; 999 unless told. Endpoints that refuse get smaller ones. */
  readonly pageBlocks?: number;
}

/**
 * Reads the events of one contract over any number of blocks, a page at a time: the reader pulls, so
 * that one page is in memory. Meant for blocks that are final; a page that changes while it is read
 * is read again.
 *
 * Both ways throw {ChainError} CHAIN_LOGS_INCONSISTENT, CHAIN_LOG_RANGE for one block alone, and what
 * the client throws; the signal's reason.
 */
export class EventReader {
  readonly #client: ChainClient;
  readonly #address: Address;
  readonly #pageSize: PageSize;

  constructor({ client, address, pageBlocks = 999 }: EventReaderOptions) {
    this.#client = client;
    this.#address = address;
    this.#pageSize = new PageSize(pageBlocks);
  }

  /** Pages from the oldest block on. */
  async *forward(query: EventQuery, options: CallOptions): AsyncGenerator<EventsPage, void, void> {
    for (let fromBlock = query.fromBlock; fromBlock <= query.toBlock; ) {
      const page = await this.#read(
        (blocks) => ({ fromBlock, toBlock: Math.min(query.toBlock, fromBlock + blocks - 1) }),
        query,
        options,
      );
      yield page;
      fromBlock = page.through.number + 1;
    }
  }

  /** Pages from the newest block back; the events of each in the chain's order. */
  async *backward(query: EventQuery, options: CallOptions): AsyncGenerator<EventsPage, void, void> {
    for (let toBlock = query.toBlock; toBlock >= query.fromBlock; ) {
      let first = toBlock;
      const page = await this.#read(
        (blocks) => {
          first = Math.max(query.fromBlock, toBlock - blocks + 1);
          return { fromBlock: first, toBlock };
        },
        query,
        options,
      );
      yield page;
      toBlock = first - 1;
    }
  }

  /** One page, as large as the endpoint takes. */
  async #read(
    runOf: (blocks: number) => Pick<EventQuery, 'fromBlock' | 'toBlock'>,
    query: EventQuery,
    options: CallOptions,
  ): Promise<EventsPage> {
    const fixed = { ...query, address: this.#address, previous: undefined, everyHeader: false };
    for (let moves = 0; ; ) {
      options.signal.throwIfAborted();
      const run = runOf(this.#pageSize.blocks);
      try {
        const page = await readEventsPage(this.#client, { ...fixed, ...run }, options);
        this.#pageSize.grow();
        return page;
      } catch (error) {
        if (error instanceof ChainMoved) {
          moves += 1;
          if (moves > MAX_MOVES) throw inconsistent(run.fromBlock, run.toBlock, error.message);
          await this.#client.clock.sleep(MOVED_WAIT_MS, options.signal);
        } else if (!isRefusal(error) || !this.#pageSize.shrink(run.toBlock - run.fromBlock + 1)) {
          throw error;
        }
      }
    }
  }
}

/** Whether the endpoint refused a page for its size. */
export function isRefusal(error: unknown): error is ChainError {
  if (!(error instanceof ChainError)) return false;
  const { facts } = error;
  if (facts.code === 'CHAIN_REPLY_TOO_LARGE') return facts.method === 'eth_getLogs';
  return facts.code === 'CHAIN_LOG_RANGE';
}

/** A number as the word in which an event carries it when indexed. */
export function indexedNumber(value: number | bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}
