import {
  type Address,
  compareBytes,
  fromHex,
  parseAddress,
  sequenceOf,
  toHex,
} from '@cairn/primitives';
import type { AccessOp } from '../../src/batch/access-op.ts';
import { parseBatchBytes } from '../../src/batch/parse-batch.ts';
import { readableBytes } from '../../src/batch/stream-batch.ts';
import { slotName } from '../../src/replay/fold-controls.ts';
import { gateEntry, REFUSED, type ReplayView, replayBatch } from '../../src/replay/replay-batch.ts';
import { isGrant, ROLE, type RoleSlot } from '../../src/replay/role.ts';
import { parseStreamId, type StreamId } from '../../src/stream-id.ts';
import { parseTags } from '../../src/tags.ts';

/** A value as it was at a version; of no byte: deleted. */
export interface ModelRow {
  readonly version: number;
  readonly value: Uint8Array;
}

interface ModelRole {
  readonly version: number;
  readonly op: AccessOp;
  readonly slot: RoleSlot;
}

/** An entry of a log, as tests make them. */
export interface ModelEntry {
  readonly sequence: number;
  readonly sender: Address;
  readonly tags: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * The state as the specification words it: rows that are only added, and every question answered by
 * looking through all of them. Slow, and hard to get wrong.
 */
export class Model {
  readonly watched: ReadonlySet<StreamId>;
  readonly rows = new Map<StreamId, Map<string, ModelRow[]>>();
  readonly roles = new Map<StreamId, Map<string, ModelRole[]>>();
  readonly results = new Map<number, string>();

  constructor(watched: Iterable<StreamId>) {
    this.watched = new Set(watched);
  }

  /** Applies an entry; gives its result, or null if it is none of this node's. */
  apply({ sequence, sender, tags, bytes }: ModelEntry): string | null {
    const streams = parseTags(tags) ?? [];
    const entry = { sequence: sequenceOf(sequence), sender, streams };
    const view = this.at(Number.POSITIVE_INFINITY);
    const gate = gateEntry(entry, this.watched, view);
    if (gate === 'skip') return null;
    const batch = parseBatchBytes(bytes, readableBytes(bytes.length));
    const outcome =
      gate === 'refuse' ? REFUSED : replayBatch(entry, batch, { watched: this.watched, view });
    for (const { stream, key, valueOffset, valueBytes } of outcome.change?.writes ?? []) {
      const value = new Uint8Array(valueBytes); // zeros of the last sector count
      value.set(bytes.subarray(valueOffset, valueOffset + valueBytes));
      listOf(this.rows, stream, toHex(key)).push({ version: sequence, value });
    }
    for (const { stream, slot, op } of outcome.change?.roles ?? []) {
      listOf(this.roles, stream, slotName(stream, slot)).push({ version: sequence, op, slot });
    }
    this.results.set(sequence, outcome.result);
    return outcome.result;
  }

  /** Takes everything back from a sequence on. */
  rollback(from: number): void {
    for (const tables of [this.rows, this.roles] as Map<
      StreamId,
      Map<string, { version: number }[]>
    >[]) {
      for (const [stream, lists] of tables) {
        for (const [name, list] of lists) {
          while ((list.at(-1)?.version ?? -1) >= from) list.pop();
          if (list.length === 0) lists.delete(name);
        }
        if (lists.size === 0) tables.delete(stream);
      }
    }
    for (const sequence of [...this.results.keys()])
      if (sequence >= from) this.results.delete(sequence);
  }

  /** The state at a version, as access rules see it. */
  at(version: number): ReplayView {
    const newest = <Item extends { version: number }>(list: readonly Item[] | undefined) =>
      list?.findLast((item) => item.version <= version);
    const rolesOf = (stream: StreamId) => [...(this.roles.get(stream)?.values() ?? [])];
    return {
      latestVersion: ({ stream, key }) =>
        newest(this.rows.get(stream)?.get(toHex(key)))?.version ?? 0,
      isNew: (stream) => rolesOf(stream).every((list) => newest(list) === undefined),
      roleOf: (stream, slot) => newest(this.roles.get(stream)?.get(slotName(stream, slot)))?.op,
      writesAnyKey: (stream, account) =>
        rolesOf(stream).some((list) => {
          const role = newest(list);
          return (
            role?.slot.kind === ROLE.specialWriter &&
            role.slot.account === account &&
            isGrant(role.op)
          );
        }),
    };
  }

  get(stream: StreamId, key: Uint8Array, version = Number.POSITIVE_INFINITY): ModelRow | undefined {
    return this.rows
      .get(stream)
      ?.get(toHex(key))
      ?.findLast((row) => row.version <= version);
  }

  /** Keys that are there at a version, in order. */
  keys(stream: StreamId, version = Number.POSITIVE_INFINITY): Uint8Array[] {
    return [...(this.rows.get(stream)?.keys() ?? [])]
      .map((key) => fromHex(key))
      .filter((key) => (this.get(stream, key, version)?.value.length ?? 0) > 0)
      .sort(compareBytes);
  }
}

function listOf<Item>(
  tables: Map<StreamId, Map<string, Item[]>>,
  stream: StreamId,
  name: string,
): Item[] {
  const lists = tables.get(stream) ?? new Map<string, Item[]>();
  tables.set(stream, lists);
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

export const ALICE: Address = parseAddress(`0x${'a1'.repeat(20)}`);
export const BOB: Address = parseAddress(`0x${'b2'.repeat(20)}`);
export const CAROL: Address = parseAddress(`0x${'c3'.repeat(20)}`);

/** A stream whose id is a small number. */
export function streamNumber(number: number): StreamId {
  return parseStreamId(`0x${number.toString(16).padStart(64, '0')}`);
}
