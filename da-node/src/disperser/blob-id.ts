import { createHash } from 'node:crypto';
import { type Root, rootOf } from '@cairn/primitives';

/** A blob's name: SHA-256 of its payload. */
export function blobIdOf(payload: Uint8Array): Root {
  return rootOf(createHash('sha256').update(payload).digest());
}
