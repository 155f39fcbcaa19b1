/**
 * A small erasure code for files: a few shards of data, a few of parity, any of which may be lost.
 * Its own entry, `@cairn/erasure-codec/striped`: for Node, because the package under it reads its
 * WebAssembly from a file.
 */
import { Fault } from '@cairn/primitives';
import { ReedSolomonErasure } from 'reed-solomon-erasure.wasm';

/** Data and parity shards together: one for each element of GF(2^8) but zero. */
export const MAX_STRIPED_SHARDS = 255;

/** Why shards cannot be encoded or reconstructed. */
export type StripedFault =
  /** There has to be at least one of each. */
  | {
      readonly code: 'STRIPED_NO_SHARDS';
      readonly dataShards: number;
      readonly parityShards: number;
    }
  | {
      readonly code: 'STRIPED_TOO_MANY_SHARDS';
      readonly shards: number;
      readonly maxShards: number;
    }
  | {
      readonly code: 'STRIPED_SHARD_LENGTH';
      readonly index: number;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  | { readonly code: 'STRIPED_TOO_FEW_SHARDS'; readonly have: number; readonly need: number };

/** A fault of the striped codec. */
export class StripedError extends Fault<StripedFault> {}

/**
 * A systematic Reed–Solomon code over GF(2^8), byte by byte: any `dataShards` shards give all
 * others. It notices no wrong shard; whoever may be given one checks its hash first.
 *
 * Neither shards given nor the lists of them are changed. The work is done on the caller's thread,
 * 16 MiB of shards at a time, others getting their turn between: 15 MB of data a second for hundreds
 * of shards, 60 for tens, 200 for a few.
 */
export interface StripedCodec {
  /**
   * The parity shards of data shards.
   *
   * @param data - of one length, 0 bytes and more
   * @throws {StripedError} STRIPED_NO_SHARDS, STRIPED_TOO_MANY_SHARDS, STRIPED_SHARD_LENGTH; the
   *   signal's reason
   */
  encode(
    data: readonly Uint8Array[],
    parityShards: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array[]>;
  /**
   * All shards, data first, of those that are there: the same objects, and new ones for those
   * that are missing.
   *
   * @param shards - data first, `undefined` for one that is missing
   * @throws {StripedError} as `encode`; STRIPED_TOO_FEW_SHARDS
   */
  reconstruct(
    shards: readonly (Uint8Array | undefined)[],
    dataShards: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array[]>;
}

/** Bytes of all shards that are worked on at a time. */
const PIECE_BYTES = 2 ** 24;

/**
 * The striped codec, in WebAssembly. Each piece of work has an instance of its own, which costs a
 * millisecond: one that serves several calls corrupts its memory, and gives wrong shards or traps.
 *
 * @throws the platform's error if the WebAssembly cannot be read or compiled
 */
export async function loadStripedCodec(): Promise<StripedCodec> {
  await ReedSolomonErasure.fromCurrentDirectory(); // fails now, not at the first call
  return { encode, reconstruct };
}

async function encode(
  data: readonly Uint8Array[],
  parityShards: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array[]> {
  const shape = shapeOf(data, data.length, parityShards);
  const parity = Array.from({ length: parityShards }, () => new Uint8Array(shape.shardBytes));
  await eachPiece(shape, signal, (kernel, from, to) => {
    const whole = joined(data, data.length + parityShards, from, to);
    expectDone(kernel.encode(whole, data.length, parityShards));
    takeOut(whole, data.length, parity, from, to);
  });
  return parity;
}

async function reconstruct(
  shards: readonly (Uint8Array | undefined)[],
  dataShards: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array[]> {
  const shape = shapeOf(shards, dataShards, shards.length - dataShards);
  const there = shards.map((shard) => shard !== undefined);
  const have = there.filter(Boolean).length;
  if (have < dataShards) {
    throw new StripedError(
      { code: 'STRIPED_TOO_FEW_SHARDS', have, need: dataShards },
      `reconstructing needs ${dataShards} shards, ${have} are there`,
    );
  }
  const data = shards
    .slice(0, dataShards)
    .map((shard) => shard ?? new Uint8Array(shape.shardBytes));
  if (there.slice(0, dataShards).includes(false)) {
    const made = data.map((shard, index) => (there[index] === true ? undefined : shard));
    await eachPiece(shape, signal, (kernel, from, to) => {
      const whole = joined(shards, shards.length, from, to);
      expectDone(kernel.reconstruct(whole, dataShards, shards.length - dataShards, there));
      takeOut(whole, 0, made, from, to);
    });
  }
  if (!there.includes(false, dataShards))
    return [...data, ...shards.slice(dataShards)] as Uint8Array[];
  const parity = await encode(data, shards.length - dataShards, { signal });
  return [...data, ...parity.map((made, index) => shards[dataShards + index] ?? made)];
}

interface StripedShape {
  readonly shards: number;
  readonly shardBytes: number;
}

/** @throws {StripedError} unless such shards can be of one code */
function shapeOf(
  shards: readonly (Uint8Array | undefined)[],
  dataShards: number,
  parityShards: number,
): StripedShape {
  if (![dataShards, parityShards].every((count) => Number.isInteger(count) && count >= 1)) {
    throw new StripedError(
      { code: 'STRIPED_NO_SHARDS', dataShards, parityShards },
      `${dataShards} data and ${parityShards} parity shards: there has to be at least one of each`,
    );
  }
  const count = dataShards + parityShards;
  if (count > MAX_STRIPED_SHARDS) {
    throw new StripedError(
      { code: 'STRIPED_TOO_MANY_SHARDS', shards: count, maxShards: MAX_STRIPED_SHARDS },
      `${count} shards are more than the ${MAX_STRIPED_SHARDS} that a code can have`,
    );
  }
  const expectedBytes = shards.find((shard) => shard !== undefined)?.length ?? 0;
  for (const [index, shard] of shards.entries()) {
    if (shard === undefined || shard.length === expectedBytes) continue;
    throw new StripedError(
      { code: 'STRIPED_SHARD_LENGTH', index, expectedBytes, actualBytes: shard.length },
      `shard ${index} has ${shard.length} bytes, another ${expectedBytes}`,
    );
  }
  return { shards: count, shardBytes: expectedBytes };
}

async function eachPiece(
  { shards, shardBytes }: StripedShape,
  signal: AbortSignal,
  work: (kernel: ReedSolomonErasure, from: number, to: number) => void,
): Promise<void> {
  signal.throwIfAborted();
  const step = Math.floor(PIECE_BYTES / shards);
  for (let from = 0; from < shardBytes; from += step) {
    const kernel = await ReedSolomonErasure.fromCurrentDirectory();
    signal.throwIfAborted();
    work(kernel, from, Math.min(from + step, shardBytes));
  }
}

/** Bytes `from` … `to` of `count` shards, one after another; zeros for those that are not there. */
function joined(
  shards: readonly (Uint8Array | undefined)[],
  count: number,
  from: number,
  to: number,
): Uint8Array {
  const whole = new Uint8Array(count * (to - from));
  for (const [index, shard] of shards.entries()) {
    if (shard !== undefined) whole.set(shard.subarray(from, to), index * (to - from));
  }
  return whole;
}

/** Writes bytes `from` … `to` of shards, out of a piece in which they begin with number `first`. */
function takeOut(
  whole: Uint8Array,
  first: number,
  shards: readonly (Uint8Array | undefined)[],
  from: number,
  to: number,
): void {
  for (const [index, shard] of shards.entries()) {
    const at = (first + index) * (to - from);
    shard?.set(whole.subarray(at, at + to - from), from);
  }
}

/** The package's results are numbers; what they tell is checked before. */
function expectDone(result: number): void {
  if (result === ReedSolomonErasure.RESULT_OK) return;
  throw new Error(`the striped code's kernel refused with ${result} what it has to take`);
}
