import { resolve } from 'node:path';
import type { CertifiedFile, Shard } from '@cairn/chain-access/shards';
import { utf8Bytes } from '@cairn/primitives';
import { filePlaceProofJson } from '@cairn/wire-protocol';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeLocalFile } from '../local-files.ts';
import { chooseShard, type OrderOptions, withOrder } from '../order-chain.ts';
import { writeLine } from '../output.ts';
import { certifyPlace, placeProofOf, sequenceOfFile } from '../place-file.ts';
import { placeInWords } from '../place-in-words.ts';

/** What `cairn chain prove` takes. */
export interface ChainProveOptions extends OrderOptions {
  readonly shard?: number;
  readonly output?: string;
  readonly force?: boolean;
}

/** Writes what proves a file's place in the order to somebody who asks no chain. */
export async function chainProve(
  typed: string,
  options: ChainProveOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  return withOrder(options, context, async ({ shards, proverOf }) => {
    const shard = requireLog(chooseShard(shards, options.shard));
    const deps = await proverOf(shard);
    const sequence = await sequenceOfFile(typed, deps, { signal });
    const certified = await certifyPlace(deps, sequence, { signal });
    const text = filePlaceProofJson(placeProofOf(certified));
    const { output } = options;
    if (output === undefined || output === '-') {
      await writeLine(io, text);
    } else {
      const overwrite = options.force === true;
      const path = resolve(io.cwd, output);
      await writeLocalFile(path, utf8Bytes(`${text}\n`), { overwrite, signal });
    }
    io.writeErr(`${wordsOf(certified)}\n`);
    return EXIT.ok;
  });
}

/** @throws {CliError} CLI_USAGE for a shard whose files have no place */
function requireLog(shard: Shard): Shard {
  const { shardId, flow } = shard;
  if (shardId !== 0 && flow !== undefined) return shard;
  const reason =
    shardId === 0 ? 'the checkpoints of the hub tell of the order, not of a log' : 'it has no log';
  throw usageError('shard', `no file of shard ${shardId} can be proven: ${reason}`);
}

function wordsOf({ proof, places, hub }: CertifiedFile): string {
  const { record, checkpoint, ordered, order } = proof;
  const { fileRoot, sequence } = record;
  const { shardId } = checkpoint;
  const { globalIndex } = ordered;
  const place = placeInWords({ fileRoot, sequence, shardId, globalIndex });
  const [newest] = places;
  const signed =
    newest === undefined
      ? `no committee has signed its place yet: it is shown in the hub's order of ${order.count} alone, run this again later`
      : hub === undefined
        ? `told by the header of an epoch, in the order of ${newest.count}`
        : `signed by epoch ${hub.epoch}, in the order of ${hub.checkpoint.logCount}`;
  return `${place}; ${signed}`;
}
