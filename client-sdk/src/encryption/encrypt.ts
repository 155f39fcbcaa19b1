import type { FileSource } from '@cairn/log-layer';
import { isPowerOfTwo } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import { joinSources } from '../sources.ts';
import { decryptionCipher, type EncryptionChance, encryptionCipher } from './ciphers.ts';
import { decryptingSource, encryptingSource } from './framed-sources.ts';
import {
  type EncryptionHeader,
  headerBytesOf,
  MAX_HEADER_BYTES,
  parseEncryptionHeader,
} from './headers.ts';
import type { Decryption, Encryption } from './keys.ts';

/**
 * `plain` as it will be stored. Reading it again, or a part of it, gives the same bytes.
 *
 * @throws {SdkError} SDK_KEY_FORM
 */
export async function encryptSource(
  plain: FileSource,
  encryption: Encryption,
  chance: EncryptionChance,
): Promise<FileSource> {
  const { header, cipher } = await encryptionCipher(encryption, chance);
  return encryptingSource(plain, header, cipher);
}

/**
 * A stored file as it was before encryption.
 *
 * The sealed formats prove every frame that is read and that the file ends where it should; 0G's
 * formats prove nothing, so there a wrong key gives noise.
 *
 * @throws {SdkError} SDK_NOT_ENCRYPTED, SDK_KEY_MISSING, SDK_WRONG_KEY, SDK_KEY_FORM,
 *   SDK_SEAL_BROKEN; what reading the source throws
 */
export async function decryptSource(
  stored: FileSource,
  decryption: Decryption,
  { signal }: { readonly signal: AbortSignal },
): Promise<FileSource> {
  const first = await readFirst(stored, signal);
  const header = parseEncryptionHeader(first);
  if (header === undefined) {
    throw new SdkError(
      { code: 'SDK_NOT_ENCRYPTED', firstByte: first[0] },
      'decryption was asked for, but the file does not begin like an encrypted one',
    );
  }
  const cipher = await decryptionCipher(header, decryption);
  return decryptingSource(stored, header.bytes.length, cipher);
}

/**
 * The plain file of encrypted fragments: encrypted as a whole and then cut (the rule), or cut
 * first and every fragment encrypted by itself (what the official TypeScript SDK does).
 *
 * The two are told apart by size: in the first case all fragments but the last are powers of two,
 * in the second they are a header longer.
 *
 * @throws {SdkError} as `decryptSource`
 */
export async function decryptFragments(
  fragments: readonly FileSource[],
  decryption: Decryption,
  options: { readonly signal: AbortSignal },
): Promise<FileSource> {
  if (!(await areEncryptedApart(fragments, options.signal))) {
    return decryptSource(joinSources(fragments), decryption, options);
  }
  const parts: FileSource[] = [];
  for (const fragment of fragments) {
    parts.push(await decryptSource(fragment, decryption, options));
  }
  return joinSources(parts);
}

async function areEncryptedApart(
  fragments: readonly FileSource[],
  signal: AbortSignal,
): Promise<boolean> {
  if (fragments.length < 2) return false;
  const kinds = new Set<EncryptionHeader['kind']>();
  for (const [index, fragment] of fragments.entries()) {
    const header = parseEncryptionHeader(await readFirst(fragment, signal));
    if (header === undefined) return false;
    kinds.add(header.kind);
    const plainBytes = fragment.sizeBytes - headerBytesOf(header.kind);
    const isLast = index === fragments.length - 1;
    if (kinds.size > 1 || (!isLast && !isPowerOfTwo(plainBytes))) return false;
  }
  return true;
}

async function readFirst(source: FileSource, signal: AbortSignal): Promise<Uint8Array> {
  return source.read(0, Math.min(MAX_HEADER_BYTES, source.sizeBytes), { signal });
}
