import type { Committee, EpochHeader } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import { parseRow, type RowCombiner, verifyHeader, verifyRows } from '@cairn/erasure-codec';
import {
  type Address,
  bigEndianBytes,
  type Clock,
  concatBytes,
  describeError,
  forEachConcurrent,
  type KeyValueStore,
  type Logger,
  rootOf,
  viewOf,
  withDeadline,
} from '@cairn/primitives';
import { compareDrawnRows, type DrawnRowName, MAX_AUDITED_ROWS } from '@cairn/wire-protocol/da';
import type { RowPeers } from '../../retriever/ports.ts';
import type { ChainOptions } from '../ports.ts';
import { layoutOfHeld } from '../slice-file.ts';
import { type AuditRules, auditorsOf } from './audit-rules.ts';
import { auditedRows } from './audited-rows.ts';
import type { DrawnRow, RowDraws } from './draw-rows.ts';
import type { OfficeMetrics } from './metrics.ts';
import { forgetBefore, OFFICE_KEYS, officeKey } from './office-store.ts';
import type { SocketBook } from './ports.ts';

/** A quorum in office, whose members look at drawn rows. */
export interface AuditPlace {
  readonly office: EpochHeader;
  readonly quorumId: number;
  readonly committee: Committee;
}

/** What auditing needs. */
export interface AuditDeps {
  readonly draws: Pick<RowDraws, 'periodsOf' | 'ofPeriod'>;
  readonly rules: AuditRules;
  /** This auditor. */
  readonly address: Address;
  readonly sockets: SocketBook;
  readonly peers: Pick<RowPeers, 'rows'>;
  readonly suites: readonly RowSuite[];
  readonly combiner: RowCombiner;
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OfficeMetrics;
}

/** Requests under way at once, and the time that each has. */
const PARALLEL = 4;
const TIMEOUT_MS = 10_000;
/** Rows of one blob that are asked for at once. */
const ROWS_PER_REQUEST = 16;
/** Times that a holder is asked for a row, and the wait in between. */
const MAX_TRIES = 3;
const RETRY_MS = 5_000;
/** Epochs whose findings are kept. */
const KEPT_EPOCHS = 4;
const NAME_BYTES = 36;

/**
 * Looks whether drawn rows are served: of those that fall to this signer as an auditor, each is asked
 * of its holder over HTTP and counts once path and combination are proven. What was found is on disk
 * before the next period is looked at.
 */
export class RowAuditor {
  readonly #deps: AuditDeps;
  /** Tries so far, by place and period, with when the last one ended; of the epochs that are kept. */
  readonly #tries = new Map<string, { readonly tries: number; readonly endedMs: number }>();

  constructor(deps: AuditDeps) {
    this.#deps = deps;
  }

  /**
   * Asks for what is due now: rows of periods of the epoch that were not got yet, three times at most.
   *
   * @throws what chain and store throw; the signal's reason
   */
  async look(place: AuditPlace, options: ChainOptions): Promise<void> {
    const { draws, clock } = this.#deps;
    const { epoch } = place.office;
    for (const period of await draws.periodsOf(place.office, options)) {
      const name = `${epoch}/${place.quorumId}/${period}`;
      const before = this.#tries.get(name) ?? { tries: 0, endedMs: Number.NEGATIVE_INFINITY };
      if (before.tries >= MAX_TRIES || clock.monotonic() - before.endedMs < RETRY_MS) continue;
      const draw = await draws.ofPeriod(period, options);
      if (draw === undefined) continue;
      const isAll = await this.#audit(place, period, auditedRows(draw, place), options);
      const tries = isAll && draw.isComplete ? MAX_TRIES : before.tries + 1;
      this.#tries.set(name, { tries, endedMs: clock.monotonic() });
    }
    await this.#forget(epoch - KEPT_EPOCHS, options);
  }

