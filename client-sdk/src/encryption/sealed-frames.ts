import { writeSafeU64 } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import { hkdf, plainBytes } from './web-crypto.ts';

/** Plain bytes of a frame; the last one may have fewer, and is empty only in an empty file. */
export const FRAME_PLAIN_BYTES = 65_536;
/** Bytes a frame grows by: its tag. */
export const FRAME_TAG_BYTES = 16;
/** Stored bytes of a whole frame. */
export const FRAME_BYTES: number = FRAME_PLAIN_BYTES + FRAME_TAG_BYTES;
/** Bytes of the header's key check. */
export const KEY_CHECK_BYTES = 16;

const LABEL = 'cairn/sealed/1';

/** Seals and opens the numbered frames of one file. */
export interface SealedFrames {
  /** What the header carries so that another key is noticed before anything is decrypted. */
  readonly keyCheck: Uint8Array;
  /** A frame with its tag. `isFinal` marks the file's last. */
  seal(plain: Uint8Array, index: number, isFinal: boolean, header: Uint8Array): Promise<Uint8Array>;
  /** @throws {SdkError} SDK_SEAL_BROKEN if the frame is not the one that was sealed there */
  open(frame: Uint8Array, index: number, isFinal: boolean, header: Uint8Array): Promise<Uint8Array>;
}

/**
 * The frame key of one file, drawn from the shared secret and the header's salt, so that no two
 * files share a key and frame numbers can serve as nonces.
 *
 * @param secret - 32 bytes: the key, or what the recipient's key agreement gives
 * @param salt - 32 bytes
 */
export async function sealedFrames(secret: Uint8Array, salt: Uint8Array): Promise<SealedFrames> {
  const material = await hkdf(secret, salt, LABEL, 32 + KEY_CHECK_BYTES);
  const aes = await crypto.subtle.importKey(
    'raw',
    plainBytes(material.subarray(0, 32)),
    'AES-GCM',
    false,
    ['encrypt', 'decrypt'],
  );
  const parameters = (index: number, isFinal: boolean, header: Uint8Array): AesGcmParams => ({
    name: 'AES-GCM',
    iv: frameNonce(index, isFinal),
    additionalData: plainBytes(header),
    tagLength: FRAME_TAG_BYTES * 8,
  });
  return {
    keyCheck: material.slice(32),
    seal: async (plain, index, isFinal, header) =>
      new Uint8Array(
        await crypto.subtle.encrypt(parameters(index, isFinal, header), aes, plainBytes(plain)),
      ),
    async open(frame, index, isFinal, header) {
      try {
        const plain = await crypto.subtle.decrypt(
          parameters(index, isFinal, header),
          aes,
          plainBytes(frame),
        );
        return new Uint8Array(plain);
      } catch (cause) {
        throw new SdkError(
          { code: 'SDK_SEAL_BROKEN', frame: index, reason: isFinal ? 'final frame' : 'frame' },
          `frame ${index} of the sealed file is not the one that was written there`,
          { cause },
        );
      }
    },
  };
}

/** 12 bytes: 1 for the final frame or 0, three zeros, the frame's number as 8 bytes. */
function frameNonce(index: number, isFinal: boolean): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  nonce[0] = isFinal ? 1 : 0;
  writeSafeU64(new DataView(nonce.buffer), 4, index);
  return nonce;
}
