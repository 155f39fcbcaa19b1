import { randomBytes } from 'node:crypto';
import { signerFromKey } from '@cairn/chain-access';
import { deriveStreamId } from '@cairn/kv-layer';
import { fromHex, isHexOf, toHex } from '@cairn/primitives';
import { readStreams, type StreamOptions, writeStreams } from '../connect-streams.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn kv stream create` takes. */
export interface KvStreamCreateOptions extends StreamOptions {
  readonly salt?: string;
}

/** Makes a stream of the paying account and prints its id. @throws {CliError} CLI_USAGE */
export async function kvStreamCreate(
  options: KvStreamCreateOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const { salt } = options;
  if (salt !== undefined && !isHexOf(salt, 32)) {
    throw usageError('salt', `"${salt}" is not 32 bytes: 0x and 64 hex digits`);
  }
  const saltBytes = salt === undefined ? new Uint8Array(randomBytes(32)) : fromHex(salt);
  await writeStreams('pay for a stream', options, context, async (client, key) => {
    const { address } = signerFromKey(toHex(key));
    const id = deriveStreamId(address, saltBytes);
    const { sequence } = await client.kv.batch((batch) => batch.tag(id), { signal });
    const isOwn = await client.kv.stream(id).access.isAdmin(address, { signal });
    if (options.json === true) {
      await writeJson(io, { stream: id, salt: toHex(saltBytes), owner: address, sequence, isOwn });
    } else {
      await writeLine(io, id);
      if (!isOwn) io.writeErr(`somebody wrote to it before: ${address} is not its administrator\n`);
    }
  });
  return EXIT.ok;
}

/** Lists the streams that the node has. */
export async function kvStreamList(
  options: StreamOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const streams = await readStreams(options, context, (client) => client.kv.streams({ signal }));
  if (options.json === true) await writeJson(io, { streams });
  else for (const stream of streams) await writeLine(io, stream);
  return EXIT.ok;
}
