import {
  describeError,
  forEachConcurrent,
  type HttpTransport,
  type Logger,
} from '@cairn/primitives';
import {
  encodeTicket,
  type OfferedTicket,
  TICKET_TYPE,
  TICKETS_PATH,
} from '@cairn/wire-protocol/da';
import type { Waiting } from './ports.ts';

/** What delivering a ticket works with. */
export interface TicketDeliveryDeps {
  /** Keepers' addresses, without a slash at the end; at most 8. */
  readonly keepers: readonly string[];
  readonly transport: HttpTransport;
  readonly logger: Logger;
  /** Posts a ticket from the signer's own account. */
  submit(ticket: OfferedTicket, options: Waiting): Promise<void>;
  /** Blocks in which tickets are still taken. */
  blocksLeft(options: Waiting): Promise<number>;
}

/** Time for a keeper's answer. */
const TIMEOUT_MS = 5_000;
/** Part of the blocks left in which keepers may bring a ticket to the chain: one in three. */
const KEEPERS_PART = 3;
/** Looks after which a ticket is offered again: a keeper may have lost it in a restart. */
const OFFER_EVERY = 4;

/**
 * Takes tickets to keepers, which bring many in one transaction, and posts a ticket from the signer's own
 * account where no keeper takes it, or none has brought it to the chain in a third of the time left.
 *
 * @returns what `runTicketing` delivers with, again and again until a block holds the ticket
 */
export function ticketDelivery(
  deps: TicketDeliveryDeps,
): (ticket: OfferedTicket, options: Waiting) => Promise<void> {
  let epoch: number | undefined;
  /** Blocks left below which the signer posts by itself. */
  let patience = 0;
  let looks = 0;
  return async (ticket, options) => {
    if (deps.keepers.length === 0) return deps.submit(ticket, options);
    const left = await deps.blocksLeft(options);
    if (ticket.epoch !== epoch) {
      epoch = ticket.epoch;
      patience = left - Math.ceil(left / KEEPERS_PART);
      looks = 0;
    }
    if (left <= patience) return deps.submit(ticket, options);
    looks += 1;
    if (looks % OFFER_EVERY !== 1) return;
    if (await isTakenByAny(ticket, deps, options)) return;
    patience = Number.POSITIVE_INFINITY; // the next look need not ask again
    await deps.submit(ticket, options);
  };
}

async function isTakenByAny(
  ticket: OfferedTicket,
  { keepers, transport, logger }: TicketDeliveryDeps,
  { signal }: Waiting,
): Promise<boolean> {
  const body = encodeTicket(ticket);
  const headers = { 'content-type': TICKET_TYPE };
  let isTaken = false;
  const offer = async (keeper: string, inner: AbortSignal): Promise<void> => {
    try {
      const url = `${keeper}${TICKETS_PATH}`;
      const request = { method: 'POST', url, headers, body, timeoutMs: TIMEOUT_MS } as const;
      const reply = await transport.send({ ...request, signal: inner });
      await reply.discard();
      if (reply.status === 202) isTaken = true;
      else logger.debug({ keeper, status: reply.status }, 'a keeper did not take the ticket');
    } catch (error) {
      inner.throwIfAborted();
      logger.debug({ keeper, reason: describeError(error) }, 'a keeper did not take the ticket');
    }
  };
  await forEachConcurrent(keepers, offer, { parallel: keepers.length, signal });
  return isTaken;
}
