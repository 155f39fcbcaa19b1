import { type Clock, describeError, type Logger } from '@cairn/primitives';
import type { ArchiveBook } from './archive-book.ts';
import type { BlobStore } from './blob-store.ts';

/** What forgetting works with. */
export interface ForgetDeps {
  readonly store: Pick<BlobStore, 'expired' | 'forget' | 'retire'>;
  readonly archives: Pick<ArchiveBook, 'isWanted' | 'fileOf'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly logger: Logger;
}

/** Expired records looked at at a time, and how often it is looked. */
const FORGOTTEN_AT_ONCE = 256;
const FORGET_EVERY_MS = 60_000;

/**
 * Forgets blobs whose time is over, once now and then. Those in the log are found still, by all their
 * names. Runs until `signal` aborts.
 *
 * @throws the signal's reason
 */
export async function forgetExpired(deps: ForgetDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger } = deps;
  for (;;) {
    await forgetOnce(deps, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      logger.error({ reason: describeError(error) }, 'expired blobs could not be forgotten');
    });
    await clock.sleep(FORGET_EVERY_MS, signal);
  }
}

async function forgetOnce(
  { store, archives, clock }: ForgetDeps,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const nowSeconds = Math.floor(clock.now() / 1000);
    const records = await store.expired(nowSeconds, FORGOTTEN_AT_ONCE, signal);
    for (const record of records) {
      const { id } = record;
      const isArchived = archives.isWanted(id) || (await archives.fileOf(id)) !== undefined;
      await (isArchived ? store.retire(record) : store.forget(record));
    }
    if (records.length < FORGOTTEN_AT_ONCE) return;
  }
}
