import {
  arcRows,
  assignRows,
  badRowEvidence,
  type MemberRow,
  type ProvenRow,
  parseRow,
  rowMessageBytes,
  type VerifiedBadRow,
  verifyMembership,
  verifyRows,
} from '@cairn/erasure-codec';
import { describeError, isFault, rootOf } from '@cairn/primitives';
import { rowsPerReply } from '@cairn/wire-protocol/da';
import { askSigner } from './ask-signer.ts';
import type { FoundHeader } from './find-header.ts';
import type { Holder, ReaderDeps } from './read-blob.ts';

/** Requests under way at once; each is answered with at most 1 MiB. */
const PARALLEL = 8;

/** Rows as far as they came. */
export interface FetchedRows {
  /** All different; as many as make up the blob, if there were so many. */
  readonly rows: readonly MemberRow[];
  /** Rows that were committed to but are not of the codeword. */
  readonly evidence: readonly VerifiedBadRow[];
}

interface Request {
  readonly holder: Holder;
  readonly indexes: readonly number[];
}

interface Running {
  readonly request: Request;
  readonly startedMs: number;
  readonly done: Promise<void>;
}

/**
 * Rows of a blob from whoever gives them, until there are enough: data rows first, several signers at
 * once, others in place of those that take longer than `hedgeMs`. Whatever a signer sends is proven
 * to be committed to before it counts; one that sends anything else is not asked again.
 *
 * Memory: the rows of the blob, and a mebibyte for each request under way.
 *
 * @throws the signal's reason
 */
