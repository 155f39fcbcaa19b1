import type { Hasher } from '@cairn/commitments';
import {
  type Address,
  chainIdOf,
  type FileStore,
  type KeyValueStore,
  memoryFileStore,
  parseAddress,
  type Rng,
  sequenceOf,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { memoryBatchSource } from '../../src/batch/stream-batch.ts';
import type { ReplayInput } from '../../src/store/apply-group.ts';
import { StreamState } from '../../src/store/stream-state.ts';
import type { StreamId } from '../../src/stream-id.ts';
import { ALICE, BOB, CAROL, type ModelEntry, streamNumber } from './model.ts';

/** An entry with the time of its block. */
export interface HistoryEntry extends ModelEntry {
  readonly timeSeconds: number;
}

const SENDERS: readonly Address[] = [ALICE, BOB, CAROL];

/** Draws log entries: writes, deletions, roles, conflicts, foreign files, malformed batches. */
export function drawEntry(rng: Rng, sequence: number, streams: readonly StreamId[]): HistoryEntry {
  const stream = (): StreamId => streams[rng.below(streams.length)] ?? streamNumber(1);
  const key = (): Uint8Array =>
    utf8Bytes(
      ['k', 'key', 'key-', 'zz', '\u0000', 'a/b/'][rng.below(6)] +
        (rng.below(2) === 0 ? '' : String(rng.below(12))),
    );
  const value = (): Uint8Array => {
    const length = [0, 1, 40, 1024, 1025, 3000][rng.below(6)] ?? 0;
    return rng.fill(new Uint8Array(rng.below(60) === 0 ? 70_000 : length));
  };
  const account = (): Address => SENDERS[rng.below(3)] ?? ALICE;
  const sender = rng.below(3) === 0 ? account() : ALICE;
  const timeSeconds = 1_700_000_000 + sequence * 2 + rng.below(2);
  const about = { sequence, sender, timeSeconds };
  if (rng.below(8) === 0) return { ...about, tags: new Uint8Array(rng.below(3)), bytes: value() };
  const snapshot =
    rng.below(3) === 0 ? BigInt(Math.max(0, sequence - 1 - rng.below(20))) : undefined;
  const batch = new BatchBuilder(snapshot);
  const main = stream();
  const pick = (): StreamId => (rng.below(5) === 0 ? stream() : main);
  for (let count = rng.below(2); count > 0; count -= 1) batch.read(pick(), key());
  for (let count = rng.below(6); count > 0; count -= 1) batch.put(pick(), key(), value());
  for (let count = rng.below(4) === 0 ? 1 + rng.below(3) : 0; count > 0; count -= 1) {
    const [where, what, who] = [pick(), key(), account()];
    const verbs = [
      () => batch.grantAdmin(where, who),
      () => batch.grantWriter(where, who),
      () => batch.revokeWriter(where, who),
      () => batch.renounceWriter(where),
      () => batch.setKeyToSpecial(where, what),
      () => batch.setKeyToNormal(where, what),
      () => batch.grantSpecialWriter(where, what, who),
      () => batch.revokeSpecialWriter(where, what, who),
      () => batch.renounceSpecialWriter(where, what),
      () => (rng.below(6) === 0 ? batch.renounceAdmin(where) : batch),
    ];
    verbs[rng.below(verbs.length)]?.();
  }
  const { bytes, tags } = batch.tag(main).build();
  const isCut = rng.below(25) === 0;
  return { ...about, tags, bytes: isCut ? bytes.subarray(0, rng.below(bytes.length)) : bytes };
}

/** An entry as a state takes it. */
export function inputOf({ sequence, sender, tags, timeSeconds, bytes }: HistoryEntry): ReplayInput {
  return {
    sequence: sequenceOf(sequence),
    sender,
    tags,
    timeSeconds,
    source: memoryBatchSource(bytes),
  };
}

const FLOW = parseAddress(`0x${'f1'.repeat(20)}`);

/** A state over a store, as after a start. */
export function openState(
  deps: { readonly kv: KeyValueStore; readonly values?: FileStore; readonly hasher: Hasher },
  streams: readonly StreamId[],
  options: { readonly signal: AbortSignal; readonly generation?: number },
): Promise<StreamState> {
  const { values = memoryFileStore() } = deps;
  return StreamState.open(
    { ...deps, values },
    { chainId: chainIdOf(31_337), flow: FLOW, streams },
    options,
  );
}

/** The roots of all streams as text. */
export function rootsOf(state: StreamState): Record<string, string> {
  const roots: Record<string, string> = {};
  for (const stream of state.streams) {
    const root = state.currentRoot(stream);
    roots[stream.slice(-4)] =
      root === undefined ? '-' : `${toHex(root.stateRoot)} ${root.keyCount} ${root.roleCount}`;
  }
  return roots;
}
