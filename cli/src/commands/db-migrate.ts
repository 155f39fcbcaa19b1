import { formatShard, parseShardText, type ShardConfig } from '@cairn/wire-protocol';
import { adminSocketOf, askAdmin } from '../ask-admin.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type DbOptions, dataDirectoryOf, isRunning, withDatabase } from '../local-database.ts';
import { writeJson } from '../output.ts';

/** What `cairn db migrate` takes. */
export interface DbMigrateOptions extends DbOptions {
  readonly socket?: string;
  /** `id/count`. */
  readonly shard?: string;
}

/**
 * Finishes a change of the shard that was cut off, then makes the one asked for, to its end. Where the
 * node runs, it is asked to, and does it in the background. Opening a directory brings its layout up
 * to date; there is one layout so far.
 */
export async function dbMigrate(
  options: DbMigrateOptions,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const wanted = options.shard === undefined ? undefined : parseShardText(options.shard);
  let outcome: { readonly shard: string; readonly isDone: boolean };
  try {
    outcome = await migrateHere(options, wanted, context);
  } catch (error) {
    if (!isRunning(error)) throw error;
    outcome = await migrateThere(options, wanted, context);
  }
  const { shard, isDone } = outcome;
  if (options.json === true) await writeJson(io, { shard, done: isDone });
  else
    io.writeErr(
      isDone ? `the shard is ${shard}\n` : `the node is changing its shard to ${shard}\n`,
    );
  return EXIT.ok;
}

async function migrateHere(
  options: DbMigrateOptions,
  shard: ShardConfig | undefined,
  context: CommandContext,
): Promise<{ readonly shard: string; readonly isDone: boolean }> {
  const { signal } = context;
  return withDatabase(options, context, async ({ keeper, finaliser, finishWork }) => {
    await finishWork(signal);
    if (shard !== undefined) await keeper.begin(shard, 'admin');
    await finishWork(signal);
    await finaliser.considerPending(signal, () => undefined);
    return { shard: formatShard(keeper.current), isDone: true };
  });
}

async function migrateThere(
  options: DbMigrateOptions,
  to: ShardConfig | undefined,
  context: CommandContext,
): Promise<{ readonly shard: string; readonly isDone: boolean }> {
  const socket = adminSocketOf(dataDirectoryOf(options, context), options.socket);
  const path = '/v1/admin/shard';
  const wanted = to === undefined ? undefined : formatShard(to);
  const { shard, move } =
    wanted === undefined
      ? await askAdmin(socket, { method: 'GET', path }, context.signal)
      : await askAdmin(socket, { method: 'PUT', path, body: { shard: wanted } }, context.signal);
  return { shard: wanted ?? String(shard), isDone: move === null };
}
