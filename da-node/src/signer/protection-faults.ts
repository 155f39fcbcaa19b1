import { describeError, toHex, viewOf } from '@cairn/primitives';
import { SignerError } from '../errors.ts';

/** Another leaf was signed for in the slot. */
export function signedBefore(slot: Uint8Array, signed: Uint8Array, asked: Uint8Array): SignerError {
  return new SignerError(
    { code: 'SLOT_SIGNED', slot: toHex(slot), signed: toHex(signed), asked: toHex(asked) },
    `another body was signed for in this place: leaf ${toHex(signed)}, not ${toHex(asked)}`,
  );
}

/** A number in a stream of checkpoints that was passed. */
export function streamSigned(slot: Uint8Array, number: number, newest: number): SignerError {
  const shardId = viewOf(slot).getUint32(slot.length - 12);
  return new SignerError(
    { code: 'STREAM_SIGNED', shardId, number, newest },
    `checkpoint ${newest} of shard ${shardId} was signed for, and what was signed for ${number} is not known any more`,
  );
}

/** An epoch whose slots are forgotten. */
export function closed(epoch: number, floorEpoch: number): SignerError {
  return new SignerError(
    { code: 'PROTECTION_CLOSED', epoch, floorEpoch },
    `nothing is signed for epoch ${epoch}: what was signed before epoch ${floorEpoch} is forgotten`,
  );
}

/** As many slots as may be. */
export function full(slots: number, maxSlots: number): SignerError {
  return new SignerError(
    { code: 'PROTECTION_FULL', slots, maxSlots },
    `the signer remembers ${slots} signed blobs of at most ${maxSlots}`,
  );
}

/** Bytes that no crash leaves behind. */
export function damaged(file: string, atByte: number): SignerError {
  return new SignerError(
    { code: 'SIGNER_DAMAGED', file, atByte },
    `${file} is damaged at byte ${atByte}: what this key has signed is not known; restore the file, ` +
      'or take the key out of service until its epochs are over',
  );
}

/** A log that was there before. */
export function missing(file: string): SignerError {
  return new SignerError(
    { code: 'PROTECTION_MISSING', file },
    `${file} is gone: what this key has signed is not known; restore the file, ` +
      'or take the key out of service until its epochs are over',
  );
}

/** Another key's log. */
export function foreign(file: string): SignerError {
  return new SignerError(
    { code: 'PROTECTION_FOREIGN', file },
    `${file} remembers what another key has signed`,
  );
}

/** A log whose file is in a state that nobody knows. */
export function broken(reason: unknown): SignerError {
  return new SignerError(
    { code: 'PROTECTION_BROKEN' },
    `nothing is signed until the signer starts again: ${describeError(reason)}`,
    { cause: reason },
  );
}
