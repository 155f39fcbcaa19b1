import { createNodeTransport } from '@cairn/node-runtime/transport';
import { describeError, type Logger, silentLogger } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type DbOptions, withDatabase } from '../local-database.ts';
import { writeJson } from '../output.ts';

/** What `cairn db repair` takes. */
export interface DbRepairOptions extends DbOptions {
  /** The HTTP door of another node. */
  readonly from?: string;
}

/** Puts right what can be on a data directory, and fetches what is missing from another node. */
export async function dbRepair(options: DbRepairOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const { repairDatabase } = await import('@cairn/storage-node/db');
  const transport = createNodeTransport();
  const from = options.from === undefined ? undefined : { url: options.from, transport };
  const logger: Logger = {
    ...silentLogger(),
    warn: ({ sequence, index, reason }, text) =>
      io.writeErr(
        `entry ${String(sequence)}, segment ${String(index)}: ${text}: ${describeError(reason)}\n`,
      ),
  };
  try {
    const report = await withDatabase(options, context, (stores) =>
      repairDatabase(stores, { from, logger, signal }),
    );
    const { dropped, marksTaken, marksGiven, fetched, failed, pending } = report;
    if (options.json === true) {
      await writeJson(io, {
        dropped: { ...dropped },
        marksTaken,
        marksGiven,
        fetched,
        failed,
        pending,
      });
    } else {
      const { quarantined, damaged, orphaned } = dropped;
      io.writeErr(
        `dropped ${quarantined} quarantined, ${damaged} unreadable and ${orphaned} stray records; ` +
          `took ${marksTaken} marks, gave ${marksGiven}; fetched ${fetched} segments, ${failed} failed; ` +
          `${pending} entries wait for segments\n`,
      );
    }
    return EXIT.ok;
  } finally {
    await transport.close();
  }
}
