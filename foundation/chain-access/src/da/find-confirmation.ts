import { toHex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { EventReader } from '../log/event-reader.ts';
import { decodePromisedConfirmation, type PromisedConfirmation } from './blob-events.ts';
import { readBatch } from './entrance-facts.ts';
import { DaError } from './errors.ts';
import type { Entrance } from './open-entrance.ts';

/**
 * The confirmation of a batch, whoever made it, once a final block holds it.
 *
 * @param root - 32 bytes
 * @returns `undefined` while no final block confirms it
 * @throws {DaError} DA_BAD_EVENT, also where the contract knows the batch and no event tells of it;
 * what the client throws
 */
export async function findConfirmation(
  entrance: Entrance,
  root: Uint8Array,
  options: CallOptions,
): Promise<PromisedConfirmation | undefined> {
  const { client, contract, domain, firstBlock } = entrance;
  const block = await entrance.finalBlock(options);
  if ((await readBatch(entrance, root, { ...options, block })) === undefined) return undefined;
  const reader = new EventReader({ client, address: domain.address });
  const topics = [contract.topic('BatchConfirmed')];
  const query = { topics, indexed: toHex(root), fromBlock: firstBlock, toBlock: block };
  for await (const { logs } of reader.backward(query, options)) {
    const log = logs.at(-1);
    if (log === undefined) continue;
    const receipt = await client.getReceipt(log.transactionHash, options);
    const confirmed = receipt?.logs.find(({ logIndex }) => logIndex === log.logIndex);
    if (receipt === undefined || confirmed === undefined) break;
    return decodePromisedConfirmation(contract, confirmed, receipt);
  }
  throw new DaError(
    { code: 'DA_BAD_EVENT', event: 'BatchConfirmed', reason: 'missing' },
    `the entrance knows the batch ${toHex(root)}, but no event tells of it`,
  );
}
