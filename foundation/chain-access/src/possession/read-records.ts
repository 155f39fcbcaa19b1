import { rootOfNodes, type SubmissionRecord } from '@cairn/commitments';
import { SUBMIT_EVENT_TOPIC } from '@cairn/contracts';
import type { Address } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { decodeSubmit } from '../log/decode-submit.ts';

/** Blocks asked for at once. */
const PAGE_BLOCKS = 999;

/**
 * Every record of a log up to a block, as its contract holds them, from its events and the times of
 * their blocks: one request for each page of 999 blocks, and one for each block with files.
 *
 * @throws what the client throws; {ChainError} CHAIN_BAD_REPLY for a block that is gone
 */
export async function readLogRecords(
  client: ChainClient,
  flow: Address,
  { fromBlock, toBlock }: { readonly fromBlock: number; readonly toBlock: number },
  options: CallOptions,
): Promise<readonly SubmissionRecord[]> {
  const records: SubmissionRecord[] = [];
  const times = new Map<number, number>();
  for (let from = fromBlock; from <= toBlock; from += PAGE_BLOCKS) {
    const to = Math.min(toBlock, from + PAGE_BLOCKS - 1);
    const filter = { address: flow, topic: SUBMIT_EVENT_TOPIC, fromBlock: from, toBlock: to };
    for (const log of await client.getLogs(filter, options)) {
      const { sequence, sizeBytes, startSector, paddedSectors, submitter, nodes } =
        decodeSubmit(log);
      const { number } = log.block;
      const timeSeconds = times.get(number) ?? (await timeOf(client, number, options));
      times.set(number, timeSeconds);
      const fileRoot = rootOfNodes(nodes);
      const sectors = paddedSectors;
      records.push({ sequence, fileRoot, sizeBytes, startSector, sectors, submitter, timeSeconds });
    }
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
