import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type BlobLayout,
  checkParity,
  commitMatrix,
  layoutOf,
  newDataMatrix,
} from '@cairn/erasure-codec';
import { formatBytes, systemClock, toHex } from '@cairn/primitives';
import { inBlobFolder, writeBlobFolder } from '../blob-folder.ts';
import { type CodecName, type CodecTools, openCodecTools } from '../codec-tools.ts';
import { CliError, usageError } from '../errors.ts';
import type { CommandContext } from '../io.ts';
import { openLocalInput } from '../local-files.ts';
import { writeJson, writeLine } from '../output.ts';
import { Progress } from '../progress.ts';

/** What `cairn codec encode` takes. */
export interface CodecEncodeOptions {
  readonly out: string;
  readonly cosets: number;
  readonly minRows: number;
  readonly suite: 'blake3' | 'sha256';
  readonly codec: CodecName;
  readonly json?: boolean;
}

/** Encodes a file into rows, commits to them and writes them to a folder, every row with its proof. */
export async function codecEncode(
  typed: string,
  options: CodecEncodeOptions,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const input = await openLocalInput(typed, context);
  try {
    if (input.kind === 'directory') {
      throw usageError('path', `${typed} is a directory; a blob is made of one file`);
    }
    const { size } = await stat(input.path);
    const { cosets, minRows, suite } = options;
    const layout = layoutOf(size, { cosets, minLog2K: Math.ceil(Math.log2(minRows)) });
    const folder = resolve(io.cwd, options.out);
    return await inBlobFolder(folder, async () => {
      const tools = await openCodecTools(options.codec, suite === 'sha256' ? 1 : 0, size, context);
      try {
        const commitment = toHex(await encodeFile(input.path, folder, layout, tools, context));
        if (options.json === true) {
          const { codec, choice, trials } = tools;
          const tried = trials.map((trial) => ({ ...trial }));
          const chosen = { codec: codec.name, codecChoice: choice, trials: tried };
          await writeJson(io, { commitment, ...layout, suite, ...chosen });
          return 0;
        }
        await writeLine(io, commitment);
        io.writeErr(`${describe(layout)}\ncodec ${tools.choice}\n`);
        return 0;
      } finally {
        await tools.close();
      }
    });
  } finally {
    await input.dispose();
  }
}

/** @returns the commitment */
async function encodeFile(
  path: string,
  folder: string,
  layout: BlobLayout,
  tools: CodecTools,
  { io, signal }: CommandContext,
): Promise<Uint8Array> {
  const progress = new Progress({ io, clock: systemClock() });
  try {
    progress.update('encoding', 0, layout.payloadBytes);
    const memory = await tools.codec.newMatrix?.(layout);
    const data = await readMatrix(path, layout, memory?.data);
    const blob = await commitMatrix(data, layout, { ...tools, into: memory?.parity, signal });
    await checkParity(blob, { ...tools, signal });
    const onSlice = (done: number, of: number): void =>
      progress.update('writing', done, of, 'files');
    await writeBlobFolder(folder, blob, { signal, onSlice });
    blob.held.release();
    return blob.commitment;
  } finally {
    progress.clear();
  }
}

/** @throws {CliError} CLI_SOURCE_SHORT if the file ends before its length */
async function readMatrix(
  path: string,
  layout: BlobLayout,
  memory: Uint8Array | undefined,
): Promise<Uint8Array> {
  const { data, payload } = newDataMatrix(layout, memory);
  const file = await open(path);
  try {
    let filled = 0;
    while (filled < payload.length) {
      const { bytesRead } = await file.read(payload, filled, payload.length - filled, filled);
      if (bytesRead === 0) {
        throw new CliError(
          { code: 'CLI_SOURCE_SHORT', expectedBytes: payload.length, actualBytes: filled },
          `the file had ${payload.length} bytes and now ends at ${filled}: something writes to it`,
        );
      }
      filled += bytesRead;
    }
    return data;
  } finally {
    await file.close();
  }
}

function describe({ payloadBytes, dataRows, rows, rowBytes }: BlobLayout): string {
  return (
    `${formatBytes(payloadBytes)} in ${dataRows} data rows of ${formatBytes(rowBytes)}, ` +
    `${rows} rows in all: any ${dataRows} of them give it back`
  );
}