export async function fetchRows(
  found: FoundHeader,
  holders: readonly Holder[],
  seed: Uint8Array,
  deps: ReaderDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<FetchedRows> {
  const fetch = new RowFetch(found, holders, seed, deps);
  return fetch.run(signal);
}

class RowFetch {
  readonly #found: FoundHeader;
  readonly #deps: ReaderDeps;
  readonly #waiting: Request[];
  readonly #running = new Set<Running>();
  readonly #rows = new Map<number, MemberRow>();
  readonly #evidence: VerifiedBadRow[] = [];
  readonly #dropped = new Set<number>();

  constructor(found: FoundHeader, holders: readonly Holder[], seed: Uint8Array, deps: ReaderDeps) {
    this.#found = found;
    this.#deps = deps;
    this.#waiting = requestsFor(found, holders, seed);
  }

  async run(signal: AbortSignal): Promise<FetchedRows> {
    const { clock, hedgeMs } = this.#deps;
    const { dataRows } = this.#found.header.layout;
    const stop = new AbortController();
    const inner = AbortSignal.any([signal, stop.signal]);
    try {
      while (this.#rows.size < dataRows) {
        signal.throwIfAborted();
        this.#startMore(dataRows, inner);
        if (this.#running.size === 0) break;
        const timer = new AbortController();
        const tick = clock.sleep(hedgeMs, timer.signal).catch(() => undefined);
        await Promise.race([tick, ...[...this.#running].map(({ done }) => done)]);
        timer.abort();
      }
    } finally {
      stop.abort(new Error('there are enough rows'));
      await Promise.allSettled([...this.#running].map(({ done }) => done));
    }
    signal.throwIfAborted();
    return { rows: [...this.#rows.values()], evidence: this.#evidence };
  }

  /** Asks for as many rows as are missing; those that are late count as missing. */
  #startMore(dataRows: number, signal: AbortSignal): void {
    const { clock, hedgeMs } = this.#deps;
    const oldest = clock.monotonic() - hedgeMs;
    const isLate = ({ startedMs }: Running): boolean => startedMs <= oldest;
    let expected = this.#rows.size;
    let inTime = 0;
    for (const running of this.#running) {
      if (isLate(running)) continue;
      expected += running.request.indexes.length;
      inTime += 1;
    }
    while (expected < dataRows && inTime < PARALLEL) {
      const request = this.#takeRequest();
      if (request === undefined) return;
      expected += request.indexes.length;
      inTime += 1;
      this.#start(request, signal);
    }
  }

  /** The next request to a signer that is not dropped, with least under way there first. */
  #takeRequest(): Request | undefined {
    const busy = new Map<number, number>();
    for (const { request } of this.#running) {
      const { index } = request.holder;
      busy.set(index, (busy.get(index) ?? 0) + 1);
    }
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const [at, { holder }] of this.#waiting.entries()) {
      const load = busy.get(holder.index) ?? 0;
      if (this.#dropped.has(holder.index) || load >= least) continue;
      best = at;
      least = load;
      if (load === 0) break;
    }
    return best < 0 ? undefined : this.#waiting.splice(best, 1)[0];
  }

  #start(request: Request, signal: AbortSignal): void {
    const running: Running = {
      request,
      startedMs: this.#deps.clock.monotonic(),
      done: this.#ask(request, signal)
        .catch((error: unknown) => {
          if (signal.aborted) return;
          this.#dropped.add(request.holder.index);
          this.#deps.blame(request.holder, describeError(error));
        })
        .finally(() => this.#running.delete(running)),
    };
    this.#running.add(running);
  }

  async #ask({ holder, indexes }: Request, signal: AbortSignal): Promise<void> {
    const { peers } = this.#deps;
    const { socket } = holder;
    if (socket === undefined) throw new Error('it told no address');
    const commitment = rootOf(this.#found.header.commitment);
    const request = { commitment, indexes, form: 'bare' } as const;
    const messages = await askSigner(this.#deps, signal, (inner) =>
      peers.rows(socket, request, { signal: inner }),
    );
    const rows = messages.map((message) => {
      const row = parseRow(message);
      if (row.kind !== 'bare' || !indexes.includes(row.row.index)) {
        throw new Error('it sent other rows than it was asked for');
      }
      return row.row;
    });
    if (rows.length === 0) throw new Error('it sent no row');
    for (const row of this.#proven(rows)) this.#rows.set(row.index, row);
    // A signer sends as many as fit: it is asked again for the others, as long as some come.
    const sent = new Set(rows.map(({ index }) => index));
    const rest = indexes.filter((index) => !sent.has(index));
    if (rest.length > 0) this.#waiting.unshift({ holder, indexes: rest });
  }

  /** @throws {SliceError} for a row that was not committed to */
  #proven(rows: readonly ProvenRow[]): readonly MemberRow[] {
    const { header, suite } = this.#found;
    const options = { suite, combiner: this.#deps.combiner };
    try {
      return verifyRows(rows, header, options);
    } catch (error) {
      if (!isFault(error, 'ROW_COMBINATION')) throw error;
    }
    // Members all the same: the value of a commitment takes them as they are.
    return rows.map((row) => {
      const member = verifyMembership(row, header, options);
      try {
        verifyRows([row], header, options);
      } catch (error) {
        if (!isFault(error, 'ROW_COMBINATION')) throw error;
        if (this.#evidence.length === 0) {
          this.#evidence.push(badRowEvidence(row, header, options));
        }
      }
      return member;
    });
  }
}

/** Requests for all rows of all members, those for data rows first, members in turn. */
function requestsFor(
  { header, suite }: FoundHeader,
  holders: readonly Holder[],
  seed: Uint8Array,
): Request[] {
  const { layout, commitment } = header;
  const members = holders.map((holder) => ({ id: holder, seats: holder.seats }));
  const perRequest = Math.max(1, rowsPerReply(rowMessageBytes(layout, 'bare')));
  const data: Request[][] = [];
  const parity: Request[][] = [];
  for (const arc of assignRows(members, layout, { suite, commitment, seed })) {
    const rows = arcRows(arc, layout);
    const isData = (index: number): boolean => index < layout.dataRows;
    data.push(cut(arc.id, rows.filter(isData), perRequest));
    parity.push(
      cut(
        arc.id,
        rows.filter((index) => !isData(index)),
        perRequest,
      ),
    );
  }
  return [...inTurn(data), ...inTurn(parity)];
}

function cut(holder: Holder, rows: readonly number[], perRequest: number): Request[] {
  const requests: Request[] = [];
  for (let at = 0; at < rows.length; at += perRequest) {
    requests.push({ holder, indexes: rows.slice(at, at + perRequest) });
  }
  return requests;
}

function inTurn(lists: readonly (readonly Request[])[]): Request[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const turns: Request[] = [];
  for (let turn = 0; turn < longest; turn += 1) {
    for (const list of lists) {
      const request = list[turn];
      if (request !== undefined) turns.push(request);
    }
  }
  return turns;
}
