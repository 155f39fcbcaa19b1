import type { RowSuite } from '@cairn/commitments/rows';
import { commitBlob } from '@cairn/erasure-codec';
import { type Clock, describeError, equalBytes, type Logger, Semaphore } from '@cairn/primitives';
import type { ByteBudget } from '../byte-budget.ts';
import type { ArchiveBook } from './archive-book.ts';
import { blobIdOf } from './blob-id.ts';
import type { BlobRecord } from './blob-record.ts';
import { type EncoderDeps, encodedBytes } from './encode-blob.ts';
import { DispersalError } from './errors.ts';
import type { DispersalMetrics } from './metrics.ts';
import type { ArchivedFile, LogArchive, PayloadStore } from './ports.ts';

/** What archiving works with. */
export interface ArchiverDeps {
  readonly book: ArchiveBook;
  readonly log: LogArchive;
  readonly payloads: Pick<PayloadStore, 'get'>;
  /** Reads a blob from its quorum, for one that was final before it was to be archived. */
  readonly readBack: (
    record: BlobRecord,
    options: { readonly signal: AbortSignal },
  ) => Promise<Uint8Array>;
  readonly tools: Pick<EncoderDeps, 'codec' | 'combiner' | 'network'> & {
    readonly suites: readonly RowSuite[];
  };
  /** Memory for payloads that are written, and for those that are encoded to compare. */
  readonly budget: ByteBudget;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  readonly metrics: Pick<DispersalMetrics, 'archives'>;
}

/** How blobs are written to the log. */
export interface ArchiverOptions {
  /** Waits between tries, the first and the longest. */
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
  /** Blobs that wait to be written, at most: those of the disperser's queue. */
  readonly maxWaiting: number;
}

/** Files written at once: each sends to several storage nodes by itself. */
const WRITTEN_AT_ONCE = 4;

/** Writes blobs to the log, where they outlive their quorums, and reads them from there. */
export class BlobArchiver {
  readonly #deps: ArchiverDeps;
  readonly #options: ArchiverOptions;
  readonly #turns: Semaphore;

  constructor(deps: ArchiverDeps, options: ArchiverOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#turns = new Semaphore({ limit: WRITTEN_AT_ONCE, maxWaiting: options.maxWaiting });
  }

  /**
   * Writes a final blob to the log, if that is wanted, and notes where it is. What fails is tried again
   * with growing waits: the log knows what it has, and nothing is paid twice.
   *
   * @throws the signal's reason
   */
  async archive(record: BlobRecord, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { book, clock, logger, metrics } = this.#deps;
    const { firstMs, maxMs } = this.#options.backoff;
    const { id } = record;
    for (let failures = 0; book.isWanted(id); failures += 1) {
      try {
        const file = await this.#turns.run(() => this.#write(record, signal), signal);
        await book.keep(id, file);
        metrics.archives.add(1, { result: 'stored' });
        logger.debug({ id, root: file.root, sequence: file.sequence }, 'a blob is in the log');
      } catch (error) {
        signal.throwIfAborted();
        metrics.archives.add(1, { result: 'failed' });
        logger.error(
          { id, reason: describeError(error) },
          'a blob could not be written to the log',
        );
        await clock.sleep(Math.min(firstMs * 2 ** Math.min(failures, 30), maxMs), signal);
      }
    }
  }

  /**
   * The payload of an archived blob: the bytes of its file, proven against the file's root, whose
   * commitment is the blob's.
   *
   * @returns `undefined` for a blob that is not archived
   * @throws {DispersalError} ARCHIVE_MISMATCH, ARCHIVE_UNAVAILABLE; the signal's reason
   */
  async read(
    record: Pick<BlobRecord, 'id' | 'sizeBytes' | 'suite' | 'commitment' | 'order'>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined> {
    const { book, log } = this.#deps;
    const { id, sizeBytes, suite } = record;
    const file = await book.fileOf(id);
    if (file === undefined) return undefined;
    const payload = await log
      .read(file, { maxBytes: sizeBytes, signal })
      .catch((cause: unknown) => {
        signal.throwIfAborted();
        const reason = describeError(cause);
        throw new DispersalError(
          { code: 'ARCHIVE_UNAVAILABLE', id, root: file.root },
          `the log gives no file ${file.root} for the blob: ${reason}`,
          { cause },
        );
      });
    const isIt = payload.length === sizeBytes && blobIdOf(payload, suite) === id;
    if (isIt && (await this.#isCommitted(payload, record, signal))) return payload;
    const { root } = file;
    throw new DispersalError(
      { code: 'ARCHIVE_MISMATCH', id, root },
      `the file ${root} of the log is not the blob ${id}`,
    );
  }

  async #write(record: BlobRecord, signal: AbortSignal): Promise<ArchivedFile> {
    const { payloads, readBack, log, budget } = this.#deps;
    const { id, sizeBytes, suite } = record;
    const release = await budget.take(sizeBytes, signal);
    try {
      const kept = await payloads.get(id);
      const isWhole = kept !== undefined && blobIdOf(kept, suite) === id;
      const payload = isWhole ? kept : await readBack(record, { signal });
      return await log.store(payload, { signal });
    } finally {
      release();
    }
  }

  /** Encodes a payload and compares the commitment. */
  async #isCommitted(
    payload: Uint8Array,
    { commitment, order }: Pick<BlobRecord, 'commitment' | 'order'>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { tools, budget } = this.#deps;
    const { codec, combiner, network, suites } = tools;
    const suite = suites.find(({ id }) => id === (order?.header.suite ?? 0));
    if (commitment === undefined || suite === undefined) return false;
    const { layout } = network;
    const release = await budget.take(encodedBytes(payload.length, layout), signal);
    try {
      const blob = await commitBlob(payload, layout, { codec, suite, combiner, signal });
      blob.held.release();
      return equalBytes(blob.commitment, commitment);
    } finally {
      release();
    }
  }
}
