import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { usageError } from './errors.ts';
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
