import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StorageError, writeFileAtomic } from '@cairn/node-runtime/files';
import { CliError, outputExists, usageError } from './errors.ts';
import type { CommandContext } from './io.ts';

/** Something in a local directory. Paths are below it, with `/` between names. */
export type LocalEntry =
  | { readonly kind: 'file'; readonly path: string; readonly localPath: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string };

/** What a path on the command line stands for. */
export interface LocalInput {
  readonly kind: 'file' | 'directory';
  readonly path: string;
  /** Removes the copy of standard input, if there is one. */
  dispose(): Promise<void>;
}

/**
 * What a path names; `-` is standard input, which is copied to a file first: a root needs the
 * length beforehand, and an upload reads twice.
 *
 * @throws what the disk throws, ENOENT among it; {CliError} CLI_USAGE for devices and sockets
 */
export async function openLocalInput(
  typed: string,
  { io, signal }: CommandContext,
): Promise<LocalInput> {
  if (typed === '-') {
    const directory = join(tmpdir(), `cairn-stdin-${randomBytes(8).toString('hex')}`);
    await mkdir(directory, { mode: 0o700 });
    const path = join(directory, 'stdin');
    const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
    try {
      await pipeline(io.stdin(), createWriteStream(path, { mode: 0o600 }), { signal });
    } catch (error) {
      await dispose();
      throw error;
    }
    return { kind: 'file', path, dispose };
  }
  const path = resolve(io.cwd, typed);
  const found = await stat(path);
  const dispose = async (): Promise<void> => undefined;
  if (found.isDirectory()) return { kind: 'directory', path, dispose };
  if (found.isFile()) return { kind: 'file', path, dispose };
  throw usageError('path', `${typed} is neither a file nor a directory; pipe it in and give -`);
}

/**
 * Writes a file whole: cut off, or without room for all of it, its name has what it had before. A
 * device or a pipe has nothing to keep and is written to as it is.
 *
 * @param overwrite - whether a file that is there is replaced; its mode stays
 * @throws {CliError} CLI_OUTPUT_EXISTS; {StorageError} DISK_FULL, DISK_IO; the signal's reason
 */
export async function writeLocalFile(
  path: string,
  bytes: Uint8Array,
  { overwrite, signal }: { readonly overwrite: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const old = overwrite ? await stat(path).catch(() => undefined) : undefined; // writing says why
  if (old !== undefined && !old.isFile() && !old.isDirectory()) {
    await writeFile(path, bytes, { signal });
    return;
  }
  const named = old === undefined ? path : await realpath(path); // what a link leads to, not the link
  const mode = old === undefined ? 0o666 : old.mode & 0o777;
  try {
    await writeFileAtomic(named, bytes, { mode, overwrite, signal });
  } catch (error) {
    const isTaken =
      error instanceof StorageError &&
      error.facts.code === 'DISK_IO' &&
      error.facts.errno === 'EEXIST';
    throw isTaken ? outputExists(path) : error;
  }
}

/**
 * Everything in a directory, in the order of names at every level, so that the same directory
 * always has the same root. Links are listed, never followed; empty directories are listed too.
 *
 * @throws what the disk throws; {CliError} CLI_USAGE for devices and sockets
 */
export async function* walkDirectory(
  directory: string,
  prefix = '',
): AsyncGenerator<LocalEntry, void, void> {
  const names = (await readdir(directory)).sort(byCodePoint);
  for (const name of names) {
    const localPath = join(directory, name);
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const found = await lstat(localPath);
    if (found.isSymbolicLink()) yield { kind: 'link', path, target: await readlink(localPath) };
    else if (found.isFile()) yield { kind: 'file', path, localPath };
    else if (found.isDirectory()) {
      yield { kind: 'directory', path };
      yield* walkDirectory(localPath, path);
    } else {
      throw usageError(
        'path',
        `${localPath} is a device or a socket; leave it out of the directory`,
      );
    }
  }
}

/** Order that is the same on every machine, whatever its language. */
function byCodePoint(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A file's bytes, if it is no longer than what is read. @throws {CliError} CLI_EPOCH_FILE; what the disk throws */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size <= maxBytes) return await file.readFile();
    throw new CliError(
      { code: 'CLI_EPOCH_FILE', path, problem: 'length' },
      `${path} has ${size} bytes; what is read here has at most ${maxBytes}`,
    );
  } finally {
    await file.close();
  }
}