  /** The rows that were got so far in an epoch, in a sheet's order. @throws what the store throws */
  async found(
    { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
    { signal }: ChainOptions,
  ): Promise<readonly DrawnRowName[]> {
    const range = {
      gte: officeKey(OFFICE_KEYS.found, epoch, quorumId),
      lt: officeKey(OFFICE_KEYS.found, epoch, quorumId + 1),
    };
    const names: DrawnRowName[] = [];
    for await (const [key, value] of this.#deps.store.entries(range, { signal })) {
      const period = Number(viewOf(key).getBigUint64(17));
      for (let at = 0; at < value.length; at += NAME_BYTES) {
        const row = viewOf(value).getUint32(at + 32);
        names.push({ period, leaf: value.slice(at, at + 32), row });
      }
    }
    return names.sort(compareDrawnRows).slice(0, MAX_AUDITED_ROWS);
  }

  /** Whether every row of this auditor was got. */
  async #audit(
    { office, quorumId, committee }: AuditPlace,
    period: number,
    rows: readonly DrawnRow[],
    options: ChainOptions,
  ): Promise<boolean> {
    const { address, rules, store } = this.#deps;
    const key = officeKey(OFFICE_KEYS.found, office.epoch, quorumId, period);
    const before = (await store.get(key)) ?? new Uint8Array(0);
    const known = new Set<string>();
    for (let at = 0; at < before.length; at += NAME_BYTES) {
      known.add(nameOf(before.subarray(at, at + NAME_BYTES)));
    }
    const wanted = rows.filter((drawn) => {
      if (known.has(nameOf(encodeName(drawn)))) return false;
      return auditorsOf(drawn.line, committee.members, drawn.holder, rules).auditors.includes(
        address,
      );
    });
    const got: DrawnRow[] = [];
    await forEachConcurrent(
      requestsFor(wanted),
      async (request, signal) => {
        got.push(...(await this.#ask(request, signal)));
      },
      { parallel: PARALLEL, ...options },
    );
    if (got.length > 0) {
      const value = concatBytes(before, ...got.map(encodeName));
      await store.write([{ type: 'put', key, value }], { sync: true });
    }
    return got.length === wanted.length;
  }

  /** Those of some rows of one blob that their holder serves. @throws the signal's reason */
  async #ask(rows: readonly DrawnRow[], signal: AbortSignal): Promise<readonly DrawnRow[]> {
    const { clock, logger, metrics } = this.#deps;
    const [first] = rows;
    if (first === undefined) return [];
    let served: readonly DrawnRow[] = [];
    try {
      const work = (inner: AbortSignal) => this.#fetch(first, rows, inner);
      served = await withDeadline('drawn rows', TIMEOUT_MS, work, { clock, signal });
    } catch (error) {
      signal.throwIfAborted();
      const { holder } = first;
      logger.debug({ holder, reason: describeError(error) }, 'drawn rows were not served');
    }
    metrics.audits.add(served.length, { result: 'served' });
    metrics.audits.add(rows.length - served.length, { result: 'missing' });
    return served;
  }

  /** @throws {SliceError} for rows that were not committed to; what the holder's door throws */
  async #fetch(
    { holder, header }: DrawnRow,
    rows: readonly DrawnRow[],
    signal: AbortSignal,
  ): Promise<readonly DrawnRow[]> {
    const { sockets, peers, suites, combiner } = this.#deps;
    const socket = await sockets.socketOf(holder, { signal });
    const suite = suites.find(({ id }) => id === header.suite);
    if (socket === undefined || suite === undefined) return [];
    const { commitment } = header;
    const indexes = rows.map(({ row }) => row);
    const request = { commitment: rootOf(commitment), indexes, form: 'full' } as const;
    const messages = await peers.rows(socket, request, { signal });
    const options = { suite, combiner };
    const got = new Set<number>();
    let proven: ReturnType<typeof verifyHeader> | undefined;
    for (const message of messages) {
      const row = parseRow(message);
      if (row.kind !== 'full' || !indexes.includes(row.row.index)) continue;
      proven ??= verifyHeader(row.header, { commitment, layout: layoutOfHeld(header) }, options);
      verifyRows([row.row], proven, options);
      got.add(row.row.index);
    }
    return rows.filter(({ row }) => got.has(row));
  }

  async #forget(before: number, options: ChainOptions): Promise<void> {
    await forgetBefore(this.#deps.store, OFFICE_KEYS.found, before, options);
    for (const name of this.#tries.keys()) {
      if (Number(name.split('/')[0]) < before) this.#tries.delete(name);
    }
  }
}

/** Rows of one blob and holder together, some at a time. */
function requestsFor(rows: readonly DrawnRow[]): DrawnRow[][] {
  const groups = new Map<string, DrawnRow[][]>();
  for (const drawn of rows) {
    const name = `${drawn.holder}/${rootOf(drawn.leaf)}`;
    const requests = groups.get(name) ?? [];
    const last = requests.at(-1);
    if (last === undefined || last.length >= ROWS_PER_REQUEST) requests.push([drawn]);
    else last.push(drawn);
    groups.set(name, requests);
  }
  return [...groups.values()].flat();
}

function encodeName({ leaf, row }: Pick<DrawnRow, 'leaf' | 'row'>): Uint8Array {
  return concatBytes(leaf, bigEndianBytes(row, 4));
}

function nameOf(encoded: Uint8Array): string {
  return Buffer.from(encoded).toString('latin1');
}
