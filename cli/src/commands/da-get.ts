import { resolve } from 'node:path';
import { formatBytes, parseRoot } from '@cairn/primitives';
import { chooseDisperser, type DaNetworkOptions } from '../da-options.ts';
import { DisperserClient } from '../disperser-client.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeLocalFile } from '../local-files.ts';
import { writeJson } from '../output.ts';

/** What `cairn da get` takes. */
export interface DaGetOptions extends DaNetworkOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Brings a blob's bytes, checked against its id, to a file or to standard output. */
export async function daGet(
  idText: string,
  options: DaGetOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const id = parseRoot(idText);
  const output = options.output ?? (io.isOutTerminal ? undefined : '-');
  if (output === undefined) {
    throw usageError('output', 'say where to write it: -o FILE, or -o - for this terminal');
  }
  if (output === '-' && options.json === true) {
    throw usageError('output', '--json and the blob cannot both go to stdout; give -o FILE');
  }
  const client = new DisperserClient(await chooseDisperser(options, io));
  try {
    const payload = await client.payload(id, { signal });
    if (output === '-') {
      await io.writeOut(payload);
      return EXIT.ok;
    }
    const path = resolve(io.cwd, output);
    await writeLocalFile(path, payload, { overwrite: options.force === true, signal });
    if (options.json === true) await writeJson(io, { id, path, sizeBytes: payload.length });
    else io.writeErr(`${formatBytes(payload.length)} to ${output}, as the id says\n`);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}
