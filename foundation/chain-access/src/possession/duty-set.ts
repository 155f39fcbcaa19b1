import type { SubmissionRecord } from '@cairn/commitments';
import { SECTOR_BYTES, type Sequence, viewOf, writeSafeU64 } from '@cairn/primitives';
import { RecordPaths } from './record-paths.ts';

/** Bytes of an entry of a set: sequence u64, file root 32, size u64, padded sectors u64, first u64. */
const ENTRY_BYTES = 64;

/** What a set takes of a file's record. */
export type SetRecord = Pick<SubmissionRecord, 'sequence' | 'fileRoot' | 'sizeBytes' | 'sectors'>;

/** A file of a duty's set. */
export interface SetEntry {
  readonly sequence: Sequence;
  /** 32 bytes. */
  readonly fileRoot: Uint8Array;
  readonly sizeBytes: number;
  /** Padded length. */
  readonly fileSectors: number;
  /** Sectors with data of the files before it in the set. */
  readonly firstSector: number;
}

/** A drawn sector's file, and its place there. */
export interface DrawnSector {
  /** Place of the file in the set. */
  readonly index: number;
  readonly entry: SetEntry;
  /** The sector's place in the file. */
  readonly sector: number;
}

/** The files of a duty, in the order of the log, with the tree over them. */
export class DutySet {
  readonly entries: readonly SetEntry[];
  /** Sectors with data of all files. */
  readonly sectors: number;
  readonly #paths: RecordPaths;

  /** @param records - those of the files, ascending; at least one */
  constructor(records: readonly SetRecord[]) {
    let firstSector = 0;
    const entries: SetEntry[] = [];
    for (const { sequence, fileRoot, sizeBytes, sectors } of records) {
      entries.push({ sequence, fileRoot, sizeBytes, fileSectors: sectors, firstSector });
      firstSector += Math.ceil(sizeBytes / SECTOR_BYTES);
    }
    this.entries = entries;
    this.sectors = firstSector;
    this.#paths = new RecordPaths(entries.map(encodeEntry));
  }

  /** 32 bytes: what the contract fixes when the duty starts. */
  root(): Uint8Array {
    return this.#paths.root();
  }

  /** Siblings of a file in the set's tree. @throws {RangeError} if the set has no such file */
  pathOf(index: number): readonly Uint8Array[] {
    return this.#paths.pathOf(index);
  }

  /** Which file a drawn number means. @throws {RangeError} beyond the set's sectors */
  find(drawn: number): DrawnSector {
    const index = this.entries.findLastIndex(({ firstSector }) => firstSector <= drawn);
    const entry = this.entries[index];
    if (entry === undefined || drawn >= this.sectors) {
      throw new RangeError(`a set of ${this.sectors} sectors has no sector ${drawn}`);
    }
    return { index, entry, sector: drawn - entry.firstSector };
  }
}

function encodeEntry({ sequence, fileRoot, sizeBytes, fileSectors, firstSector }: SetEntry) {
  const body = new Uint8Array(ENTRY_BYTES);
  const view = viewOf(body);
  writeSafeU64(view, 0, sequence);
  body.set(fileRoot, 8);
  writeSafeU64(view, 40, sizeBytes);
  writeSafeU64(view, 48, fileSectors);
  writeSafeU64(view, 56, firstSector);
  return body;
}
