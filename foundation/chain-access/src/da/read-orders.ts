import type { Hex } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { type BlobOrder, decodeBlobOrder, logsOf } from './blob-events.ts';
import type { Entrance } from './open-entrance.ts';

/**
 * Orders that a transaction made, as the chain has it now: in whatever block, final or not.
 *
 * @returns none for a transaction that no block holds
 * @throws {DaError} DA_BAD_EVENT; what the client throws
 */
export async function readOrders(
  entrance: Pick<Entrance, 'client' | 'contract' | 'settings'>,
  transactionHash: Hex,
  options: CallOptions,
): Promise<readonly BlobOrder[]> {
  const receipt = await entrance.client.getReceipt(transactionHash, options);
  if (receipt === undefined) return [];
  const logs = logsOf(receipt, entrance.contract, 'BlobSubmitted');
  return logs.map((log) => decodeBlobOrder(entrance, log));
}
