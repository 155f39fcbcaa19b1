import { crc32 } from 'node:zlib';
import { bigEndianBytes, concatBytes, equalBytes, isZeroBytes, viewOf } from '@cairn/primitives';

/** One thing that was signed for: the slot can be signed for again with the same leaf only. */
export interface ProtectedSlot {
  /** From `slotOf`: 29 … 255 bytes. */
  readonly slot: Uint8Array;
  /** 32 bytes. */
  readonly leaf: Uint8Array;
  /** Epoch of the statement, after which it can be forgotten. */
  readonly epoch: number;
}

/** What the file begins with. */
export interface ProtectionHead {
  /** Hash of the key that signs: 32 bytes. */
  readonly identity: Uint8Array;
  /** Nothing is signed for epochs below. */
  readonly floorEpoch: number;
}

/** Bytes of the head. */
export const PROTECTION_HEAD_BYTES: number = 4 + 4 + 32 + 8 + 4;
/** Checksum that the first frame is chained to. */
export const FIRST_CHAIN = 0;

const MAGIC = 0x4350524c; // "CPRL"
const VERSION = 1;
const FRAME_HEAD_BYTES = 12;
const FRAME_TAIL_BYTES = 5;
/** A frame's last byte: where there is a zero, the end was never written. */
const FRAME_END = 0xa5;
/** Payload of a frame at most: a batch of 1,024 blobs has a tenth of it. */
const MAX_FRAME_BYTES: number = 1024 ** 2;
/** The least that a disk writes at once. */
const DISK_SECTOR_BYTES = 512;

/** "CPRL", version u8 = 1, three zero bytes, identity 32, floor u64, CRC-32 of all that. */
export function encodeProtectionHead({ identity, floorEpoch }: ProtectionHead): Uint8Array {
  const start = [bigEndianBytes(MAGIC, 4), Uint8Array.of(VERSION, 0, 0, 0)];
  const head = concatBytes(...start, identity, bigEndianBytes(floorEpoch, 8));
  return concatBytes(head, bigEndianBytes(crc32(head), 4));
}

/** The head; `undefined` if the bytes begin with none. */
export function parseProtectionHead(bytes: Uint8Array): ProtectionHead | undefined {
  if (bytes.length < PROTECTION_HEAD_BYTES) return undefined;
  const view = viewOf(bytes);
  const identity = bytes.slice(8, 40);
  const floorEpoch = Number(view.getBigUint64(40));
  const head = { identity, floorEpoch };
  if (!Number.isSafeInteger(floorEpoch)) return undefined;
  const expected = encodeProtectionHead(head);
  return equalBytes(bytes.subarray(0, PROTECTION_HEAD_BYTES), expected) ? head : undefined;
}

/**
 * Slots that become durable together, big-endian: payload length u32, frame number u32, CRC-32 of
 * these chained to the frame before; for each slot its length u8, slot, leaf 32, epoch u64; CRC-32 of
 * that, chained to the first; a byte a5.
 *
 * @param chain - what the frame before ends with
 */
export function encodeFrame(
  slots: readonly ProtectedSlot[],
  { number, chain }: { readonly number: number; readonly chain: number },
): { readonly bytes: Uint8Array; readonly chain: number } {
  const payload = concatBytes(
    ...slots.flatMap(({ slot, leaf, epoch }) => [
      Uint8Array.of(slot.length),
      slot,
      leaf,
      bigEndianBytes(epoch, 8),
    ]),
  );
  if (payload.length > MAX_FRAME_BYTES) {
    throw new RangeError(`a frame has at most ${MAX_FRAME_BYTES} bytes, not ${payload.length}`);
  }
  const head = concatBytes(bigEndianBytes(payload.length, 4), bigEndianBytes(number, 4));
  const headCheck = crc32(head, chain);
  const check = crc32(payload, headCheck);
  const checks = [
    bigEndianBytes(headCheck, 4),
    payload,
    bigEndianBytes(check, 4),
    Uint8Array.of(FRAME_END),
  ];
  return { bytes: concatBytes(head, ...checks), chain: check };
}

/** What is at one place of the file. */
export type FrameReading =
  | {
      readonly kind: 'frame';
      readonly slots: readonly ProtectedSlot[];
      readonly chain: number;
      readonly end: number;
    }
  /** Nothing more was written, or a write that a crash cut off before anyone relied on it. */
  | { readonly kind: 'end'; readonly isTorn: boolean }
  /** Bytes that no crash leaves behind. */
  | { readonly kind: 'damaged' };

/**
 * The frame at `at`. A frame is written once the one before is durable, so only the last can be cut
 * off: it is short, or was never written where the file is already that long. Anything else that
 * fails its checksum was acknowledged once, and dropping it could mean signing twice.
 */
export function readFrame(
  bytes: Uint8Array,
  at: number,
  { number, chain }: { readonly number: number; readonly chain: number },
): FrameReading {
  const rest = bytes.subarray(at);
  if (rest.length === 0) return { kind: 'end', isTorn: false };
  // No frame ends in a run of zeros: where there is nothing but them, its write never arrived.
  if (isZeroBytes(rest.subarray(FRAME_HEAD_BYTES))) return { kind: 'end', isTorn: true };
  const view = viewOf(rest);
  const headCheck = crc32(rest.subarray(0, 8), chain);
  if (view.getUint32(8) !== headCheck || view.getUint32(4) !== number) return { kind: 'damaged' };
  const payloadBytes = view.getUint32(0);
  if (payloadBytes > MAX_FRAME_BYTES) return { kind: 'damaged' };
  const tailAt = FRAME_HEAD_BYTES + payloadBytes;
  const length = tailAt + FRAME_TAIL_BYTES;
  if (rest.length < length) return { kind: 'end', isTorn: true };
  const payload = rest.subarray(FRAME_HEAD_BYTES, tailAt);
  const check = crc32(payload, headCheck);
  if (view.getUint32(tailAt) !== check || view.getUint8(tailAt + 4) !== FRAME_END) {
    const isTorn = rest.length === length && isPartlyUnwritten(bytes, at + FRAME_HEAD_BYTES);
    return isTorn ? { kind: 'end', isTorn } : { kind: 'damaged' };
  }
  const slots = parseSlots(payload);
  if (slots === undefined) return { kind: 'damaged' };
  return { kind: 'frame', slots, chain: check, end: at + length };
}

/** Whether the last byte, or a whole sector of the disk from `from` on, was never written: zeros. */
function isPartlyUnwritten(bytes: Uint8Array, from: number): boolean {
  if (bytes.at(-1) === 0) return true;
  const first = Math.ceil(from / DISK_SECTOR_BYTES) * DISK_SECTOR_BYTES;
  for (let at = first; at + DISK_SECTOR_BYTES <= bytes.length; at += DISK_SECTOR_BYTES) {
    if (isZeroBytes(bytes.subarray(at, at + DISK_SECTOR_BYTES))) return true;
  }
  return false;
}

function parseSlots(payload: Uint8Array): ProtectedSlot[] | undefined {
  const slots: ProtectedSlot[] = [];
  for (let at = 0; at < payload.length; ) {
    const leafAt = at + 1 + (payload[at] ?? 0);
    const end = leafAt + 32 + 8;
    if (end > payload.length) return undefined;
    slots.push({
      slot: payload.slice(at + 1, leafAt),
      leaf: payload.slice(leafAt, leafAt + 32),
      epoch: Number(viewOf(payload).getBigUint64(leafAt + 32)),
    });
    at = end;
  }
  return slots;
}
