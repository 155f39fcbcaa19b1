import {
  type Address,
  addressOf,
  type ChainId,
  chainIdOf,
  fromHex,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import { parseShardConfig, type ShardConfig } from '../shard.ts';
import { readWireNumber } from '../wire-fields.ts';

/** Which log a peer keeps. */
export interface PeerLog {
  readonly chainId: ChainId;
  /** The log contract. */
  readonly flow: Address;
}

/** Bytes of a log: chain id u64, address 20. */
export const LOG_BYTES = 28;
/** Bytes of a shard: id u32, binary logarithm of the count u8. */
export const SHARD_BYTES = 5;

export function writeLog(target: Uint8Array, at: number, { chainId, flow }: PeerLog): void {
  writeSafeU64(viewOf(target), at, chainId);
  target.set(fromHex(flow), at + 8);
}

/** @throws {WireError} WIRE_FIELD */
export function readLog(bytes: Uint8Array, at: number, what: string): PeerLog {
  const chainId = readWireNumber(viewOf(bytes), at, what, 'chainId');
  if (chainId < 1) refuseField(what, 'chainId', 'an integer from 1', chainId);
  return {
    chainId: chainIdOf(chainId),
    flow: addressOf(bytes.subarray(at + 8, at + 28)),
  };
}

export function writeShard(target: Uint8Array, at: number, { id, count }: ShardConfig): void {
  const view = viewOf(target);
  view.setUint32(at, id);
  view.setUint8(at + 4, Math.log2(count));
}

/** @throws {WireError} SHARD_INVALID */
export function readShard(bytes: Uint8Array, at: number): ShardConfig {
  const view = viewOf(bytes);
  return parseShardConfig(view.getUint32(at), 2 ** view.getUint8(at + 4));
}
