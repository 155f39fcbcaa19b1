import { rootOfNodes, type SubmissionRecord } from '@cairn/commitments';
import { SUBMIT_EVENT_TOPIC } from '@cairn/contracts';
import { type Address, forEachConcurrent } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { decodeSubmit } from '../log/decode-submit.ts';
import { EventReader } from '../log/event-reader.ts';

/** Headers asked for at once. */
const PARALLEL_HEADERS = 8;

const FIRST_BLOCK = 'function firstBlock() view returns (uint256)';

/** Which blocks of a log to read, both ends included. */
export interface RecordRange {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Blocks asked for at once, at most; 999 unless told. Endpoints that refuse get smaller pages. */
  readonly pageBlocks?: number;
}

/** The records of a run of blocks. */
export interface RecordPage {
  /** The last block that was read: a later reader goes on after it. */
  readonly throughBlock: number;
  readonly records: readonly SubmissionRecord[];
}

/** The first block that can hold entries of a log. @throws {ChainError} CHAIN_RPC_ERROR for another contract; what the client throws */
export async function readFirstLogBlock(
  client: ChainClient,
  flow: Address,
  options: CallOptions,
): Promise<number> {
  const [first] = await client.call(flow, FIRST_BLOCK, [], options);
  return Number(first);
}

/**
 * Records of a log as its contract holds them, a page of blocks at a time, from its events and the
 * times of their blocks. One page is in memory; whoever keeps `throughBlock` goes on from there.
 *
 * @throws as `EventReader`; {ChainError} CHAIN_BAD_REPLY for a block that is gone
 */
export async function* logRecordPages(
  client: ChainClient,
  flow: Address,
  { fromBlock, toBlock, pageBlocks }: RecordRange,
  options: CallOptions,
): AsyncGenerator<RecordPage, void, void> {
  const size = pageBlocks === undefined ? {} : { pageBlocks };
  const reader = new EventReader({ client, address: flow, ...size });
  const query = { topics: [SUBMIT_EVENT_TOPIC], fromBlock, toBlock };
  for await (const { through, logs } of reader.forward(query, options)) {
    const times = new Map<number, number>();
    await forEachConcurrent(
      new Set(logs.map(({ block }) => block.number)),
      async (number, signal) => {
        times.set(number, await timeOf(client, number, { signal }));
      },
      { parallel: PARALLEL_HEADERS, signal: options.signal },
    );
    const records = logs.map((log) => {
      const { sequence, sizeBytes, startSector, paddedSectors, submitter, nodes } =
        decodeSubmit(log);
      const timeSeconds = times.get(log.block.number) ?? 0; // asked for just now
      const fileRoot = rootOfNodes(nodes);
      const sectors = paddedSectors;
      return { sequence, fileRoot, sizeBytes, startSector, sectors, submitter, timeSeconds };
    });
    yield { throughBlock: through.number, records };
  }
}

/** Every record of a log in a run of blocks, all in memory. @throws as `logRecordPages` */
export async function readLogRecords(
  client: ChainClient,
  flow: Address,
  range: RecordRange,
  options: CallOptions,
): Promise<readonly SubmissionRecord[]> {
  const records: SubmissionRecord[] = [];
  for await (const page of logRecordPages(client, flow, range, options)) {
    for (const record of page.records) records.push(record);
  }
  return records;
}

async function timeOf(client: ChainClient, number: number, options: CallOptions): Promise<number> {
  const block = await client.getBlock(number, options);
  if (block !== undefined) return block.timestamp;
  throw new ChainError(
    { code: 'CHAIN_BAD_REPLY', method: 'eth_getBlockByNumber', reason: `no block ${number}` },
    `the endpoint showed events of block ${number} and has no such block`,
  );
}
