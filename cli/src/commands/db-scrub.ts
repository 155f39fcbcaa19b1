import { formatBytes, isRecord, type Json, systemClock } from '@cairn/primitives';
import { adminSocketOf, askAdmin } from '../ask-admin.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type DbOptions, dataDirectoryOf, isRunning, withDatabase } from '../local-database.ts';
import { writeJson } from '../output.ts';
import { Progress } from '../progress.ts';

/** What `cairn db scrub` takes. */
export interface DbScrubOptions extends DbOptions {
  readonly socket?: string;
  /** Bytes a second, where the node runs. */
  readonly rate?: number;
}

interface Found {
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: number;
  readonly sealedDamaged: number;
}

/** Between two looks at a pass of a running node. */
const LOOK_MS = 500;

/**
 * Hashes everything stored anew, by itself or through the node that runs there, to the end; exit code 4
 * if some of it is damaged.
 */
export async function dbScrub(options: DbScrubOptions, context: CommandContext): Promise<number> {
  const { io } = context;
  const progress = new Progress({ io, clock: systemClock() });
  let found: Found;
  try {
    found = await scrubHere(options, context, progress);
  } catch (error) {
    if (!isRunning(error)) throw error;
    found = await scrubThere(options, context, progress);
  } finally {
    progress.clear();
  }
  const { checked, bytes, damaged, sealedDamaged } = found;
  if (options.json === true) await writeJson(io, { checked, bytes, damaged, sealedDamaged });
  else
    io.writeErr(
      `${checked} segments, ${formatBytes(bytes)}, hashed anew; ${damaged} are damaged\n`,
    );
  if (sealedDamaged > 0) {
    io.writeErr(`${sealedDamaged} sealed copies were damaged; the node seals them anew.\n`);
  }
  if (damaged === 0) return sealedDamaged === 0 ? EXIT.ok : EXIT.verification;
  io.writeErr(
    'They are out of service; a running node fetches them again, `cairn db repair --from URL` does it here.\n',
  );
  return EXIT.verification;
}

async function scrubHere(
  options: DbScrubOptions,
  context: CommandContext,
  progress: Progress,
): Promise<Found> {
  const { scrubDatabase } = await import('@cairn/storage-node/db');
  const { signal } = context;
  const onProgress = (bytes: number): void => progress.update('hashing', bytes, 0);
  return withDatabase(options, context, (stores) => scrubDatabase(stores, { signal, onProgress }));
}

async function scrubThere(
  options: DbScrubOptions,
  context: CommandContext,
  progress: Progress,
): Promise<Found> {
  const { signal } = context;
  const clock = systemClock();
  const socket = adminSocketOf(dataDirectoryOf(options, context), options.socket);
  const path = '/v1/admin/scrub';
  const before = await askAdmin(socket, { method: 'GET', path }, signal);
  const body: Json = options.rate === undefined ? {} : { bytesPerSecond: options.rate };
  await askAdmin(socket, { method: 'POST', path, body }, signal);
  for (;;) {
    const {
      isRunning: runs,
      pass,
      lastPass,
    } = await askAdmin(socket, { method: 'GET', path }, signal);
    if (runs !== true && isRecord(lastPass) && !isSame(lastPass, before['lastPass'])) {
      return foundOf(lastPass);
    }
    if (isRecord(pass)) progress.update('hashing', foundOf(pass).bytes, 0);
    await clock.sleep(LOOK_MS, signal);
  }
}

function isSame(pass: Readonly<Record<string, unknown>>, before: unknown): boolean {
  return isRecord(before) && before['startedAt'] === pass['startedAt'];
}

function foundOf(pass: Readonly<Record<string, unknown>>): Found {
  const { checked, bytes, damaged, sealedDamaged = 0 } = pass;
  return {
    checked: Number(checked),
    bytes: Number(bytes),
    damaged: Number(damaged),
    sealedDamaged: Number(sealedDamaged),
  };
}
