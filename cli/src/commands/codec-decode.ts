import { randomInt } from 'node:crypto';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type MemberRow,
  readValue,
  type VerifyOptions,
  verifyHeader,
  verifyMembership,
} from '@cairn/erasure-codec';
import { Fault, formatBytes, seededRng, systemClock, toHex } from '@cairn/primitives';
import {
  type BlobRecord,
  diskCodeOf,
  readBlobRecord,
  SliceFiles,
  sliceRanges,
} from '../blob-folder.ts';
import { type CodecName, openCodecTools } from '../codec-tools.ts';
import { CliError, outputExists, usageError } from '../errors.ts';
import type { CommandContext } from '../io.ts';
import { writeLocalFile } from '../local-files.ts';
import { writeJson } from '../output.ts';
import type { DropText } from '../parse-options.ts';
import { Progress } from '../progress.ts';

/** What `cairn codec decode` takes. */
export interface CodecDecodeOptions {
  readonly out: string;
  readonly drop?: readonly DropText[];
  readonly seed?: number;
  readonly codec: CodecName;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Reads a payload back from the rows of a folder, as if some of them were lost. */
export async function codecDecode(
  typed: string,
  options: CodecDecodeOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const folder = resolve(io.cwd, typed);
  const output = resolve(io.cwd, options.out);
  if (options.force !== true) await assertAbsent(output);
  const record = await readBlobRecord(folder);
  const { layout, commitment } = record;
  const seed = options.seed ?? randomInt(2 ** 31);
  const dropped = droppedRows(options.drop ?? [], record, seed);
  const progress = new Progress({ io, clock: systemClock() });
  const tools = await openCodecTools(options.codec, record.suite, layout.payloadBytes, context);
  try {
    const onSlice = (done: number, of: number): void =>
      progress.update('reading', done, of, 'files');
    const rows = await membersOf(folder, record, dropped, tools, { signal, onSlice });
    progress.clear();
    const value = await readValue(rows, { commitment, layout }, { ...tools, signal });
    if (value.kind === 'unavailable') {
      throw new CliError(
        { code: 'CLI_BLOB_UNAVAILABLE', have: value.have, need: value.need },
        `${value.have} rows are there and committed to; reading takes any ${value.need}`,
      );
    }
    if (value.kind === 'null') {
      throw new CliError(
        { code: 'CLI_BLOB_NULL', commitment: toHex(commitment) },
        `the rows committed to by ${toHex(commitment)} are those of no payload`,
      );
    }
    await writeLocalFile(output, value.payload, { overwrite: options.force === true, signal });
    const report = {
      payloadBytes: layout.payloadBytes,
      rowsUsed: rows.length,
      rowsDropped: dropped.size,
      seed,
      codec: tools.codec.name,
    };
    if (options.json === true)
      await writeJson(io, { commitment: toHex(commitment), ...report, codecChoice: tools.choice });
    else {
      io.writeErr(
        `${formatBytes(layout.payloadBytes)} from ${rows.length} rows; ${dropped.size} of ${layout.rows} ` +
          `left out (seed ${seed}); encoded again, it has the commitment\n`,
      );
    }
    return 0;
  } finally {
    progress.clear();
    await tools.close();
  }
}

async function assertAbsent(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false, // not there, or not ours to see: writing says so
  );
  if (isThere) throw outputExists(path);
}

/** The rows that count as lost. @throws {CliError} CLI_USAGE for a coset or a count there is not */
function droppedRows(
  drops: readonly DropText[],
  { layout: { rows, dataRows, cosets } }: BlobRecord,
  seed: number,
): ReadonlySet<number> {
  const dropped = new Set<number>();
  for (const drop of drops) {
    if (drop.kind === 'random') continue;
    if (drop.coset > cosets) {
      throw usageError('drop', `this blob has cosets 0 to ${cosets}, not ${drop.coset}`);
    }
    for (let row = 0; row < dataRows; row += 1) dropped.add(drop.coset * dataRows + row);
  }
  const rng = seededRng(seed);
  for (const drop of drops) {
    if (drop.kind !== 'random') continue;
    const left = Array.from({ length: rows }, (_, row) => row).filter((row) => !dropped.has(row));
    const count = drop.count === 'max' ? Math.max(0, left.length - dataRows) : drop.count;
    if (count > left.length) {
      throw usageError(
        'drop',
        `${count} rows cannot be dropped of the ${left.length} that are left`,
      );
    }
    for (let taken = 0; taken < count; taken += 1) {
      const at = taken + rng.below(left.length - taken);
      [left[taken], left[at]] = [left[at] ?? 0, left[taken] ?? 0];
      dropped.add(left[taken] ?? 0);
    }
  }
  return dropped;
}

/** Rows committed to, until there are enough: damaged and unreadable ones are passed over. */
async function membersOf(
  folder: string,
  record: BlobRecord,
  dropped: ReadonlySet<number>,
  options: VerifyOptions,
  {
    signal,
    onSlice,
  }: { readonly signal: AbortSignal; readonly onSlice: (done: number, of: number) => void },
): Promise<MemberRow[]> {
  const members: MemberRow[] = [];
  const ranges = sliceRanges(record);
  const files = new SliceFiles(folder, record);
  for (const [slice, indexes] of ranges.entries()) {
    if (members.length >= record.layout.dataRows) break;
    signal.throwIfAborted();
    onSlice(slice, ranges.length);
    const wanted = indexes.filter((index) => !dropped.has(index));
    if (wanted.length === 0) continue;
    members.push(...(await sliceMembers(files, slice, record, new Set(wanted), options)));
  }
  return members.slice(0, record.layout.dataRows);
}

async function sliceMembers(
  files: SliceFiles,
  slice: number,
  record: BlobRecord,
  wanted: ReadonlySet<number>,
  options: VerifyOptions,
): Promise<MemberRow[]> {
  const members: MemberRow[] = [];
  try {
    const { header, rows } = await files.read(slice);
    const verified = verifyHeader(header, record, options);
    for (const row of rows) {
      if (!wanted.has(row.index)) continue;
      try {
        const { index, bytes, path } = row; // in memory that the next file overwrites
        const copy = { index, bytes: bytes.slice(), path: path.slice() };
        members.push(verifyMembership(copy, verified, options));
      } catch (error) {
        if (!(error instanceof Fault)) throw error; // one damaged row leaves the others
      }
    }
  } catch (error) {
    if (diskCodeOf(error) === undefined && !(error instanceof Fault)) throw error;
  }
  return members;
}
