import {
  badRowEvidence,
  rowMessageBytes,
  type VerifiedBadRow,
  type VerifiedHeader,
  type VerifiedRow,
  type VerifyOptions,
  verifyHeader,
  verifyRow,
} from '@cairn/erasure-codec';
import {
  type Address,
  type Clock,
  Fault,
  type HttpTransport,
  isFault,
  withDeadline,
} from '@cairn/primitives';
import { rowsPerReply } from '@cairn/wire-protocol/da';
import { HolderError } from '../errors.ts';
import { eachHolder } from './each-holder.ts';
import { fetchRows, type HolderDoor, type WantedRow } from './fetch-rows.ts';
import type { HolderRows } from './row-places.ts';
import type { SampledBlob } from './sampled-blob.ts';

/**
 * Holders asked first for what proves rows, which is many times a row: one answer is enough. All of
 * them fail once in 125 times while a fifth of holders do; others are asked alongside the rows then.
 */
const HEADER_ASKERS = 3;

/** The code of a row that its holder answered without. */
export const LACKS_ROW = 'HOLDER_LACKS_ROW';

/** How rows are gathered. */
export interface GatherOptions {
  readonly transport: Pick<HttpTransport, 'send'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly verify: VerifyOptions;
  /** Where signers are reached. */
  readonly sockets: ReadonlyMap<Address, string>;
  /** Time a holder has for all rows asked of it together. */
  readonly holderTimeoutMs: number;
  /** Time for one request of at most 1 MiB; as long as for all of them unless told. */
  readonly requestTimeoutMs?: number;
  /** Holders asked at once. */
  readonly parallel: number;
}

/**
 * Rows of one blob as they come: each proven to be committed to and of the codeword, or why not.
 *
 * Each row is asked of its own holder and of nobody else, so that a holder learns nothing of the
 * draw but its own part. Memory: the rows, the header, and a reply of 1 MiB for each holder asked.
 */
export class RowGathering {
  readonly #blob: SampledBlob;
  readonly #options: GatherOptions;
  readonly #rows = new Map<number, VerifiedRow>();
  readonly #codes = new Map<number, string>();
  readonly #ended = new AbortController();
  #header: VerifiedHeader | undefined;
  #badRow: VerifiedBadRow | undefined;

  constructor(blob: SampledBlob, options: GatherOptions) {
    this.#blob = blob;
    this.#options = options;
    this.#header = blob.header;
  }

  /** Rows that came, by index. */
  get rows(): ReadonlyMap<number, VerifiedRow> {
    return this.#rows;
  }

  /** What proves the rows, once a holder has given it. */
  get header(): VerifiedHeader | undefined {
    return this.#header;
  }

  /** The first row found that was committed to and is not of the codeword; nothing is asked after it. */
  get badRow(): VerifiedBadRow | undefined {
    return this.#badRow;
  }

  /** The code of the fault for which a row did not come the last time it was asked for. */
  codeOf(index: number): string | undefined {
    return this.#codes.get(index);
  }

