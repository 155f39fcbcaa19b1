import type { FileSource } from '@cairn/log-layer';
import { mapConcurrent } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import { readFromStream, resolveRange } from '../sources.ts';

/** Encrypts and decrypts a file frame by frame, each frame by its number alone. */
export interface FrameCipher {
  /** Plain bytes of every frame but the last, which has 1 to as many (or 0 in an empty file). */
  readonly framePlainBytes: number;
  /** Bytes each frame grows by. */
  readonly tagBytes: number;
  seal(plain: Uint8Array, index: number, isFinal: boolean): Promise<Uint8Array>;
  open(frame: Uint8Array, index: number, isFinal: boolean): Promise<Uint8Array>;
}

/** Frames worked on at once: one is encrypted while the next is read. */
const FRAMES_AHEAD = 3;

/** Bytes of an encrypted file: header and frames. */
export function sealedSize(
  plainBytes: number,
  headerBytes: number,
  cipher: Pick<FrameCipher, 'framePlainBytes' | 'tagBytes'>,
): number {
  return headerBytes + plainBytes + frameCount(plainBytes, cipher) * cipher.tagBytes;
}

/** `plain` as it is stored: `header`, then its frames. The same bytes however often it is read. */
export function encryptingSource(
  plain: FileSource,
  header: Uint8Array,
  cipher: FrameCipher,
): FileSource {
  const frames = frameCount(plain.sizeBytes, cipher);
  const frameBytes = cipher.framePlainBytes + cipher.tagBytes;
  const sizeBytes = sealedSize(plain.sizeBytes, header.length, cipher);
  const source: FileSource = {
    sizeBytes,
    read: (offset, length, options) => readFromStream(source, offset, length, options),
    async *stream({ signal }, range) {
      const { start, end } = resolveRange(sizeBytes, range);
      if (start < header.length) yield header.subarray(start, Math.min(end, header.length));
      if (end <= header.length) return;
      const first = Math.floor(Math.max(0, start - header.length) / frameBytes);
      const last = Math.ceil((end - header.length) / frameBytes);
      const seal = async (index: number, inner: AbortSignal): Promise<Uint8Array> => {
        const offset = index * cipher.framePlainBytes;
        const length = Math.min(cipher.framePlainBytes, plain.sizeBytes - offset);
        const bytes =
          length === 0 ? new Uint8Array(0) : await plain.read(offset, length, { signal: inner });
        return cipher.seal(bytes, index, index === frames - 1);
      };
      let position = header.length + first * frameBytes;
      for await (const frame of mapConcurrent(countFrom(first, last), seal, {
        parallel: FRAMES_AHEAD,
        signal,
      })) {
        const from = Math.max(0, start - position);
        const to = Math.min(frame.length, end - position);
        position += frame.length;
        if (from < to) yield frame.subarray(from, to);
      }
    },
  };
  return source;
}

/**
 * The plain bytes of a stored file, decrypted as they are read. A range costs the frames it
 * touches, no more.
 *
 * @throws {SdkError} SDK_SEAL_BROKEN if the length is none that frames can have
 */
export function decryptingSource(
  stored: FileSource,
  headerBytes: number,
  cipher: FrameCipher,
): FileSource {
  const frameBytes = cipher.framePlainBytes + cipher.tagBytes;
  const bodyBytes = stored.sizeBytes - headerBytes;
  const frames = Math.max(1, Math.ceil(bodyBytes / frameBytes));
  const lastBytes = bodyBytes - (frames - 1) * frameBytes;
  if (lastBytes < cipher.tagBytes || (frames > 1 && lastBytes === cipher.tagBytes)) {
    throw new SdkError(
      { code: 'SDK_SEAL_BROKEN', frame: frames - 1, reason: 'length' },
      `an encrypted file cannot have ${stored.sizeBytes} bytes: its last frame would have ${lastBytes}`,
    );
  }
  const sizeBytes = bodyBytes - frames * cipher.tagBytes;
  const source: FileSource = {
    sizeBytes,
    read: (offset, length, options) => readFromStream(source, offset, length, options),
    async *stream({ signal }, range) {
      const { start, end } = resolveRange(sizeBytes, range);
      if (start === end && sizeBytes > 0) return;
      const first = Math.floor(start / cipher.framePlainBytes);
      const last = Math.max(first + 1, Math.ceil(end / cipher.framePlainBytes));
      const offset = headerBytes + first * frameBytes;
      const length = Math.min(headerBytes + last * frameBytes, stored.sizeBytes) - offset;
      const pieces = numbered(
        cutInto(stored.stream({ signal }, { offset, length }), frameBytes),
        first,
      );
      const open = ({ frame, index }: { frame: Uint8Array; index: number }): Promise<Uint8Array> =>
        cipher.open(frame, index, index === frames - 1);
      let position = first * cipher.framePlainBytes;
      for await (const plain of mapConcurrent(pieces, open, { parallel: FRAMES_AHEAD, signal })) {
        const from = Math.max(0, start - position);
        const to = Math.min(plain.length, end - position);
        position += plain.length;
        if (from < to) yield plain.subarray(from, to);
      }
    },
  };
  return source;
}

function frameCount(
  plainBytes: number,
  { framePlainBytes }: Pick<FrameCipher, 'framePlainBytes'>,
): number {
  return Math.max(1, Math.ceil(plainBytes / framePlainBytes));
}

function* countFrom(from: number, to: number): Generator<number, void, void> {
  for (let index = from; index < to; index += 1) yield index;
}

async function* numbered(
  frames: AsyncIterable<Uint8Array>,
  first: number,
): AsyncGenerator<{ frame: Uint8Array; index: number }, void, void> {
  let index = first;
  for await (const frame of frames) {
    yield { frame, index };
    index += 1;
  }
}

/** The same bytes in pieces of exactly `pieceBytes`, the last one shorter. */
async function* cutInto(
  stream: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const bytes of stream) {
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(bytes.length - at, pieceBytes - filled);
      piece.set(bytes.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled === pieceBytes) {
        yield piece;
        piece = new Uint8Array(pieceBytes);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
