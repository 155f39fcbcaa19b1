import type { Address } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import { type Possession, seedBlockOf, windowEndOf } from './open-possession.ts';

/** What became of duties: one was begun, or got files. */
export type DutyEvent =
  | { readonly kind: 'opened'; readonly id: number; readonly provider: Address }
  /** Numbers of the files in the log, ascending. */
  | { readonly kind: 'added'; readonly id: number; readonly sequences: readonly number[] };

/** The events of a run of blocks. */
export interface DutyEventPage {
  /** The last block that was read: a later reader goes on after it. */
  readonly throughBlock: number;
  /** In the chain's order. */
  readonly events: readonly DutyEvent[];
}

/** Which blocks, both ends included. */
export interface DutyEventRange {
  /** The contract's own first block unless told. */
  readonly fromBlock?: number;
  readonly toBlock: number;
  /** Blocks asked for at once, at most; 999 unless told. Endpoints that refuse get smaller pages. */
  readonly pageBlocks?: number;
  /** Events of this duty only. */
  readonly id?: number;
}

/**
 * Which duties were begun and with which files, a page of blocks at a time: all of everybody's, or
 * one's. One page is in memory; whoever keeps `throughBlock` goes on from there.
 *
 * @throws as `EventReader`
 */
export async function* dutyEventPages(
  { client, contract, terms }: Possession,
  { fromBlock = terms.firstBlock, toBlock, pageBlocks, id }: DutyEventRange,
  options: CallOptions,
): AsyncGenerator<DutyEventPage, void, void> {
  const [opened, added] = [contract.topic('DutyOpened'), contract.topic('EntriesAdded')];
  const size = pageBlocks === undefined ? {} : { pageBlocks };
  const reader = new EventReader({ client, address: contract.address, ...size });
  const indexed = id === undefined ? {} : { indexed: indexedNumber(id) };
  const query = { topics: [opened, added], ...indexed, fromBlock, toBlock };
  for await (const { through, logs } of reader.forward(query, options)) {
    const events = logs.map((log): DutyEvent => {
      if (log.topics[0] === opened) {
        const event = contract.decode('DutyOpened', log);
        return { kind: 'opened', id: event.number('id'), provider: event.address('provider') };
      }
      const event = contract.decode('EntriesAdded', log);
      const list = event.inner('sequences');
      const sequences = Array.from({ length: list.length }, (_, index) => list.number(index));
      return { kind: 'added', id: event.number('id'), sequences };
    });
    yield { throughBlock: through.number, events };
  }
}

/**
 * Whether a period was answered, by the event that says so: of the blocks of its window only.
 *
 * @throws as `EventReader`
 */
export async function readWasAnswered(
  { client, contract, terms }: Possession,
  id: number,
  period: number,
  options: CallOptions,
): Promise<boolean> {
  const reader = new EventReader({ client, address: contract.address });
  const query = {
    topics: [contract.topic('Answered')],
    indexed: indexedNumber(id),
    fromBlock: seedBlockOf(terms, period) + 1,
    toBlock: windowEndOf(terms, period),
  };
  for await (const { logs } of reader.forward(query, options)) {
    if (logs.some((log) => contract.decode('Answered', log).number('period') === period)) {
      return true;
    }
  }
  return false;
}
