import { bigEndianBytes, concatBytes, type Root, rootBytes, utf8Bytes } from '@cairn/primitives';

/**
 * Keys of a disperser's index. The directory names its chain; numbers are big-endian, so that keys
 * sort like them.
 *
 * | key | value | meaning | since |
 * |---|---|---|---|
 * | `b` id 32 | JSON | a blob's record: stage, order, holders, certificate | layout 1 |
 * | `q` arrival u64 | id 32 | a blob that is not final, in the order of acceptance | layout 1 |
 * | `c` commitment 32 | id 32 | the blob of a commitment | layout 1 |
 * | `k` keccak 32 | id 32 | the blob of a payload's keccak-256, for rollups that name it so | layout 1 |
 * | `j` id 32 | keccak 32 | that name of a blob, to go with it | layout 1 |
 * | `x` expiry u64, id 32 | empty | when a record goes | layout 1 |
 * | `v` root 32 | JSON | a batch that its quorum signed | layout 1 |
 * | `u` name 32 | JSON | a call that orders blobs on chain, from before it is made | layout 1 |
 * | `s` epoch u64 | u32 | the first slot of the epoch that no promise has | layout 1 |
 * | `w` id 32 | empty | a blob that is to be written to the log and is not yet | layout 1 |
 * | `f` id 32 | JSON | where in the log a blob is; stays when its record's time is over | layout 1 |
 * | `a` account text | JSON | what an API key has posted in which period | layout 1 |
 */
export const KEYS = {
  blob: (id: Root): Uint8Array => keyOf('b', rootBytes(id)),
  queued: (arrival: number): Uint8Array => keyOf('q', bigEndianBytes(arrival, 8)),
  commitment: (commitment: Uint8Array): Uint8Array => keyOf('c', commitment),
  keccak: (hash: Uint8Array): Uint8Array => keyOf('k', hash),
  keccakOf: (id: Root): Uint8Array => keyOf('j', rootBytes(id)),
  expiry: (seconds: number, id: Root): Uint8Array =>
    keyOf('x', bigEndianBytes(seconds, 8), rootBytes(id)),
  batch: (root: Uint8Array): Uint8Array => keyOf('v', root),
  submission: (name: Uint8Array): Uint8Array => keyOf('u', name),
  slots: (epoch: number): Uint8Array => keyOf('s', bigEndianBytes(epoch, 8)),
  archiveWanted: (id: Root): Uint8Array => keyOf('w', rootBytes(id)),
  archived: (id: Root): Uint8Array => keyOf('f', rootBytes(id)),
  account: (name: string): Uint8Array => keyOf('a', utf8Bytes(name)),
};

/** All keys of one letter. */
export function rangeOf(letter: 'q' | 'x' | 'w'): {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
} {
  const first = letter.charCodeAt(0);
  return { gte: Uint8Array.of(first), lt: Uint8Array.of(first + 1) };
}

function keyOf(letter: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(utf8Bytes(letter), ...parts);
}
