import { rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type Client,
  type Decryption,
  downloadDirectory,
  downloadToPath,
  type StoredFile,
} from '@cairn/client-sdk';
import { formatBytes, parseRoot, type Root, systemClock } from '@cairn/primitives';
import { isManifest } from '@cairn/wire-protocol';
import { connect } from '../connect.ts';
import { chooseDecryption, type DecryptOptions } from '../encryption-options.ts';
import { outputExists, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { shellQuoted, writeJson } from '../output.ts';
import { type RangeText, resolveRange } from '../parse-options.ts';
import { Progress } from '../progress.ts';

/** What `cairn file get` takes. */
export interface FileGetOptions extends NetworkOptions, DecryptOptions {
  readonly output?: string;
  readonly range?: RangeText;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What to bring, and how. */
interface Wanted {
  readonly root: Root;
  readonly path: string | undefined;
  readonly decryption: Decryption | undefined;
  readonly options: FileGetOptions;
}

/** Bytes that tell a directory's manifest from a file. */
const HEAD_BYTES = 64;

/** Reads a file, part of one, or a directory, verified, to disk or to standard output. */
export async function fileGet(
  rootText: string,
  path: string | undefined,
  options: FileGetOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const root = parseRoot(rootText);
  const network = await chooseNetwork(options, io);
  const output = outputOf(options, context);
  const decryption = await chooseDecryption(options, network.keyFiles, context);
  const client = await connect(network);
  const wanted: Wanted = { root, path, decryption, options };
  try {
    const file = await client.files.open(root, openOptions(wanted, signal));
    if (path === undefined && (await holdsManifest(file, signal))) {
      const cutFile = await pathOfCutFile(client, wanted, signal);
      if (cutFile !== undefined) {
        const part = { ...wanted, path: cutFile };
        if (output !== '-') return await bringFile(client, part, output, context);
        const whole = await client.files.open(root, openOptions(part, signal));
        return await streamOut(whole, part, context);
      }
      if (output === '-') {
        throw usageError(
          'output',
          'this is a directory: say where to put it with -o DIRECTORY, or name a file in it',
        );
      }
      return await bringDirectory(client, wanted, output, context);
    }
    if (output === '-') return await streamOut(file, wanted, context);
    return await bringFile(client, wanted, output, context);
  } finally {
    await client.close();
  }
}

function outputOf({ output, range }: FileGetOptions, { io }: CommandContext): string {
  if (range !== undefined && output !== undefined && output !== '-') {
    throw usageError('range', '--range writes to stdout; leave -o out, or give -o -');
  }
  if (output !== undefined) return output === '-' ? '-' : resolve(io.cwd, output);
  if (!io.isOutTerminal || range !== undefined) return '-';
  throw usageError('output', 'say where to write it: -o FILE, or -o - for this terminal');
}

function openOptions({ path, decryption }: Wanted, signal: AbortSignal) {
  return {
    signal,
    ...(path === undefined ? {} : { path }),
    ...(decryption === undefined ? {} : { decryption }),
  };
}

async function holdsManifest(file: StoredFile, signal: AbortSignal): Promise<boolean> {
  const length = Math.min(HEAD_BYTES, file.sizeBytes);
  return length === HEAD_BYTES && isManifest(await file.read(0, length, { signal }));
}

/**
 * The only file of a manifest, if it is there because the file was too long for one log entry: what
 * `file put` of such a file makes. `undefined` for directories.
 */
async function pathOfCutFile(
  client: Client,
  { root, decryption }: Wanted,
  signal: AbortSignal,
): Promise<string | undefined> {
  const entries = await client.files.ls(root, {
    signal,
    ...(decryption === undefined ? {} : { decryption }),
  });
  const [only] = entries;
  if (entries.length !== 1 || only?.kind !== 'file' || only.roots.length < 2) return undefined;
  return only.path;
}

async function streamOut(
  file: StoredFile,
  { options }: Wanted,
  { io, signal }: CommandContext,
): Promise<number> {
  if (options.json === true) {
    throw usageError('json', '--json tells about a file written with -o; stdout holds the bytes');
  }
  const range =
    options.range === undefined
      ? { offset: 0, length: file.sizeBytes }
      : resolveRange(options.range, file.sizeBytes);
  const progress = new Progress({ io, clock: systemClock() });
  let doneBytes = 0;
  try {
    for await (const piece of file.stream({ signal }, range)) {
      await io.writeOut(piece);
      doneBytes += piece.length;
      if (!io.isOutTerminal) progress.update('reading', doneBytes, range.length);
    }
  } finally {
    progress.clear();
  }
  return EXIT.ok;
}

async function bringFile(
  client: Client,
  wanted: Wanted,
  output: string,
  { io, signal }: CommandContext,
): Promise<number> {
  const { root, options } = wanted;
  if (options.force !== true && (await exists(output))) throw outputExists(output);
  const progress = new Progress({ io, clock: systemClock() });
  try {
    const { sizeBytes, resumedBytes, file } = await downloadToPath(client.files, root, output, {
      ...openOptions(wanted, signal),
      overwrite: options.force === true,
      resume: options.resume === true,
      onProgress: (doneBytes, totalBytes) => progress.update('reading', doneBytes, totalBytes),
    });
    progress.clear();
    const liars = file.evidence.map(({ url, code }) => ({ url, code }));
    if (options.json === true) {
      await writeJson(io, { root, output, sizeBytes, resumedBytes, verified: true, liars });
    } else {
      io.writeErr(`wrote ${output}, ${formatBytes(sizeBytes)}, every byte verified\n`);
      for (const { url, code } of liars) io.writeErr(`${url} served what it is not (${code})\n`);
    }
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted) {
      const args = process.argv.slice(2).filter((argument) => argument !== '--resume');
      io.writeErr(`\ncontinue with: cairn ${args.map(shellQuoted).join(' ')} --resume\n`);
    }
    throw error;
  } finally {
    progress.clear();
  }
}

async function bringDirectory(
  client: Client,
  { root, decryption, options }: Wanted,
  output: string,
  { io, signal }: CommandContext,
): Promise<number> {
  if (options.resume === true) {
    throw usageError(
      'resume',
      'only a file can be resumed, and this is a directory: leave --resume out',
    );
  }
  if (options.force === true && (await exists(output))) await removeOld(output);
  const progress = new Progress({ io, clock: systemClock() });
  let doneFiles = 0;
  try {
    const result = await downloadDirectory(client.files, root, output, {
      signal,
      ...(decryption === undefined ? {} : { decryption }),
      onFile: () => {
        doneFiles += 1;
        progress.update('reading', doneFiles, 0, 'files');
      },
    });
    progress.clear();
    const { files, totalBytes } = result;
    if (options.json === true) {
      await writeJson(io, { root, output, files, sizeBytes: totalBytes, verified: true });
    } else {
      const count = files === 1 ? '1 file' : `${files} files`;
      io.writeErr(`wrote ${output}, ${count}, ${formatBytes(totalBytes)}, every byte verified\n`);
    }
    return EXIT.ok;
  } finally {
    progress.clear();
  }
}

/** Replaces a file, never a directory: too much is gone too easily. */
async function removeOld(output: string): Promise<void> {
  if ((await stat(output)).isDirectory()) return; // the download refuses one that is not empty
  await rm(output);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
