import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { KvCommit } from '@cairn/client-sdk';
import type { BatchBuilder } from '@cairn/kv-layer';
import { utf8Bytes } from '@cairn/primitives';
import { type StreamOptions, writeStreams } from '../connect-streams.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { writeJson } from '../output.ts';
import { readAll } from '../read-all.ts';

/** What `cairn kv put` takes. */
export interface KvPutOptions extends StreamOptions {
  readonly file?: string;
}

/** Writes a value and waits until a node has decided that. @throws {CliError} CLI_USAGE */
export async function kvPut(
  stream: string,
  key: string,
  value: string | undefined,
  options: KvPutOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const bytes = await bytesOf(value, options, io);
  const commit = await writeStreams('pay for a write', options, context, (client) =>
    client.kv.stream(stream).put(key, bytes, { signal }),
  );
  await tell(commit, options, io);
  return EXIT.ok;
}

/** Deletes keys with one log entry. */
export async function kvDel(
  stream: string,
  keys: readonly string[],
  options: StreamOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const names = keys.map(utf8Bytes);
  const commit = await writeStreams('pay for a delete', options, context, (client) => {
    const { id } = client.kv.stream(stream);
    const build = (batch: BatchBuilder): void => {
      for (const name of names) batch.delete(id, name);
    };
    return client.kv.batch(build, { signal });
  });
  await tell(commit, options, io);
  return EXIT.ok;
}

/** Says which log entry carries what was written. */
export async function tell(
  { sequence, writes }: KvCommit,
  { json }: Pick<StreamOptions, 'json'>,
  io: CommandIo,
): Promise<void> {
  if (json === true) await writeJson(io, { result: 'Commit', sequence, writes });
  else io.writeErr(`committed by log entry ${sequence}\n`);
}

async function bytesOf(
  value: string | undefined,
  { file }: KvPutOptions,
  io: CommandIo,
): Promise<Uint8Array | string> {
  if ((value === undefined) === (file === undefined)) {
    throw usageError('value', 'give a value, or --file with the name of what it is in');
  }
  if (file === undefined) return value ?? '';
  if (file !== '-') return readFile(resolve(io.cwd, file));
  return readAll(io.stdin());
}
