import type { Address } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { type EventReader, indexedNumber } from '../log/event-reader.ts';
import type { Hub } from './open-hub.ts';

/** Bits of one quorum's seats in a ticket event. */
const SEAT_BITS = 16n;
const SEAT_MASK: bigint = 2n ** SEAT_BITS - 1n;

/** A ticket that counted, as the chain announced it. */
export interface SeatedTicket {
  readonly signer: Address;
  /** In all: seats in the committee. */
  readonly seats: number;
  readonly isContributor: boolean;
  /** By quorum, 16 bits each, the first lowest. */
  readonly quorumSeats: bigint;
}

/** A member of a group before its key is known. */
export interface SeatHolder {
  readonly signer: Address;
  readonly seats: number;
}

/** Holders of seats in a group, in the order of the group. 0 is the committee. */
export function seatsIn(tickets: readonly SeatedTicket[], quorumId: number): SeatHolder[] {
  return tickets.flatMap(({ signer, seats, quorumSeats }) => {
    const shift = BigInt(quorumId - 1) * SEAT_BITS;
    const won = quorumId === 0 ? seats : Number((quorumSeats >> shift) & SEAT_MASK);
    return won === 0 ? [] : [{ signer, seats: won }];
  });
}

/**
 * The tickets that counted for an epoch, in the chain's order.
 *
 * Reads backwards from the epoch's seal until there are as many winners as its committee has members.
 *
 * @throws {DaError} DA_BAD_EVENT; what the client throws
 */
export async function readTickets(
  { hub, reader }: { readonly hub: Hub; readonly reader: EventReader },
  {
    epoch,
    toBlock,
    members,
  }: { readonly epoch: number; readonly toBlock: number; readonly members: number },
  options: CallOptions,
): Promise<readonly SeatedTicket[]> {
  const { sortition, firstBlock } = hub;
  const topics = [sortition.topic('Ticket')];
  const query = { topics, indexed: indexedNumber(epoch), fromBlock: firstBlock, toBlock };
  let tickets: SeatedTicket[] = [];
  for await (const { logs } of reader.backward(query, options)) {
    const page = logs.map((log) => {
      const values = sortition.decode('Ticket', log);
      return {
        signer: values.address('signer'),
        seats: values.number('seats'),
        isContributor: values.flag('contributor'),
        quorumSeats: values.wide('quorumSeats'),
      };
    });
    tickets = [...page, ...tickets];
    if (seatsIn(tickets, 0).length >= members) break;
  }
  return tickets;
}