  /**
   * Asks holders for their rows, once each.
   *
   * @param onAnswer - called when a holder is done with, also while another call is under way
   * @throws the signal's reason; what `onAnswer` throws
   */
  async gather(
    wanted: readonly HolderRows[],
    {
      signal,
      onAnswer,
    }: { readonly signal: AbortSignal; readonly onAnswer: (signal: AbortSignal) => Promise<void> },
  ): Promise<void> {
    if (this.#badRow !== undefined) return;
    const inner = AbortSignal.any([signal, this.#ended.signal]);
    try {
      await this.#findHeader(wanted.slice(0, HEADER_ASKERS), inner);
      const visit = async ({ signer, rows }: HolderRows, signal: AbortSignal): Promise<void> => {
        await this.#ask(signer, this.#missing(rows), signal);
        await onAnswer(signal);
      };
      await eachHolder(wanted, visit, { parallel: this.#options.parallel, signal: inner });
    } catch (error) {
      signal.throwIfAborted();
      if (this.#badRow === undefined) throw error;
    }
  }

  /** Asks holders for one row each, with what proves it, until one has given that. */
  async #findHeader(wanted: readonly HolderRows[], signal: AbortSignal): Promise<void> {
    const found = new AbortController();
    if (this.#header !== undefined) return;
    const inner = AbortSignal.any([signal, found.signal]);
    const visit = async ({ signer, rows }: HolderRows, signal: AbortSignal): Promise<void> => {
      await this.#ask(signer, this.#missing(rows).slice(0, 1), signal);
      if (this.#header !== undefined) found.abort(new Error('another holder was faster'));
    };
    try {
      await eachHolder(wanted, visit, { parallel: HEADER_ASKERS, signal: inner });
    } catch (error) {
      signal.throwIfAborted();
      if (!found.signal.aborted) throw error;
    }
  }

  #missing(rows: readonly number[]): number[] {
    return rows.filter((row) => !this.#rows.has(row));
  }

  /** Keeps the rows that come in time, and for the others the code of what went wrong. */
  async #ask(signer: Address, rows: readonly number[], signal: AbortSignal): Promise<void> {
    const { clock, holderTimeoutMs } = this.#options;
    try {
      const door = doorOf(signer, this.#options.sockets.get(signer));
      const ask = (signal: AbortSignal): Promise<void> => this.#fetchAll(door, rows, signal);
      await withDeadline(`the answer of ${signer}`, holderTimeoutMs, ask, { clock, signal });
    } catch (error) {
      signal.throwIfAborted(); // the holder is not to blame
      if (!(error instanceof Fault)) throw error;
      for (const row of this.#missing(rows)) this.#codes.set(row, error.facts.code);
    }
  }

  async #fetchAll(door: HolderDoor, rows: readonly number[], signal: AbortSignal): Promise<void> {
    const { commitment, layout } = this.#blob;
    const {
      transport,
      holderTimeoutMs,
      requestTimeoutMs: timeoutMs = holderTimeoutMs,
    } = this.#options;
    const perReply = rowsPerReply(rowMessageBytes(layout, 'bare'));
    for (let at = 0; at < rows.length; ) {
      const form = this.#header === undefined ? 'full' : 'bare';
      const indexes = rows.slice(at, at + (form === 'full' ? 1 : perReply));
      at += indexes.length;
      const wanted = { commitment, layout, form, indexes } as const;
      const messages = await fetchRows(door, wanted, { transport, timeoutMs, signal });
      signal.throwIfAborted(); // what comes after the deadline does not count
      for (const message of messages) this.#take(message);
      for (const index of this.#missing(indexes)) this.#codes.set(index, LACKS_ROW);
    }
  }

  /** @throws {SliceError} for a row or header that does not hold; the end, for a bad row */
  #take(message: WantedRow): void {
    const { verify } = this.#options;
    if (message.kind === 'full') this.#header ??= verifyHeader(message.header, this.#blob, verify);
    const header = this.#header;
    if (header === undefined) throw new Error('bare rows are asked for once the header is known');
    const { row } = message;
    try {
      this.#rows.set(row.index, verifyRow(row, header, verify));
      this.#codes.delete(row.index);
    } catch (error) {
      if (!isFault(error, 'ROW_COMBINATION')) throw error;
      this.#badRow ??= badRowEvidence(row, header, verify);
      this.#codes.set(row.index, error.facts.code);
      this.#ended.abort(new Error('the blob is encoded wrongly'));
      throw error;
    }
  }
}

/** @throws {HolderError} HOLDER_NO_ADDRESS */
function doorOf(signer: Address, url: string | undefined): HolderDoor {
  if (url !== undefined && /^https?:\/\//i.test(url) && URL.canParse(url)) {
    return { signer, url: url.replace(/\/+$/, '') };
  }
  throw new HolderError(
    { code: 'HOLDER_NO_ADDRESS', signer },
    `no http or https address of ${signer} is known`,
  );
}
