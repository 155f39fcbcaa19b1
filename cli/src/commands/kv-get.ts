import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readStreams, type StreamOptions } from '../connect-streams.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson } from '../output.ts';

/** What `cairn kv get` takes. */
export interface KvGetOptions extends StreamOptions {
  readonly version?: number;
  readonly output?: string;
}

/** Writes a value to standard output or a new file. @throws {CliError} CLI_NO_VALUE */
export async function kvGet(
  stream: string,
  key: string,
  options: KvGetOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const { version } = options;
  const at = version === undefined ? { signal } : { signal, version };
  const found = await readStreams(options, context, (client) =>
    client.kv.stream(stream).get(key, at),
  );
  if (found === undefined) {
    throw new CliError({ code: 'CLI_NO_VALUE', stream, key }, `${key} has no value in ${stream}`);
  }
  if (options.output !== undefined && options.output !== '-') {
    const file = await open(resolve(io.cwd, options.output), 'wx');
    try {
      await file.writeFile(found.value);
    } finally {
      await file.close();
    }
    if (options.json === true) await writeJson(io, { stream, key, version: found.version });
    return EXIT.ok;
  }
  if (options.json === true) {
    const value = Buffer.from(found.value).toString('base64');
    await writeJson(io, { stream, key, version: found.version, value });
  } else {
    await io.writeOut(found.value);
  }
  return EXIT.ok;
}
