import { concatBytes, fromHex, STREAM_DOMAIN, STREAM_ID_BYTES } from '@cairn/primitives';
import { type StreamId, streamIdBytes, streamIdOf } from './stream-id.ts';

const DOMAIN = fromHex(STREAM_DOMAIN);

/** Tags of a log entry that carries a batch: the domain and the ids, in the order given. */
export function encodeTags(streams: readonly StreamId[]): Uint8Array {
  return concatBytes(DOMAIN, ...streams.map(streamIdBytes));
}

/**
 * The streams that a log entry's tags name, each once, in order of first appearance.
 *
 * @returns `undefined` for an ordinary file: other tags, or the domain and no id
 */
export function parseTags(tags: Uint8Array): readonly StreamId[] | undefined {
  if (tags.length <= STREAM_ID_BYTES || tags.length % STREAM_ID_BYTES !== 0) return undefined;
  for (let at = 0; at < STREAM_ID_BYTES; at += 1) if (tags[at] !== DOMAIN[at]) return undefined;
  const streams = new Set<StreamId>();
  for (let at = STREAM_ID_BYTES; at < tags.length; at += STREAM_ID_BYTES) {
    streams.add(streamIdOf(tags.subarray(at, at + STREAM_ID_BYTES)));
  }
  return [...streams];
}
