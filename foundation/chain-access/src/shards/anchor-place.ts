import { EventReader } from '../log/event-reader.ts';
import { badProof } from './errors.ts';
import type { Ordering } from './open-ordering.ts';
import type { OrderedEvent } from './order-feed.ts';
import { anchorOrder, type OrderingCaller } from './ordering-calls.ts';

/**
 * Makes sure that the hub keeps a root of the order which has a place, so that a proof of that place stays good while the order
 * grows: every few seconds, and a proof against its newest root would be stale by the time a block has it. What others
 * anchored serves as well; only where nobody did since the place was given, one transaction is paid.
 *
 * @param place - in the order already
 * @returns over how many places that root is: show proofs under these
 * @throws as `sendCall`; {ShardError} SHARD_BAD_PROOF if the hub tells of no such root all the same
 */
export async function anchorPlace(
  caller: OrderingCaller,
  place: Pick<OrderedEvent, 'globalIndex' | 'shardId' | 'block'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<number> {
  const { ordering } = caller;
  const { globalIndex, shardId } = place;
  const anchored = await newestAnchor(ordering, place.block.number, { signal });
  if (anchored > globalIndex) return anchored;
  const intent = `anchor:${ordering.domain.address}:${globalIndex}`;
  await anchorOrder(caller, { intent, signal });
  const now = await newestAnchor(ordering, place.block.number, { signal });
  if (now > globalIndex) return now;
  throw badProof(shardId, `the hub keeps no root of an order that has place ${globalIndex}`);
}

/** The longest order whose root was kept in a block or later; 0 where there is none. */
async function newestAnchor(
  { contract, hub }: Ordering,
  fromBlock: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<number> {
  const reader = new EventReader({ client: hub.client, address: contract.address });
  const toBlock = await hub.client.blockNumber({ signal });
  const query = { topics: [contract.topic('OrderAnchored')], fromBlock, toBlock };
  for await (const { logs } of reader.backward(query, { signal })) {
    const log = logs.at(-1);
    if (log !== undefined) return contract.decode('OrderAnchored', log).number('count');
  }
  return 0;
}
