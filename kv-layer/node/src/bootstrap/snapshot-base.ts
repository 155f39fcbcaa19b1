import type { Generations, StateError } from '@cairn/kv-layer';
import type { LogStore } from '@cairn/log-layer';
import {
  type Hex,
  isHexOf,
  isRecord,
  type KeyValueStore,
  type Logger,
  parseJson,
  parseRoot,
  type Root,
  sequenceOf,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { BASE_KEY } from '../keyspace.ts';

/** The snapshot that a state began with, and where on the chain that was. */
export interface SnapshotBase {
  readonly version: number;
  readonly block: Hex;
  readonly file: Root;
}

/** The base that was noted; `undefined` if the state began with the first entry. */
export async function readBase(kv: KeyValueStore): Promise<SnapshotBase | undefined> {
  const stored = await kv.get(BASE_KEY);
  const fields: unknown = stored === undefined ? undefined : parseJson(utf8Text(stored));
  if (!isRecord(fields)) return undefined;
  const { version, block, file } = fields;
  if (!Number.isSafeInteger(version) || !isHexOf(block, 32) || !isHexOf(file, 32)) return undefined;
  return { version: Number(version), block, file: parseRoot(file) };
}

/** Notes a base; survives a crash once this resolves. */
export async function writeBase(kv: KeyValueStore, base: SnapshotBase): Promise<void> {
  const value = utf8Bytes(JSON.stringify(base));
  await kv.write([{ type: 'put', key: BASE_KEY, value }], { sync: true });
}

/** What a state's base is dropped with. */
export interface DropBaseDeps {
  readonly generations: Generations;
  readonly log: LogStore;
  readonly kv: KeyValueStore;
  readonly logger: Logger;
}

/**
 * Begins anew with the first entry if the chain has taken back what the state's snapshot was of: nothing
 * that came after it can be taken back one by one.
 *
 * @returns whether it did
 */
export async function dropLostBase(
  deps: DropBaseDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<boolean> {
  const { generations, log, kv, logger } = deps;
  const { active } = generations;
  if (active.firstSequence === 0) return false;
  const base = await readBase(kv);
  const entry = await log.entryAt(sequenceOf(active.firstSequence - 1));
  const isThere = base !== undefined && entry?.block.hash === base.block;
  if (isThere) return false;
  const facts = { version: active.firstSequence - 1, block: base?.block ?? 'unknown' };
  logger.error(facts, 'the chain took back what the snapshot was of: replay begins anew');
  await beginAnew(deps, signal);
  return true;
}

/** Begins anew with the first entry: a part of the snapshot is not what was vouched for. */
export async function dropRefusedBase(
  deps: DropBaseDeps,
  { code, message }: Pick<StateError, 'code' | 'message'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  deps.logger.error({ code, reason: message }, 'the snapshot does not hold: replay begins anew');
  await beginAnew(deps, signal);
}

async function beginAnew({ generations, kv }: DropBaseDeps, signal: AbortSignal): Promise<void> {
  await generations.replace(async () => undefined, { signal });
  await kv.write([{ type: 'delete', key: BASE_KEY }], { sync: true });
}
