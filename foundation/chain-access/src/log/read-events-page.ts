import { type Address, type BlockMark, type Hex, mapConcurrent } from '@cairn/primitives';
import type { ChainClient } from '../client/chain-client.ts';
import type { ChainBlock, LogRecord } from '../client/parse-replies.ts';
import { ChainMoved, inconsistent } from './errors.ts';

/** Headers asked for at once. */
const PARALLEL_HEADERS = 8;

/** Which events of a run of blocks to read; both ends included. */
export interface EventsRequest {
  readonly address: Address;
  /** Hashes of the events' signatures. */
  readonly topics: readonly Hex[];
  /** Their first indexed value; any unless told. */
  readonly indexed?: Hex;
  readonly fromBlock: number;
  readonly toBlock: number;
  /** The mark that the page continues; `undefined` at the very start. */
  readonly previous: BlockMark | undefined;
  /**
   * Whether to read every header and prove that each block continues the one before. For blocks
   * near the head; further back only the ends are compared, before and after.
   */
  readonly everyHeader: boolean;
  /** A header that was read just before, and is not asked for again; it may be of any block. */
  readonly head?: ChainBlock;
}

/** Events of a run of blocks that held still while it was read. */
export interface EventsPage {
  readonly through: BlockMark;
  /** In the chain's order, each once. */
  readonly logs: readonly LogRecord[];
}

/**
 * The events of one contract in a run of blocks, all from one fork.
 *
 * The last header is read before and after the logs: if it changed, so may have the logs. Repeated
 * records are dropped, and their order is made the chain's.
 *
 * @throws {ChainMoved} if the chain changed meanwhile or no longer continues `previous`;
 * {ChainError} CHAIN_LOGS_INCONSISTENT, CHAIN_LOG_RANGE and what the client throws
 */
export async function readEventsPage(
  client: ChainClient,
  request: EventsRequest,
  options: { readonly signal: AbortSignal },
): Promise<EventsPage> {
  const { address, topics, indexed, fromBlock, toBlock, previous, head } = request;
  const hashes = request.everyHeader
    ? await readHeaders(client, request, options)
    : new Map([
        [toBlock, head?.number === toBlock ? head.hash : await hashOf(client, toBlock, options)],
      ]);
  const wanted = indexed === undefined ? {} : { indexed };
  const [only] = topics;
  const topic = topics.length === 1 && only !== undefined ? only : topics;
  const logs = await client.getLogs({ address, topic, ...wanted, fromBlock, toBlock }, options);
  const through = { number: toBlock, hash: requireHash(hashes, toBlock) };
  if ((await hashOf(client, toBlock, options)) !== through.hash) {
    throw new ChainMoved(`block ${toBlock} was replaced while its logs were read`);
  }
  if (!request.everyHeader && previous !== undefined) {
    if ((await hashOf(client, previous.number, options)) !== previous.hash) {
      throw new ChainMoved(`block ${previous.number} was replaced`);
    }
  }
  return { through, logs: inOrder(logs, request, hashes) };
}

async function hashOf(
  client: ChainClient,
  number: number,
  options: { readonly signal: AbortSignal },
): Promise<Hex> {
  const block = await client.getBlock(number, options);
  if (block === undefined) throw new ChainMoved(`block ${number} is not there any more`);
  return block.hash;
}

async function readHeaders(
  client: ChainClient,
  { fromBlock, toBlock, previous, head }: EventsRequest,
  { signal }: { readonly signal: AbortSignal },
): Promise<Map<number, Hex>> {
  const hashes = new Map<number, Hex>();
  let parent = previous?.number === fromBlock - 1 ? previous.hash : undefined;
  const numbers = Array.from({ length: toBlock - fromBlock + 1 }, (_, index) => fromBlock + index);
  const headers = mapConcurrent(
    numbers,
    async (number, within) =>
      number === head?.number ? head : client.getBlock(number, { signal: within }),
    { parallel: PARALLEL_HEADERS, signal },
  );
  let number = fromBlock;
  for await (const header of headers) {
    if (header === undefined) throw new ChainMoved(`block ${number} is not there any more`);
    if (parent !== undefined && header.parentHash !== parent) {
      throw new ChainMoved(`block ${number} does not continue block ${number - 1}`);
    }
    parent = header.hash;
    hashes.set(number, header.hash);
    number += 1;
  }
  return hashes;
}

function requireHash(hashes: ReadonlyMap<number, Hex>, number: number): Hex {
  const hash = hashes.get(number);
  if (hash === undefined) throw new ChainMoved(`the header of block ${number} was not read`);
  return hash;
}

function inOrder(
  logs: readonly LogRecord[],
  { address, topics, indexed, fromBlock, toBlock }: EventsRequest,
  hashes: ReadonlyMap<number, Hex>,
): LogRecord[] {
  const fail = (reason: string): Error => inconsistent(fromBlock, toBlock, reason);
  const known = new Map(hashes);
  const seen = new Map<string, LogRecord>();
  for (const log of logs) {
    const { number, hash } = log.block;
    if (number < fromBlock || number > toBlock) throw fail(`a log of block ${number} came along`);
    if (log.address !== address) throw fail(`a log of contract ${log.address} came along`);
    const [topic, first] = log.topics;
    const isWanted = topic !== undefined && topics.includes(topic);
    if (!isWanted || (indexed ?? first) !== first) throw fail('a log of another event came along');
    if ((known.get(number) ?? hash) !== hash) {
      throw fail(`a log of block ${number} belongs to another fork (${hash})`);
    }
    known.set(number, hash);
    seen.set(`${number}:${log.logIndex}`, log);
  }
  return [...seen.values()].sort(
    (left, right) => left.block.number - right.block.number || left.logIndex - right.logIndex,
  );
}
