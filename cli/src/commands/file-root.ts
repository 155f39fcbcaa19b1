import { stat } from 'node:fs/promises';
import { systemClock } from '@cairn/primitives';
import type { CommandContext } from '../io.ts';
import { type LocalEntry, type LocalInput, openLocalInput, walkDirectory } from '../local-files.ts';
import { type LocalRoot, RootComputer } from '../local-root.ts';
import { writeJson, writeLine } from '../output.ts';
import { Progress } from '../progress.ts';

/** What `cairn file root` takes. */
export interface FileRootOptions {
  readonly fragmentSize?: number;
  readonly json?: boolean;
}

/** Prints the root of a local file or directory; nothing is sent anywhere. */
export async function fileRoot(
  typed: string,
  options: FileRootOptions,
  context: CommandContext,
): Promise<number> {
  const input = await openLocalInput(typed, context);
  try {
    const { root, sizeBytes } = await rootOfInput(input, options, context);
    if (options.json === true) await writeJson(context.io, { root, sizeBytes });
    else await writeLine(context.io, root);
    return 0;
  } finally {
    await input.dispose();
  }
}

/** The root of a local file or directory, with progress for people. */
export async function rootOfInput(
  input: LocalInput,
  { fragmentSize }: Pick<FileRootOptions, 'fragmentSize'>,
  { io, signal }: CommandContext,
): Promise<LocalRoot> {
  const entries: LocalEntry[] = [];
  if (input.kind === 'directory') {
    for await (const entry of walkDirectory(input.path)) entries.push(entry);
  }
  const totalBytes =
    input.kind === 'file' ? (await stat(input.path)).size : await sizeOfFiles(entries);
  const progress = new Progress({ io, clock: systemClock() });
  const computer = await RootComputer.load({
    signal,
    ...(fragmentSize === undefined ? {} : { fragmentBytes: fragmentSize }),
    onProgress: (doneBytes) => progress.update('hashing', doneBytes, totalBytes),
  });
  try {
    return input.kind === 'file'
      ? await computer.file(input.path)
      : await computer.directory(entries);
  } finally {
    progress.clear();
    await computer.close();
  }
}

async function sizeOfFiles(entries: readonly LocalEntry[]): Promise<number> {
  let sizeBytes = 0;
  for (const entry of entries) {
    if (entry.kind === 'file') sizeBytes += (await stat(entry.localPath)).size;
  }
  return sizeBytes;
}
