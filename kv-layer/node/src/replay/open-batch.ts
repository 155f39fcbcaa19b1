import { decryptSource } from '@cairn/client-sdk';
import {
  type BatchSource,
  fileBatchSource,
  isRefusedByHead,
  parseBatch,
  parseTags,
  type StreamId,
} from '@cairn/kv-layer';
import { type FileSource, type LogEntry, memoryFileSource } from '@cairn/log-layer';
import { isFault } from '@cairn/primitives';

/** Keys of streams whose batches are encrypted, in the order in which they are tried. */
export type KeyRings = ReadonlyMap<StreamId, readonly Uint8Array[]>;

/** Bytes read before the rest of a large file: one segment. */
export const HEAD_BYTES = 262_144;
/** First bytes of encrypted files: 0G's versions 1 and 2, and Cairn's sealed format. */
const ENCRYPTED: ReadonlySet<number | undefined> = new Set([1, 2, 0xc3]);

/** The keys that may open an entry's file. */
export function keysFor({ tags }: Pick<LogEntry, 'tags'>, rings: KeyRings): readonly Uint8Array[] {
  const streams = rings.size === 0 ? [] : (parseTags(tags) ?? []);
  return streams.flatMap((stream) => rings.get(stream) ?? []);
}

/**
 * A batch of which the beginning shows that it cannot be read, whatever follows; `undefined` if it does not.
 *
 * @param head - the file's first bytes
 */
export function refusedBatch(head: Uint8Array, sizeBytes: number): BatchSource | undefined {
  if (!isRefusedByHead(head, sizeBytes)) return undefined;
  return fileBatchSource(sizeBytes, async (offset, length) => {
    const bytes = new Uint8Array(length);
    bytes.set(head.subarray(offset, offset + length));
    return bytes;
  });
}

/** Whether a file may be encrypted. */
export function isMaybeEncrypted(head: Uint8Array, keys: readonly Uint8Array[]): boolean {
  return keys.length > 0 && ENCRYPTED.has(head[0]);
}

/**
 * The batch in an encrypted file: the first that a key turns it into and that can be read; `undefined` if
 * none does, and the file's own bytes are to be judged, as every node without keys judges them.
 *
 * What is decrypted ends with the file: zeros of a last sector do not count, since on the wire they are none.
 */
export async function decryptedBatch(
  stored: FileSource,
  keys: readonly Uint8Array[],
  { signal }: { readonly signal: AbortSignal },
): Promise<BatchSource | undefined> {
  for (const key of keys) {
    const plain = await openWith(stored, key, signal);
    if (plain === undefined) continue;
    const { sizeBytes } = plain;
    const source: BatchSource = {
      sizeBytes,
      readableBytes: sizeBytes,
      read: (offset, length, options) => plain.read(offset, length, options),
    };
    try {
      const { fault } = await parseBatch(source, { signal });
      if (fault === undefined) return source;
    } catch (error) {
      if (!isFault(error, 'SDK_SEAL_BROKEN')) throw error;
    }
  }
  return undefined;
}

/** As `decryptedBatch`, of a file in memory. */
export function decryptedBytes(
  bytes: Uint8Array,
  keys: readonly Uint8Array[],
  options: { readonly signal: AbortSignal },
): Promise<BatchSource | undefined> {
  return decryptedBatch(memoryFileSource(bytes), keys, options);
}

/** The plain file, by a key that is known to both sides or the recipient's own. */
async function openWith(
  stored: FileSource,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<FileSource | undefined> {
  try {
    return await decryptSource(stored, { key, privateKey: key }, { signal });
  } catch (error) {
    const codes = ['SDK_NOT_ENCRYPTED', 'SDK_WRONG_KEY', 'SDK_KEY_FORM', 'SDK_SEAL_BROKEN'];
    if (codes.some((code) => isFault(error, code)) || isFault(error, 'KEY_INVALID'))
      return undefined;
    throw error;
  }
}
