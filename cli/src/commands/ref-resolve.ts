import { open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { referTensors, resolveReference } from '@cairn/client-sdk';
import { formatBytes } from '@cairn/primitives';
import { connect } from '../connect.ts';
import { outputExists, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { namedTensor, readReference } from '../reference-file.ts';

/** What `cairn ref resolve` takes. */
export interface RefResolveOptions extends NetworkOptions {
  readonly output?: string;
  readonly path?: string;
  readonly tensor?: string;
  readonly force?: boolean;
}

/** Writes the bytes that a reference cites, to standard output or to a file that is whole or not there. */
export async function refResolve(
  file: string,
  { output, path, tensor, force, ...options }: RefResolveOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  if (path !== undefined && tensor !== undefined) {
    throw usageError('path', 'a directory has paths and a model has tensors: give one of them');
  }
  if (output === undefined && io.isOutTerminal) {
    throw usageError('output', 'say where to write it: -o FILE, or -o - for this terminal');
  }
  const content = await readReference(file, io);
  const client = await connect(await chooseNetwork(options, io));
  try {
    const cited =
      tensor === undefined
        ? content
        : namedTensor(await referTensors(client, content, { signal }), tensor);
    const pieces = resolveReference(client, cited, {
      signal,
      ...(path === undefined ? {} : { path }),
    });
    if (output === undefined || output === '-') {
      for await (const piece of pieces) await io.writeOut(piece);
      return EXIT.ok;
    }
    const target = resolve(io.cwd, output);
    if (force !== true && (await exists(target))) throw outputExists(target);
    const writtenBytes = await writeWhole(target, pieces);
    io.writeErr(`wrote ${target}, ${formatBytes(writtenBytes)}, every byte verified\n`);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** @returns bytes written */
async function writeWhole(target: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const part = `${target}.${process.pid}.part`;
  const handle = await open(part, 'wx');
  let writtenBytes = 0;
  try {
    for await (const piece of pieces) {
      await handle.writeFile(piece);
      writtenBytes += piece.length;
    }
    await handle.sync();
    await handle.close();
    await rename(part, target);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    throw error;
  }
  return writtenBytes;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
