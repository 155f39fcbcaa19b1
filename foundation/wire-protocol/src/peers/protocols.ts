import { KIB, MIB, type PeerProtocol } from '@cairn/primitives';

/** Peer records a message carries at most: what one look around is worth. */
export const MAX_RECORDS = 32;
/** Segments one question over libp2p asks for at most: with their proofs they fit into 1 MiB. */
export const MAX_ASKED_SEGMENTS = 3;

/** Tells one's own record and others; is told some in return. */
export const RECORDS_PROTOCOL: PeerProtocol = {
  id: '/cairn/storage/records/1',
  maxRequestBytes: 64 * KIB,
  maxReplyBytes: 64 * KIB,
};

/** Asks for segments of a file: where the holder has no HTTP address, or the asker cannot use it. */
export const SEGMENTS_PROTOCOL: PeerProtocol = {
  id: '/cairn/storage/segments/1',
  maxRequestBytes: KIB,
  maxReplyBytes: MIB,
};

/** Time a message of another clock may be ahead of this one's. */
export const MAX_CLOCK_DRIFT_MS = 10_000;
/** Age at which an announcement is no news: gossip crosses a network in seconds. */
export const MAX_ANNOUNCEMENT_AGE_MS = 300_000;
/** Age at which a record counts for nothing: it is signed anew every tenth of that. */
export const MAX_RECORD_AGE_MS = 3_600_000;
