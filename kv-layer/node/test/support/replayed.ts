import { loadHasher } from '@cairn/commitments';
import {
  BatchBuilder,
  encodeTags,
  memoryBatchSource,
  parseStreamId,
  type StreamId,
  StreamState,
} from '@cairn/kv-layer';
import {
  type Address,
  chainIdOf,
  memoryFileStore,
  memoryKeyValueStore,
  parseAddress,
  sequenceOf,
} from '@cairn/primitives';

/** The account of the vectors' owner. */
export const ALICE: Address = parseAddress(`0x${'a1'.repeat(20)}`);

/** A stream of a small number, as the vectors have. */
export function streamNumber(number: number): StreamId {
  return parseStreamId(`0x${number.toString(16).padStart(64, '0')}`);
}

/** What one entry writes. */
export interface Written {
  readonly sequence: number;
  readonly fill: (batch: BatchBuilder) => void;
  readonly streams: readonly StreamId[];
  readonly sender?: Address;
}

/** A state in memory after entries of watched streams; entries between them are ordinary files. */
export async function replayed(
  streams: readonly StreamId[],
  entries: readonly Written[],
): Promise<StreamState> {
  const { signal } = new AbortController();
  const state = await StreamState.open(
    { kv: memoryKeyValueStore(), values: memoryFileStore(), hasher: await loadHasher() },
    { chainId: chainIdOf(1), flow: parseAddress(`0x${'22'.repeat(20)}`), streams },
    { signal },
  );
  const bySequence = new Map(entries.map((entry) => [entry.sequence, entry]));
  const last = Math.max(...bySequence.keys());
  for (let sequence = 0; sequence <= last; sequence += 1) {
    const entry = bySequence.get(sequence);
    const sender = entry?.sender ?? ALICE;
    const at = { sequence: sequenceOf(sequence), sender, timeSeconds: 1 };
    if (entry === undefined) {
      await state.apply([{ ...at, tags: new Uint8Array(0) }], { signal });
      continue;
    }
    const batch = new BatchBuilder();
    entry.fill(batch);
    const source = memoryBatchSource(batch.build().bytes);
    await state.apply([{ ...at, tags: encodeTags(entry.streams), source }], { signal });
  }
  return state;
}
