import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileSource } from '@cairn/client-sdk';
import { type StreamOptions, writeStreams } from '../connect-streams.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/**
 * Stores the newest state of a node's streams as a file in the log layer, with statements of nodes about
 * its roots, and prints its root: another node begins with it (`bootstrap.file`).
 */
export async function kvSnapshot(options: StreamOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const folder = await mkdtemp(join(tmpdir(), 'cairn-snapshot-'));
  try {
    const path = join(folder, 'snapshot');
    const proven = { ...options, proof: true };
    await writeStreams('pay for a snapshot', proven, context, async (client) => {
      const { pieces, ...about } = await client.kv.snapshot({ signal });
      const file = await open(path, 'wx', 0o600);
      let sizeBytes = 0;
      try {
        for await (const piece of pieces) {
          await file.writeFile(piece);
          sizeBytes += piece.length;
        }
      } finally {
        await file.close();
      }
      const source = await openFileSource(path);
      try {
        const { root, sequence } = await client.files.put(source, { signal });
        if (options.json === true) await writeJson(io, { root, sequence, sizeBytes, ...about });
        else {
          await writeLine(io, root);
          const { version, streams, signers } = about;
          io.writeErr(
            `${streams.length} streams after entry ${version}, ${sizeBytes} bytes; ${signers.length} accounts vouch\n`,
          );
        }
      } finally {
        await source.close();
      }
    });
    return EXIT.ok;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
