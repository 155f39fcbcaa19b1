import { utf8Bytes } from '@cairn/primitives';

/**
 * Keys of this package in the index of a node, beside the journal of transactions (`tx/…`). The
 * disperser has an index of its own, see `disperser/keyspace.ts`.
 *
 * | key | value | meaning | since |
 * |---|---|---|---|
 * | `~account` | text | the account whose node this is | layout 1 |
 * | `~entrance` | text | the entrance that it serves | layout 1 |
 * | `~protected` | empty | the log of what was signed was made here: where it is missing, it is lost | layout 1 |
 */
export const NODE_KEYS: {
  readonly account: Uint8Array;
  readonly entrance: Uint8Array;
  readonly isProtected: Uint8Array;
} = {
  account: utf8Bytes('~account'),
  entrance: utf8Bytes('~entrance'),
  isProtected: utf8Bytes('~protected'),
};
