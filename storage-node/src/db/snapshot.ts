import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { isCopiedKey, isCopySound, storedPieces } from '@cairn/log-layer';
import {
  bigEndianBytes,
  concatBytes,
  type Json,
  stringifyJson,
  utf8Bytes,
} from '@cairn/primitives';
import { formatShard } from '@cairn/wire-protocol';
import { StorageNodeError } from '../errors.ts';
import { isSealedKey } from '../mining/sealed-store.ts';
import { VERSION } from '../version.ts';
import type { OfflineStores } from './open-offline.ts';
import { encodeFrame, FRAME, SNAPSHOT_MAGIC } from './snapshot-frames.ts';

/** What a snapshot holds. */
export interface SnapshotTotals {
  /** Entries of the index, records of segments not among them. */
  readonly entries: number;
  readonly pieces: number;
  readonly pieceBytes: number;
  /** Of everything before the last frame, as hex. */
  readonly sha256: string;
}

/** Entries of the index are gathered into frames of about this. */
const FRAME_BYTES = 262_144;
/** Layout of data directories that this build writes. */
const LAYOUT = 1;

/**
 * Writes everything a data directory holds as one stream with checksums: the same bytes for the same
 * content. Each segment is proven again on the way, so that a snapshot never holds rot.
 *
 * @param write - takes the next bytes; resolves when it wants more
 * @throws {StorageNodeError} DB_DAMAGED at the first segment that is not sound; what `write` throws
 */
export async function writeSnapshot(
  { log, kv, files, keeper, hasher }: OfflineStores,
  write: (bytes: Uint8Array) => Promise<void>,
  { signal }: { readonly signal: AbortSignal },
): Promise<SnapshotTotals> {
  const hash = createHash('sha256');
  const put = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes);
    await write(bytes);
  };
  const json = (value: Json): Uint8Array => utf8Bytes(stringifyJson(value));
  await put(SNAPSHOT_MAGIC);
  const head = {
    layout: LAYOUT,
    chainId: log.chainId,
    flow: log.flow,
    shard: formatShard(keeper.current),
    version: VERSION,
  };
  await put(encodeFrame(FRAME.head, json(head)));
  let [entries, pieces, pieceBytes] = [0, 0, 0];
  let [parts, length]: [Uint8Array[], number] = [[], 0];
  for await (const [key, value] of kv.entries({}, { signal })) {
    if (!isCopiedKey(key) || isSealedKey(key)) continue; // sealed copies are made anew from plain ones
    const part = concatBytes(
      bigEndianBytes(key.length, 4),
      bigEndianBytes(value.length, 4),
      key,
      value,
    );
    parts.push(part);
    length += part.length;
    entries += 1;
    if (length < FRAME_BYTES) continue;
    await put(encodeFrame(FRAME.entries, ...parts));
    [parts, length] = [[], 0];
  }
  if (parts.length > 0) await put(encodeFrame(FRAME.entries, ...parts));
  const checksum = (bytes: Uint8Array): number => crc32(bytes);
  for await (const piece of storedPieces(kv, { checksum, signal })) {
    const data = await files.read(piece.offset, piece.sizeBytes);
    if (!isCopySound(piece, data, { checksum, hasher })) refuseDamaged(piece.sector);
    const { sector, record } = piece;
    const fixed = concatBytes(bigEndianBytes(sector, 8), bigEndianBytes(record.length, 4));
    await put(encodeFrame(FRAME.piece, fixed, record, data));
    pieces += 1;
    pieceBytes += data.length;
  }
  const totals = { entries, pieces, pieceBytes, sha256: hash.digest('hex') };
  await write(encodeFrame(FRAME.end, json(totals)));
  return totals;
}

function refuseDamaged(sector: number): never {
  throw new StorageNodeError(
    { code: 'DB_DAMAGED', sector },
    `the segment at sector ${sector} is damaged and would be in the copy; run \`cairn db scrub\` and \`cairn db repair\` first`,
  );
}
