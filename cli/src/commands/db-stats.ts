import { formatBytes, isRecord } from '@cairn/primitives';
import { adminSocketOf, askAdmin } from '../ask-admin.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type DbOptions, dataDirectoryOf, isRunning, withDatabase } from '../local-database.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** What `cairn db stats` takes. */
export interface DbStatsOptions extends DbOptions {
  readonly socket?: string;
}

/** Counts what a data directory holds, through its node where one runs. */
export async function dbStats(options: DbStatsOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const counts = await countsOf(options, context, signal);
  if (options.json === true) {
    await writeJson(io, counts);
    return EXIT.ok;
  }
  const rows = Object.entries(counts).map(([name, value]): readonly [string, string] => [
    name,
    shown(name, value),
  ]);
  await writeLine(io, formatTable(['what', 'value'], rows));
  return EXIT.ok;
}

async function countsOf(
  options: DbStatsOptions,
  context: CommandContext,
  signal: AbortSignal,
): Promise<Readonly<Record<string, never>>> {
  try {
    const { countDatabase, databaseCountsJson } = await import('@cairn/storage-node/db');
    const counts = await withDatabase(options, context, (stores) =>
      countDatabase(stores, stores.directory, signal),
    );
    return Object(databaseCountsJson(counts));
  } catch (error) {
    if (!isRunning(error)) throw error;
    const socket = adminSocketOf(dataDirectoryOf(options, context), options.socket);
    return Object(await askAdmin(socket, { method: 'GET', path: '/v1/admin/db' }, signal));
  }
}

function shown(name: string, value: unknown): string {
  if (value === null) return '-';
  if (typeof value === 'number' && name.endsWith('Bytes')) return formatBytes(value);
  if (isRecord(value)) return `${String(value['to'])} (${String(value['stage'])})`;
  return String(value);
}
