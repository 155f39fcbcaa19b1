import { daEntranceSlots, sortitionSlots } from '@cairn/contracts';
import { equalBytes, isZeroBytes, toHex, viewOf } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';
import { type ProvenBlock, readProvenWords } from '../proof/proven-state.ts';
import { storageSlot } from '../proof/slots.ts';
import type { ConfirmedBatch } from './entrance-facts.ts';
import type { Entrance } from './open-entrance.ts';
import type { Hub } from './open-hub.ts';

/** Bits of one word of void leaves. */
const WORD_BITS = 256;

/**
 * Hash of the newest epoch header that was sealed as of a block, 32 bytes; zero before the first. By
 * the hash that each header has of the one before, it proves all of them.
 *
 * @throws {ChainError} CHAIN_BAD_PROOF and what the client throws
 */
export async function readProvenHeaderHash(
  { client, sortition: { address } }: Pick<Hub, 'client' | 'sortition'>,
  block: ProvenBlock,
  options: CallOptions,
): Promise<Uint8Array> {
  const slots = [storageSlot(sortitionSlots.headerHash)];
  const [word] = await readProvenWords(client, { block, address, slots }, options);
  return word ?? new Uint8Array(32);
}

/**
 * Hash of the snapshot that holds office for a quorum of an epoch, as of a block, 32 bytes; zero where
 * there is none.
 *
 * @throws {ChainError} CHAIN_BAD_PROOF and what the client throws
 */
export async function readProvenSnapshotHash(
  { client, sortition: { address } }: Pick<Hub, 'client' | 'sortition'>,
  { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
  block: ProvenBlock,
  options: CallOptions,
): Promise<Uint8Array> {
  const slots = [storageSlot(sortitionSlots.snapshotHashes, epoch, quorumId)];
  const [word] = await readProvenWords(client, { block, address, slots }, options);
  return word ?? new Uint8Array(32);
}

/** A confirmed batch, and whether one of its leaves counts. */
export interface ProvenBatch extends ConfirmedBatch {
  /** Whether the leaf that was asked about counts for nothing. */
  readonly isVoid: boolean;
}

/**
 * What the entrance holds of a batch as of a block.
 *
 * @param leaf - the batch's root, 32 bytes, and the leaf that is asked about
 * @returns `undefined` where it is proven that the batch is not confirmed
 * @throws {ChainError} CHAIN_BAD_PROOF and what the client throws
 */
export async function readProvenBatch(
  { client, contract: { address } }: Pick<Entrance, 'client' | 'contract'>,
  { root, leafIndex }: { readonly root: Uint8Array; readonly leafIndex: number },
  block: ProvenBlock,
  options: CallOptions,
): Promise<ProvenBatch | undefined> {
  const slots = [
    storageSlot(daEntranceSlots.batches, root),
    storageSlot(daEntranceSlots.voids, root, Math.floor(leafIndex / WORD_BITS)),
  ];
  const [packed, voids] = await readProvenWords(client, { block, address, slots }, options);
  if (packed === undefined || voids === undefined || isZeroBytes(packed)) return undefined;
  // From the lowest bits: epoch u32, quorum u32, count u32, time u64. Times of blocks fit 32 bits.
  const view = viewOf(packed);
  const bit = leafIndex % WORD_BITS;
  const byte = voids[voids.length - 1 - Math.floor(bit / 8)] ?? 0;
  return {
    epoch: view.getUint32(28),
    quorumId: view.getUint32(24),
    count: view.getUint32(20),
    timeSeconds: view.getUint32(16),
    isVoid: ((byte >> (bit % 8)) & 1) === 1,
  };
}

/** @throws {ChainError} CHAIN_BAD_PROOF unless what was brought has the hash that the chain holds */
export function requireProvenHash(what: string, proven: Uint8Array, brought: Uint8Array): void {
  if (equalBytes(proven, brought)) return;
  throw new ChainError(
    { code: 'CHAIN_BAD_PROOF', what, reason: 'another hash' },
    `the ${what} has the hash ${toHex(brought)}, and the chain holds ${toHex(proven)}`,
  );
}
