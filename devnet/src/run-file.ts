import { join } from 'node:path';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import { isRecord, parseJson, utf8Text } from '@cairn/primitives';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/** A process of a devnet as its run file tells it. */
export interface RecordedProcess extends ProcessIdentity {
  readonly name: string;
  /** Where it answers. */
  readonly url: string;
}

/** Who runs a devnet directory: written while it runs, gone when it stopped. */
export interface RunRecord {
  readonly state: 'starting' | 'ready';
  /** The process that owns the devnet and stops it. */
  readonly owner: ProcessIdentity;
  /** The process that cleans up if the owner is killed; nobody else may while it lives. */
  readonly guardian: ProcessIdentity;
  /** In the order they were started. */
  readonly processes: readonly RecordedProcess[];
}

/** The files of a devnet directory. */
export interface DevnetPaths {
  readonly directory: string;
  /** `endpoints.json`, what other programs read. */
  readonly endpoints: string;
  /** The run file. */
  readonly run: string;
  readonly keys: string;
  readonly logs: string;
  /** What the chain and the nodes keep. */
  readonly data: string;
  /** Configuration files of the nodes. */
  readonly config: string;
  /** Journals of uploads to this devnet. */
  readonly uploads: string;
}

/** Where a devnet directory keeps what. */
export function devnetPaths(directory: string): DevnetPaths {
  return {
    directory,
    endpoints: join(directory, 'endpoints.json'),
    run: join(directory, 'devnet.json'),
    keys: join(directory, 'keys'),
    logs: join(directory, 'logs'),
    data: join(directory, 'data'),
    config: join(directory, 'config'),
    uploads: join(directory, 'uploads'),
  };
}

/** Writes the run file. @throws {StorageError} DISK_FULL, DISK_IO */
export async function writeRunRecord(path: string, record: RunRecord): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`);
}

/** The run file; `undefined` if there is none, or none that this version can read. */
export async function readRunRecord(path: string): Promise<RunRecord | undefined> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    return parseRunRecord(parseJson(utf8Text(bytes)));
  } catch {
    return undefined; // torn or foreign: says nothing about a running devnet
  }
}

/** Whether the devnet of a run file is there: its owner is alive, and is that very process. */
export function isOwnerAlive(record: RunRecord): boolean {
  return isAlive(record.owner);
}

function parseRunRecord(value: unknown): RunRecord | undefined {
  if (!isRecord(value) || value['version'] !== 1) return undefined;
  const { state, processes } = value;
  const owner = parseIdentity(value['owner']);
  const guardian = parseIdentity(value['guardian']);
  if (owner === undefined || guardian === undefined || !Array.isArray(processes)) return undefined;
  if (state !== 'starting' && state !== 'ready') return undefined;
  const recorded: RecordedProcess[] = [];
  for (const process of processes as unknown[]) {
    const identity = parseIdentity(process);
    if (identity === undefined || !isRecord(process)) return undefined;
    const { name, url } = process;
    if (typeof name !== 'string' || typeof url !== 'string') return undefined;
    recorded.push({ ...identity, name, url });
  }
  return { state, owner, guardian, processes: recorded };
}

function parseIdentity(value: unknown): ProcessIdentity | undefined {
  if (!isRecord(value)) return undefined;
  const { pid, startedAt } = value;
  if (typeof pid !== 'number' || typeof startedAt !== 'string') return undefined;
  return { pid, startedAt };
}
