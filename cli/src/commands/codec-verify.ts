import { resolve } from 'node:path';
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  type ExpectedSlice,
  loadWasmCombiner,
  type VerifyOptions,
  verifySlice,
} from '@cairn/erasure-codec';
import { describeError, Fault, systemClock, toHex } from '@cairn/primitives';
import { diskCodeOf, readBlobRecord, SliceFiles, sliceName, sliceRanges } from '../blob-folder.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { Progress } from '../progress.ts';

/** What `cairn codec verify` takes. */
export interface CodecVerifyOptions {
  readonly json?: boolean;
}

/** A slice file that is not what it should be. */
interface Damage {
  readonly file: string;
  readonly code: string;
  readonly reason: string;
}

/** Checks every row of a folder as its holder would: place, path and combination. */
export async function codecVerify(
  typed: string,
  { json }: CodecVerifyOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const folder = resolve(io.cwd, typed);
  const record = await readBlobRecord(folder);
  const { layout } = record;
  const options = { suite: await loadRowSuite(record.suite), combiner: await loadWasmCombiner() };
  const progress = new Progress({ io, clock: systemClock() });
  const damages: Damage[] = [];
  let goodRows = 0;
  try {
    const ranges = sliceRanges(record);
    const files = new SliceFiles(folder, record);
    for (const [slice, rows] of ranges.entries()) {
      signal.throwIfAborted();
      progress.update('verifying', slice, ranges.length, 'files');
      const damage = await checkSlice(files, slice, { ...record, rows }, options);
      if (damage === undefined) goodRows += rows.length;
      else damages.push(damage);
    }
  } finally {
    progress.clear();
  }
  const { rows, dataRows } = layout;
  const isReadable = goodRows >= dataRows;
  if (json === true) {
    const commitment = toHex(record.commitment);
    await writeJson(io, {
      commitment,
      rows,
      dataRows,
      goodRows,
      isReadable,
      damages: damages.map((damage) => ({ ...damage })),
    });
    return damages.length === 0 ? EXIT.ok : EXIT.verification;
  }
  for (const { file, reason } of damages) io.writeErr(`${file}: ${reason}\n`);
  if (damages.length === 0) {
    await writeLine(io, `${rows} rows are of ${toHex(record.commitment)}`);
    return 0;
  }
  throw new CliError(
    { code: 'CLI_BLOB_DAMAGED', goodRows, rows, dataRows },
    `${goodRows} of ${rows} rows are there and right, in files of which ${damages.length} are not; ` +
      `any ${dataRows} are enough`,
  );
}

async function checkSlice(
  files: SliceFiles,
  slice: number,
  expected: ExpectedSlice,
  options: VerifyOptions,
): Promise<Damage | undefined> {
  const file = sliceName(slice);
  try {
    verifySlice(await files.read(slice), expected, options);
    return undefined;
  } catch (error) {
    const code = error instanceof Fault ? error.code : diskCodeOf(error);
    if (code === undefined) throw error;
    return { file, code, reason: code === 'ENOENT' ? 'it is not there' : describeError(error) };
  }
}
