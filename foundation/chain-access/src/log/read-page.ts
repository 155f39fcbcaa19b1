import { SUBMIT_EVENT_TOPIC } from '@cairn/contracts';
import type { Address, BlockMark, ChainEntry } from '@cairn/primitives';
import type { ChainClient } from '../client/chain-client.ts';
import { decodeSubmit } from './decode-submit.ts';
import { type EventsRequest, readEventsPage } from './read-events-page.ts';

/** A run of blocks to read, both ends included. */
interface PageRequest
  extends Pick<EventsRequest, 'fromBlock' | 'toBlock' | 'previous' | 'everyHeader' | 'head'> {
  readonly flow: Address;
}

/** A page that held still while it was read. */
export interface Page {
  readonly through: BlockMark;
  /** In the chain's order; that their sequences are dense is for the caller to check. */
  readonly entries: readonly ChainEntry[];
}

/**
 * The submissions in a run of blocks, all from one fork.
 *
 * @throws {ChainError} CHAIN_BAD_LOG and as `readEventsPage`
 */
export async function readPage(
  client: ChainClient,
  { flow, ...run }: PageRequest,
  options: { readonly signal: AbortSignal },
): Promise<Page> {
  const request = { ...run, address: flow, topics: [SUBMIT_EVENT_TOPIC] };
  const { through, logs } = await readEventsPage(client, request, options);
  return { through, entries: logs.map(decodeSubmit) };
}
