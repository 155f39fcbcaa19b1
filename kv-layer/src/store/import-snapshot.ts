import { bigEndianBytes, equalBytes, readSafeU64, toHex, viewOf } from '@cairn/primitives';
import { type StreamId, streamIdBytes, streamIdOf } from '../stream-id.ts';
import { EMPTY_HASH, stateRootOf } from '../tree/digests.ts';
import { StateError } from './errors.ts';
import { KEY, Keyspace } from './keyspace.ts';
import { encodeProgress, encodeRoot } from './records.ts';
import { FIRST_FORMAT, MAGIC, MARK } from './snapshot-format.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import {
  encodeIdentity,
  type StateIdentity,
  stateDomain,
  UNFINISHED_LAYOUT,
} from './state-identity.ts';
import { StateTables } from './state-tables.ts';
import { StreamIntake } from './stream-intake.ts';
import type { StreamStateDeps } from './stream-state.ts';

/** Records of an older generation that are deleted together. */
const DELETED_TOGETHER = 4096;

/** What a snapshot was taken in as. */
export interface ImportedSnapshot {
  /** The version it is of; −1 if nothing was applied. */
  readonly version: number;
  readonly roots: ReadonlyMap<StreamId, Uint8Array>;
}

/**
 * Makes a generation's state from a snapshot, in place of whatever the generation held: what is taken in
 * has the roots that are trusted, or nothing is. Until it is whole the generation cannot be opened.
 *
 * The subtrees of a snapshot are copied as they are, and their hashes, keys and values are checked when the
 * first of them is needed: `UnreadSubtrees` of the state. Everything else is hashed at once.
 *
 * @param trusted - the root of each stream at the snapshot's version, by somebody who is believed;
 * streams without one have nothing in the snapshot
 * @throws {StateError} KV_SNAPSHOT_MALFORMED, KV_SNAPSHOT_ROOT, KV_WRONG_STATE; what the source throws
 */
export async function importSnapshot(
  deps: StreamStateDeps,
  identity: StateIdentity,
  snapshot: AsyncIterable<Uint8Array>,
  options: {
    readonly trusted: ReadonlyMap<StreamId, Uint8Array>;
    /** The version that the roots are of. */
    readonly version: number;
    /** Chain time of that entry, which no root covers; what the snapshot says unless told. */
    readonly timeSeconds?: number;
    readonly signal: AbortSignal;
    readonly generation?: number;
  },
): Promise<ImportedSnapshot> {
  return new SnapshotImport(deps, identity, options).run(new SnapshotReader(snapshot));
}

class SnapshotImport {
  readonly #deps: StreamStateDeps;
  readonly #identity: StateIdentity;
  readonly #trusted: ReadonlyMap<StreamId, Uint8Array>;
  readonly #version: number;
  readonly #timeSeconds: number | undefined;
  readonly #signal: AbortSignal;
  readonly #tables: StateTables;
  readonly #roots = new Map<StreamId, Uint8Array>();
  #valueBytes = 0;

  constructor(
    deps: StreamStateDeps,
    identity: StateIdentity,
    { trusted, version, timeSeconds, signal, generation = 0 }: Parameters<typeof importSnapshot>[3],
  ) {
    this.#deps = deps;
    this.#identity = identity;
    this.#trusted = trusted;
    this.#version = version;
    this.#timeSeconds = timeSeconds;
    this.#signal = signal;
    this.#tables = new StateTables(deps.kv, new Keyspace(generation));
  }

