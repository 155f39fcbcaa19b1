import { posix } from 'node:path';
import type { DirectoryEntry } from '@cairn/client-sdk';
import { parseRoot, type Root } from '@cairn/primitives';
import { connect } from '../connect.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type LocalEntry, openLocalInput, walkDirectory } from '../local-files.ts';
import { RootComputer } from '../local-root.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';

/** What `cairn file diff` takes. */
export interface FileDiffOptions extends NetworkOptions {
  readonly fragmentSize?: number;
  readonly json?: boolean;
}

/** A path that is not the same here and there. */
export interface Difference {
  readonly path: string;
  /** As seen from the stored directory: what happened to it here. */
  readonly change: 'added' | 'removed' | 'changed';
}

/** Tells what differs between a local directory and a stored one. Exit code 4 if anything does. */
export async function fileDiff(
  typed: string,
  rootText: string,
  options: FileDiffOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const root = parseRoot(rootText);
  const input = await openLocalInput(typed, context);
  if (input.kind !== 'directory') {
    await input.dispose();
    throw usageError(
      'directory',
      `${typed} is a file; check it with: cairn file verify ${typed} ROOT`,
    );
  }
  const client = await connect(await chooseNetwork(options, io));
  const computer = await RootComputer.load({
    signal,
    ...(options.fragmentSize === undefined ? {} : { fragmentBytes: options.fragmentSize }),
  });
  try {
    const stored = await client.files.ls(root, { recursive: true, signal });
    const differences = await compare(input.path, stored, computer);
    if (options.json === true) {
      await io.writeOut(
        `${JSON.stringify({ root, equal: differences.length === 0, differences })}\n`,
      );
    } else {
      const marks = { added: '+', removed: '-', changed: '~' };
      for (const { path, change } of differences) await io.writeOut(`${marks[change]} ${path}\n`);
      if (differences.length === 0) io.writeErr(`${typed} is what ${root} names\n`);
    }
    return differences.length === 0 ? EXIT.ok : EXIT.verification;
  } finally {
    await computer.close();
    await client.close();
  }
}

/**
 * What differs, in the order of paths. A directory that holds something is told by that; one on one
 * side only that is empty there, by itself.
 *
 * @throws what reading throws; {CliError} CLI_USAGE for devices and sockets
 */
export async function compare(
  directory: string,
  stored: readonly DirectoryEntry[],
  computer: Pick<RootComputer, 'roots'>,
): Promise<readonly Difference[]> {
  const left = new Map(stored.map((entry) => [entry.path, entry]));
  const differences: Difference[] = [];
  const added: LocalEntry[] = [];
  const filledHere = new Set<string>();
  for await (const local of walkDirectory(directory)) {
    filledHere.add(posix.dirname(local.path));
    const there = left.get(local.path);
    left.delete(local.path);
    if (there === undefined) added.push(local);
    else if (!(await isSame(local, there, computer))) {
      differences.push({ path: local.path, change: 'changed' });
    }
  }
  const filledThere = new Set(stored.map(({ path }) => posix.dirname(path)));
  for (const { path, kind } of added) {
    if (kind !== 'directory' || !filledHere.has(path)) differences.push({ path, change: 'added' });
  }
  for (const { path, kind } of left.values()) {
    if (kind !== 'directory' || !filledThere.has(path)) {
      differences.push({ path, change: 'removed' });
    }
  }
  return differences.sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function isSame(
  local: LocalEntry,
  stored: DirectoryEntry,
  computer: Pick<RootComputer, 'roots'>,
): Promise<boolean> {
  if (local.kind === 'file' && stored.kind === 'file') {
    const { roots, sizeBytes } = await computer.roots(local.localPath);
    return sizeBytes === stored.sizeBytes && isSameList(roots, stored.roots);
  }
  if (local.kind === 'link' && stored.kind === 'link') return local.target === stored.target;
  return local.kind === stored.kind;
}

function isSameList(ours: readonly Root[], theirs: readonly Root[]): boolean {
  return ours.length === theirs.length && ours.every((root, index) => root === theirs[index]);
}
