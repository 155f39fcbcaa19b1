import { type BlockMark, fromHex, isHexOf, isRecord } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';

/** What the first block of a period gives. */
export interface BlockEntropy {
  readonly block: BlockMark;
  /** Its prevRandao, 32 bytes: what `RandaoEntropy` proves. */
  readonly seed: Uint8Array;
  /** Unix seconds. */
  readonly timeSeconds: number;
}

/**
 * The entropy of a block.
 *
 * @returns `undefined` if the endpoint has no such block
 * @throws {ChainError} CHAIN_BAD_REPLY; what the client throws
 */
export async function readBlockEntropy(
  client: Pick<ChainClient, 'rpc'>,
  block: number,
  options: CallOptions,
): Promise<BlockEntropy | undefined> {
  const method = 'eth_getBlockByNumber';
  const reply = await client.rpc(method, [`0x${block.toString(16)}`, false], options);
  if (reply === null) return undefined;
  const { mixHash, hash, timestamp } = isRecord(reply) ? reply : {};
  const isTime = typeof timestamp === 'string' && /^0x[0-9a-f]{1,12}$/i.test(timestamp);
  if (isHexOf(mixHash, 32) && isHexOf(hash, 32) && isTime) {
    const seed = fromHex(mixHash);
    return { block: { number: block, hash }, seed, timeSeconds: Number(timestamp) };
  }
  throw new ChainError(
    { code: 'CHAIN_BAD_REPLY', method, reason: 'no mixHash, hash or timestamp' },
    `block ${block} came without its hash, its time or its prevRandao`,
  );
}
