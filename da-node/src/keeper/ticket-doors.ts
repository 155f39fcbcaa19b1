import {
  acceptBytes,
  addRoute,
  bodyBytes,
  type HttpApp,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type Clock, type Counter, type Metrics, Semaphore, withDeadline } from '@cairn/primitives';
import { parseTicket, TICKET_BYTES, TICKET_TYPE } from '@cairn/wire-protocol/da';
import { keeperRoutes } from '@cairn/wire-protocol/da-route-table';
import { type AcceptTicketDeps, acceptTicket } from './accept-ticket.ts';
import { KeeperError } from './errors.ts';

/** What the doors of a keeper stand on. */
export interface TicketDoorsDeps extends AcceptTicketDeps {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Aborts when the keeper stops for good. */
  readonly stopping: AbortSignal;
}

/** Tickets that are checked at once, and that wait: each takes a pairing and some looks at the chain. */
const CHECKS_AT_ONCE = 4;
const MAX_WAITING = 256;
/** How many tickets a keeper checks, whoever sends them. */
export interface TicketPace {
  /** In a second, on average. */
  readonly perSecond: number;
  /** At once, after a silence. */
  readonly burst: number;
}

const PACE: TicketPace = { perSecond: 64, burst: 512 };
const CHECK_TIMEOUT_MS = 20_000;

/** The public routes of a keeper. @param pace - 64 tickets a second and 512 at once unless told */
export function ticketDoors(deps: TicketDoorsDeps, pace: TicketPace = PACE): RouteGroup {
  const checking = new Semaphore({ limit: CHECKS_AT_ONCE, maxWaiting: MAX_WAITING });
  const gate = new Gate(deps.clock, pace);
  const tickets: Counter = deps.metrics.counter({
    name: 'cairn_keeper_tickets_total',
    help: 'tickets offered to be relayed, by what became of them',
    labels: ['result'],
  });
  return async (app: HttpApp) => {
    acceptBytes(app, { maxBytes: TICKET_BYTES });
    const table = { tag: 'data availability', routes: keeperRoutes() };
    addRoute(app, table, 'postTicket', async (request, reply) => {
      const signal = requestSignal(reply, deps.stopping);
      try {
        requireTicketType(request.headers['content-type']);
        const offered = parseTicket(bodyBytes(request));
        gate.take();
        const work = (inner: AbortSignal): Promise<void> =>
          checking.run(() => acceptTicket(deps, offered, { signal: inner }), inner);
        const { clock } = deps;
        await withDeadline('the check of a ticket', CHECK_TIMEOUT_MS, work, { clock, signal });
      } catch (error) {
        tickets.add(1, { result: 'refused' });
        throw error;
      }
      tickets.add(1, { result: 'taken' });
      void reply.code(202).send();
      return undefined;
    });
  };
}

/** Lets so many tickets through in a second, whoever sends them. */
class Gate {
  readonly #clock: Clock;
  readonly #pace: TicketPace;
  #left: number;
  #lastMs: number;

  constructor(clock: Clock, pace: TicketPace) {
    this.#clock = clock;
    this.#pace = pace;
    this.#left = pace.burst;
    this.#lastMs = clock.monotonic();
  }

  /** @throws {KeeperError} TICKET_RATE */
  take(): void {
    const { perSecond, burst } = this.#pace;
    const nowMs = this.#clock.monotonic();
    const earned = ((nowMs - this.#lastMs) / 1000) * perSecond;
    this.#left = Math.min(burst, this.#left + earned);
    this.#lastMs = nowMs;
    if (this.#left < 1) {
      throw new KeeperError(
        { code: 'TICKET_RATE', perSecond },
        `more than ${perSecond} tickets come in a second`,
      );
    }
    this.#left -= 1;
  }
}

function requireTicketType(actual = 'none'): void {
  if (actual.split(';')[0]?.trim().toLowerCase() === TICKET_TYPE) return;
  throw new KeeperError(
    { code: 'MEDIA_TYPE', expected: TICKET_TYPE, actual: actual.slice(0, 100) },
    `a ticket is sent as ${TICKET_TYPE}`,
  );
}