  async run(reader: SnapshotReader): Promise<ImportedSnapshot> {
    const { keys, kv } = this.#tables;
    const head = await reader.take(MAGIC.length + 48);
    const at = MAGIC.length;
    const format = head[at - 1] ?? 0;
    const isKnown = format >= FIRST_FORMAT && format <= (MAGIC[at - 1] ?? 0);
    if (!isKnown || !equalBytes(head.subarray(0, at - 1), MAGIC.subarray(0, -1))) reader.refuse();
    if (!equalBytes(head.subarray(at, at + 32), stateDomain(this.#identity))) {
      throw new StateError(
        { code: 'KV_WRONG_STATE', field: 'streams' },
        'the snapshot is of another chain, log, source of senders or set of streams',
      );
    }
    const next = readSafeU64(viewOf(head), at + 32);
    const timeSeconds = this.#timeSeconds ?? readSafeU64(viewOf(head), at + 40);
    if (next !== this.#version + 1) reader.refuse();
    await this.#clear();
    let mark = await reader.byte();
    while (mark === MARK.stream) mark = await this.#takeStream(reader, next);
    if (mark !== MARK.end || !(await reader.isAtEnd())) reader.refuse();
    for (const [stream, expected] of this.#trusted) {
      if (!this.#roots.has(stream)) refuseRoot(stream, expected, EMPTY_HASH);
    }
    await this.#deps.values.sync();
    const progress = {
      next,
      first: next,
      timeSeconds,
      valueBytes: this.#valueBytes,
      holes: 0,
      oldest: Math.max(0, next - 1),
    };
    await kv.write(
      [
        { type: 'put', key: keys.key(KEY.progress), value: encodeProgress(progress) },
        { type: 'put', key: keys.key(KEY.identity), value: encodeIdentity(this.#identity) },
      ],
      { sync: true },
    );
    return { version: next - 1, roots: this.#roots };
  }

  /** Empties the generation and marks it as unfinished. */
  async #clear(): Promise<void> {
    const { keys, kv } = this.#tables;
    for (let isLeft = true; isLeft; ) {
      const batch: { type: 'delete'; key: Uint8Array }[] = [];
      for await (const [key] of kv.entries(
        { ...keys.all, limit: DELETED_TOGETHER },
        { signal: this.#signal },
      )) {
        batch.push({ type: 'delete', key: key.slice() });
      }
      isLeft = batch.length > 0;
      if (isLeft) await kv.write(batch);
    }
    const value = Uint8Array.of(UNFINISHED_LAYOUT >> 8, UNFINISHED_LAYOUT & 255);
    await kv.write([{ type: 'put', key: keys.key(KEY.identity), value }], { sync: true });
  }

  /** Takes a stream in and compares its root. @returns the mark behind it */
  async #takeStream(reader: SnapshotReader, next: number): Promise<number> {
    const { values, hasher } = this.#deps;
    const head = await reader.take(40);
    const stream = streamIdOf(head.subarray(0, 32));
    const sequence = readSafeU64(viewOf(head), 32);
    // A root of a later entry would stand for those of all entries before it, and no root says of which it is.
    if (this.#roots.has(stream) || sequence >= next) reader.refuse();
    const deps = { tables: this.#tables, values, hasher, signal: this.#signal };
    const taken = await new StreamIntake(deps, stream, this.#valueBytes).take(reader, next);
    this.#valueBytes = taken.valueBytes;
    const { keysRoot, rolesRoot, keyCount, roleCount, special } = taken;
    const id = streamIdBytes(stream);
    const domain = stateDomain(this.#identity);
    const stateRoot = stateRootOf(
      { domain, stream: id, keysRoot, rolesRoot, keyCount, roleCount },
      hasher,
    );
    const expected = this.#trusted.get(stream);
    if (expected === undefined || !equalBytes(expected, stateRoot)) {
      refuseRoot(stream, expected ?? EMPTY_HASH, stateRoot);
    }
    this.#roots.set(stream, stateRoot);
    const { keys, kv } = this.#tables;
    const record = encodeRoot({ stateRoot, keysRoot, rolesRoot, keyCount, roleCount });
    const writes = [...special].map(([account, count]) => ({
      type: 'put' as const,
      key: keys.key(KEY.specialWriter, id, Uint8Array.from(account.split(','), Number)),
      value: bigEndianBytes(count, 8),
    }));
    await kv.write([
      { type: 'put', key: keys.key(KEY.root, id, sequence), value: record },
      ...writes,
    ]);
    return reader.byte();
  }
}

function refuseRoot(stream: StreamId, expected: Uint8Array, actual: Uint8Array): never {
  throw new StateError(
    { code: 'KV_SNAPSHOT_ROOT', stream, expected: toHex(expected), actual: toHex(actual) },
    `the snapshot gives stream ${stream} the state root ${toHex(actual)}, trusted is ${toHex(expected)}`,
  );
}
