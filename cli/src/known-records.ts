import { appendFile, mkdir, readFile, rm, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ChainClient } from '@cairn/chain-access';
import { logRecordPages, readFirstLogBlock } from '@cairn/chain-access/possession';
import { encodeRecord, parseRecord, RECORD_BYTES, type SubmissionRecord } from '@cairn/commitments';
import { type Address, concatBytes, Fault, isRecord, parseJson } from '@cairn/primitives';

/** A page without records is noted only after as many blocks. */
const NOTE_BLOCKS = 50_000;

/** Whose log, and where what is known of it is kept. */
export interface KnownRecordsOptions {
  readonly client: ChainClient;
  readonly flow: Address;
  /** Blocks so deep below the newest one are final: only what is in those is kept. */
  readonly finalityBlocks: number;
  /** A file that one process writes at a time. */
  readonly path: string;
}

/**
 * Records of a log from its first one on, remembered from one command to the next: each asks the chain
 * for the blocks that are new only. The file has a line for each page of blocks; a line that a
 * crash cut off is dropped, a file that is none of ours begun anew. What it says is never believed:
 * the log's root is made from it and compared with the contract's.
 */
export class KnownRecords {
  readonly #options: KnownRecordsOptions;

  constructor(options: KnownRecordsOptions) {
    this.#options = options;
  }

  /**
   * All records up to a block, in order; later ones too where they are known.
   *
   * @throws as `logRecordPages`; what the disk throws
   */
  async upTo(
    toBlock: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly SubmissionRecord[]> {
    const { client, flow, finalityBlocks, path } = this.#options;
    const { records, throughBlock } = await readKnown(path);
    const head = await client.blockNumber({ signal });
    const finalBlock = Math.min(toBlock, head - finalityBlocks);
    let noted = throughBlock ?? (await readFirstLogBlock(client, flow, { signal })) - 1;
    let unwritten: SubmissionRecord[] = [];
    const range = { fromBlock: noted + 1, toBlock: finalBlock };
    for await (const page of logRecordPages(client, flow, range, { signal })) {
      for (const record of page.records) unwritten.push(record);
      const isLast = page.throughBlock >= finalBlock;
      if (unwritten.length === 0 && !isLast && page.throughBlock - noted < NOTE_BLOCKS) continue;
      await note(path, page.throughBlock, unwritten);
      for (const record of unwritten) records.push(record);
      noted = page.throughBlock;
      unwritten = [];
    }
    const rest = { fromBlock: Math.max(noted, finalBlock) + 1, toBlock };
    for await (const page of logRecordPages(client, flow, rest, { signal })) {
      for (const record of page.records) records.push(record);
    }
    return records;
  }

  /** Does some work with the records, and forgets them if it shows that they are another log's. @throws what the work throws */
  async trust<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const code = error instanceof Fault ? error.code : '';
      if (code === 'POSSESSION_OTHER_LOG' || code === 'POSSESSION_OTHER_SET') {
        await rm(this.#options.path, { force: true });
      }
      throw error;
    }
  }
}

interface Known {
  readonly records: SubmissionRecord[];
  readonly throughBlock: number | undefined;
}

async function note(
  path: string,
  throughBlock: number,
  records: readonly SubmissionRecord[],
): Promise<void> {
  const bytes = concatBytes(...records.map(encodeRecord));
  const line = { through: throughBlock, records: Buffer.from(bytes).toString('base64') };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await appendFile(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

/** What a file says, up to the first line that makes no sense, which is cut off with what follows. */
async function readKnown(path: string): Promise<Known> {
  const records: SubmissionRecord[] = [];
  let throughBlock: number | undefined;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isRecord(error) && error['code'] === 'ENOENT') return { records, throughBlock };
    throw error;
  }
  let sound = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const page = parsePage(line);
    if (page === undefined || page.through <= (throughBlock ?? -1)) break;
    if (page.records.some(({ sequence }, at) => sequence !== records.length + at)) break;
    for (const record of page.records) records.push(record);
    throughBlock = page.through;
    sound += line.length + 1; // all of it is ASCII
  }
  if (sound < text.length) await truncate(path, sound);
  return { records, throughBlock };
}

function parsePage(
  line: string,
): { readonly through: number; readonly records: readonly SubmissionRecord[] } | undefined {
  try {
    const value: unknown = parseJson(line);
    if (!isRecord(value)) return undefined;
    const { through, records: text } = value;
    if (typeof through !== 'number' || !Number.isSafeInteger(through)) return undefined;
    if (typeof text !== 'string') return undefined;
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length % RECORD_BYTES !== 0) return undefined;
    const records = Array.from({ length: bytes.length / RECORD_BYTES }, (_, at) =>
      parseRecord(bytes.subarray(at * RECORD_BYTES, (at + 1) * RECORD_BYTES)),
    );
    return { through, records };
  } catch {
    return undefined; // not a line that was written whole
  }
}
