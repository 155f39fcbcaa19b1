import { concatBytes, sequenceOf, viewOf, writeSafeU64 } from '@cairn/primitives';
import { streamIdBytes } from '../stream-id.ts';
import { DIGEST_PIECE_BYTES } from '../tree/digests.ts';
import { StateError } from './errors.ts';
import { TABLE, type Table } from './keyspace.ts';
import type { Row } from './row.ts';
import { MARK } from './snapshot-rows.ts';
import type { StreamState } from './stream-state.ts';

const FORMAT = 1;
/** What a snapshot begins with. */
export const MAGIC: Uint8Array = Uint8Array.of(0x63, 0x6b, 0x76, 0x73, FORMAT); // "ckvs"
/**
 * The newest state as bytes: every key and role with its newest row and value, and for each stream the
 * root it must have; no older versions and no results. Whoever takes it in computes the roots anew.
 *
 * Header: "ckvs", format u8, domain 32, version u64, chain time u64. Then 1, stream 32, sequence of its
 * root u64; 2, table u8, key length u32, version, value offset and length u64, key, value; 3 at the end.
 * The rows of a stream ascend by table and key, each key once.
 *
 * @throws {StateError} KV_ROLLED_BACK if entries are taken back meanwhile
 */
export async function* exportSnapshot(
  state: StreamState,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { branch, tables } = state;
  const version = state.nextSequence - 1;
  const assertSame = (): void => {
    if (branch === state.branch) return;
    throw new StateError(
      { code: 'KV_ROLLED_BACK', version },
      `the chain took entries back while a snapshot of version ${version} was made`,
    );
  };
  // The version may be −1, before the first entry: it is written as the sequence that comes next.
  yield concatBytes(MAGIC, state.domain, u64(version + 1), u64(state.timeSeconds));
  for (const stream of state.streams) {
    const root = await tables.rootAt(stream, version, signal);
    if (root === undefined) continue;
    yield concatBytes(Uint8Array.of(MARK.stream), streamIdBytes(stream), u64(root.sequence));
    for (const table of [TABLE.keys, TABLE.roles]) {
      for await (const [key, row] of tables.walk({ table, stream }, {}, { version, signal })) {
        if (row === undefined) continue;
        yield rowHead(table, key, row);
        if (row.inline !== undefined) yield row.inline;
        else yield* placedValue(state, row);
        assertSame();
      }
    }
  }
  assertSame();
  yield Uint8Array.of(MARK.end);
}

function rowHead(table: Table, key: Uint8Array, row: Row): Uint8Array {
  const bytes = new Uint8Array(30 + key.length);
  const view = viewOf(bytes);
  bytes[0] = MARK.row;
  bytes[1] = table;
  view.setUint32(2, key.length);
  writeSafeU64(view, 6, row.version);
  writeSafeU64(view, 14, row.valueOffset);
  writeSafeU64(view, 22, row.valueBytes);
  bytes.set(key, 30);
  return bytes;
}

async function* placedValue(
  state: StreamState,
  { position = 0, valueBytes }: Row,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < valueBytes; done += DIGEST_PIECE_BYTES) {
    yield await state.values.read(position + done, Math.min(DIGEST_PIECE_BYTES, valueBytes - done));
  }
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSafeU64(viewOf(bytes), 0, sequenceOf(value));
  return bytes;
}
