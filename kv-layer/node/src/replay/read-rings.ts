import { KeyError, parsePrivateKey } from '@cairn/chain-access';
import type { StreamId } from '@cairn/kv-layer';
import { readSecretFile } from '@cairn/node-runtime/files';
import {
  bigEndianBytes,
  concatBytes,
  fromHex,
  type Hex,
  keccak256,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import type { KvNodeConfig } from '../config.ts';
import { KvNodeError } from '../errors.ts';
import type { KeyRings } from './open-batch.ts';

/**
 * The keys of streams, from files that only their owner may read: 32 bytes as hex each.
 *
 * @throws {StorageError} KEY_FILE_MISSING, KEY_FILE_PERMISSIONS; {KvNodeError} KV_CONFIG
 */
export async function readRings(decrypt: KvNodeConfig['decrypt']): Promise<KeyRings> {
  const rings = new Map<StreamId, readonly Uint8Array[]>();
  for (const { stream, keyFile } of decrypt) {
    const text = await readSecretFile(keyFile);
    try {
      rings.set(stream, [...(rings.get(stream) ?? []), parsePrivateKey(text)]);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new KvNodeError(
        { code: 'KV_CONFIG', field: 'decrypt.keys' },
        `${keyFile} holds no key: 64 hex digits are expected`,
      );
    }
  }
  return rings;
}

/**
 * 32 bytes over the keys, for the identity of a state: what encrypted batches come to depends on them.
 * Nothing of a key can be learnt from it.
 */
export function ringsDigest(rings: KeyRings): Hex | undefined {
  if (rings.size === 0) return undefined;
  const label = utf8Bytes('cairn key-value rings 1');
  const parts = [...rings]
    .toSorted(([one], [two]) => (one < two ? -1 : 1))
    .map(([stream, keys]) =>
      concatBytes(
        fromHex(stream),
        bigEndianBytes(keys.length, 4),
        ...keys.map((key) => keccak256(label, key)),
      ),
    );
  return toHex(keccak256(label, ...parts));
}
