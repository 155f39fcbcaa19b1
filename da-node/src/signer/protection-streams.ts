import { checkpointNumberOf } from '@cairn/attestation';
import type { ProtectedSlot } from './protection-frames.ts';

/** How far each stream of checkpoints was signed: a shard's numbers at one contract that orders them. */
export class CheckpointStreams {
  readonly #newest = new Map<string, number>();

  constructor(slots: Iterable<Pick<ProtectedSlot, 'slot'>>) {
    for (const { slot } of slots) this.note(slot);
  }

  /** The newest number in the stream of a checkpoint's slot; 0 for none. */
  newestIn(slot: Uint8Array): number {
    return this.#newest.get(streamOf(slot)) ?? 0;
  }

  /** Takes a slot that was signed; one that is no checkpoint's changes nothing. */
  note(slot: Uint8Array): void {
    const number = checkpointNumberOf(slot);
    if (number !== undefined && number > this.newestIn(slot)) {
      this.#newest.set(streamOf(slot), number);
    }
  }

  /** Whether a slot is the newest of its stream. */
  isNewest(slot: Uint8Array): boolean {
    const number = checkpointNumberOf(slot);
    return number !== undefined && number === this.newestIn(slot);
  }
}

/** A checkpoint's slot without its number. */
function streamOf(slot: Uint8Array): string {
  const { buffer, byteOffset, length } = slot;
  return Buffer.from(buffer, byteOffset, Math.max(0, length - 8)).toString('latin1');
}
