import {
  compareBytes,
  fromHex,
  type KeyValueWrite,
  MAX_GROUP_WRITES,
  MAX_REPLAY_GROUP,
  sequenceOf,
  toHex,
  utf8Text,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { DOWNLOAD_FAILED } from '../replay/results.ts';
import { ROLE } from '../replay/role.ts';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { EMPTY_HASH, leafHashes } from '../tree/digests.ts';
import type { GroupDeps } from './apply-group.ts';
import { StateError } from './errors.ts';
import { KEY, TABLE } from './keyspace.ts';
import { type ChangedRow, encodeProgress, type Progress, type RootRecord } from './records.ts';
import { ReplayGroup } from './replay-group.ts';
import { slotOfKey } from './role-row.ts';
import { damaged, decodeRow, encodeRow, type Row } from './row.ts';
import { lastNumber } from './state-tables.ts';

/** What is left after entries were taken back. */
export interface RolledBack {
  readonly progress: Progress;
  readonly roots: ReadonlyMap<StreamId, RootRecord>;
}

/**
 * Takes the newest entries back, at most 1,024 of them or those with 65,536 changes, as one synced
 * batch: rows, roles, counts, trees, results and progress are as they were, and the roots are
 * compared with those noted then.
 *
 * @param to - the entry that is to be the next one; the group may end before it is reached
 * @throws {StateError} KV_ROOT_MISMATCH, KV_STATE_DAMAGED: nothing was changed then
 */
export async function rollbackGroup(
  deps: GroupDeps,
  state: RolledBack,
  to: number,
  signal: AbortSignal,
): Promise<RolledBack> {
  return new RollbackRun(deps, state, signal).run(to);
}

class RollbackRun {
  readonly #deps: GroupDeps;
  readonly #signal: AbortSignal;
  readonly #roots: Map<StreamId, RootRecord>;
  readonly #group: ReplayGroup;
  readonly #writes: KeyValueWrite[] = [];
  #progress: Progress;

  constructor(deps: GroupDeps, state: RolledBack, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
    this.#roots = new Map(state.roots);
    this.#progress = state.progress;
    this.#group = new ReplayGroup(deps.tables, (stream) => !this.#roots.has(stream));
  }

  async run(to: number): Promise<RolledBack> {
    let next = this.#progress.next;
    let undone = 0;
    const floor = Math.max(to, next - MAX_REPLAY_GROUP);
    const touched = new Set<StreamId>();
    while (next > floor && undone < MAX_GROUP_WRITES) {
      next -= 1;
      const changes: ChangedRow[] = [];
      for await (const change of this.#deps.tables.changesOf(next, this.#signal))
        changes.push(change);
      await this.#undo(next, changes);
      for (const { stream } of changes) touched.add(stream);
      undone += changes.length;
    }
    await this.#restoreRoots(next, touched);
    await this.#dropRecords(next);
    await this.#write(next);
    return { progress: this.#progress, roots: this.#roots };
  }

  async #undo(sequence: number, changes: readonly ChangedRow[]): Promise<void> {
    const { tables, trees, hasher } = this.#deps;
    await this.#group.load(changes);
    const rows: (Row | undefined)[] = [];
    for (const change of changes) rows.push(await this.#rowBefore(change));
    const restored = changes.flatMap(({ key }, index) => {
      const row = rows[index];
      return row === undefined ? [] : [{ ...row, key }];
    });
    const hashes = restored.length === 0 ? [] : leafHashes(restored, hasher);
    let at = 0;
    for (const [index, { table, stream, key }] of changes.entries()) {
      const tree = await trees.tree(table, stream);
      await tree.preload([key]);
      const row = rows[index];
      const held = this.#group.held(table, { stream, key });
      const after = held.record;
      if (after === undefined || held.version !== sequence) {
        damaged('list of changes', changes.length);
      }
      held.record = row && encodeRow(row);
      held.version = row?.version ?? 0;
      held.isChanged = true;
      if (row === undefined) {
        tree.remove(key);
      } else {
        tree.set(key, hashes[at] ?? EMPTY_HASH);
        at += 1;
        const stored = tables.keys.history(table, streamIdBytes(stream), key, row.version);
        this.#writes.push({ type: 'delete', key: stored });
      }
      if (table === TABLE.roles)
        await this.#recount(stream, key, { before: after, after: held.record });
    }
  }

  async #recount(
    stream: StreamId,
    key: Uint8Array,
    { before, after }: Readonly<Record<'before' | 'after', Uint8Array | undefined>>,
  ): Promise<void> {
    const slot = slotOfKey(key);
    if (slot.kind !== ROLE.specialWriter) return;
    await this.#group.loadCounts([{ stream, account: slot.account }]);
    this.#group.recount({ stream, slot }, before, after);
  }

  async #rowBefore({ table, stream, key, before }: ChangedRow): Promise<Row | undefined> {
    if (before === undefined) return undefined;
    const { keys, kv } = this.#deps.tables;
    const record = await kv.get(keys.history(table, streamIdBytes(stream), key, before));
    return record === undefined ? damaged('row of an older version', 0) : decodeRow(record);
  }

  /** Compares the trees with what was noted when the older entries were applied. */
  async #restoreRoots(next: number, touched: ReadonlySet<StreamId>): Promise<void> {
    const { tables, trees } = this.#deps;
    for (const stream of touched) {
      const noted = await tables.rootAt(stream, next - 1, this.#signal);
      const keysRoot = (await trees.tree(TABLE.keys, stream)).hash();
      const rolesRoot = (await trees.tree(TABLE.roles, stream)).hash();
      const isSame =
        compareBytes(keysRoot, noted?.keysRoot ?? EMPTY_HASH) === 0 &&
        compareBytes(rolesRoot, noted?.rolesRoot ?? EMPTY_HASH) === 0;
      if (!isSame) {
        throw new StateError(
          { code: 'KV_ROOT_MISMATCH', stream, sequence: sequenceOf(next) },
          `taking entries back to ${next} gives keys root ${toHex(keysRoot)} for stream ${stream}, ` +
            `noted was ${toHex(noted?.keysRoot ?? EMPTY_HASH)}`,
        );
      }
      if (noted === undefined) {
        this.#roots.delete(stream);
      } else {
        const { stateRoot, keyCount, roleCount } = noted;
        this.#roots.set(stream, {
          stateRoot,
          keysRoot: noted.keysRoot,
          rolesRoot: noted.rolesRoot,
          keyCount,
          roleCount,
        });
      }
      await this.#dropRange(KEY.root, next, streamIdBytes(stream));
    }
  }

  async #dropRecords(next: number): Promise<void> {
    const { keys, kv } = this.#deps.tables;
    let holes = 0;
    await this.#dropRange(KEY.result, next, undefined, (value) => {
      if (utf8Text(value) === DOWNLOAD_FAILED) holes += 1;
    });
    await this.#dropRange(KEY.changes, next);
    await this.#dropRange(KEY.time, next);
    let timeSeconds = 0;
    const { gte } = keys.range(KEY.time);
    const older = {
      ...(gte === undefined ? {} : { gte }),
      lt: keys.key(KEY.time, next),
      reverse: true,
      limit: 1,
    };
    for await (const [, value] of kv.entries(older, { signal: this.#signal })) {
      timeSeconds = lastNumber(value);
    }
    this.#progress = { ...this.#progress, next, timeSeconds, holes: this.#progress.holes - holes };
  }

  /** Deletes what is recorded of entries from `next` on. */
  async #dropRange(
    letter: typeof KEY.root | typeof KEY.result | typeof KEY.changes | typeof KEY.time,
    next: number,
    stream?: Uint8Array,
    visit?: (value: Uint8Array) => void,
  ): Promise<void> {
    const { keys, kv } = this.#deps.tables;
    const head = stream === undefined ? [] : [stream];
    const { lt } = keys.range(letter, ...head);
    const range = { gte: keys.key(letter, ...head, next), ...(lt === undefined ? {} : { lt }) };
    for await (const [key, value] of kv.entries(range, { signal: this.#signal })) {
      visit?.(value);
      this.#writes.push({ type: 'delete', key: key.slice() });
    }
  }

  async #write(next: number): Promise<void> {
    const { tables, trees } = this.#deps;
    const { keys, kv } = tables;
    const batch = this.#writes;
    this.#group.eachChangedRow(({ stored, record }) => {
      batch.push(
        record === undefined
          ? { type: 'delete', key: stored }
          : { type: 'put', key: stored, value: record },
      );
    });
    for (const { stream, account, count } of this.#group.changedCounts()) {
      const value = new Uint8Array(8);
      writeSafeU64(viewOf(value), 0, count);
      batch.push({
        type: 'put',
        key: keys.key(KEY.specialWriter, streamIdBytes(stream), fromHex(account)),
        value,
      });
    }
    for (const write of trees.writes()) batch.push(write);
    this.#progress = { ...this.#progress, next };
    batch.push({ type: 'put', key: keys.key(KEY.progress), value: encodeProgress(this.#progress) });
    await kv.write(batch, { sync: true });
    trees.settle();
  }
}
