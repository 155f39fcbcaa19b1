import { equalBytes, readSafeU64, viewOf, writeSafeU64 } from '@cairn/primitives';
import { StateError } from '../store/errors.ts';

const FORMAT = 1;
const HEAD_BYTES = 17;

/** Where a scan goes on: at one version of one history. */
export interface ScanCursor {
  readonly version: number;
  /** 8 bytes of the stream's root at the version: another chain's would be another. */
  readonly mark: Uint8Array;
  /** The bound of what is left: the first key, or in reverse the one to end before. */
  readonly key: Uint8Array;
}

/** The cursor's bytes: format u8, version u64, mark 8, key. */
export function encodeCursor({ version, mark, key }: ScanCursor): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + key.length);
  bytes[0] = FORMAT;
  writeSafeU64(viewOf(bytes), 1, version);
  bytes.set(mark, 9);
  bytes.set(key, HEAD_BYTES);
  return bytes;
}

/** @throws {StateError} KV_CURSOR for what is none */
export function decodeCursor(bytes: Uint8Array): ScanCursor {
  if (bytes.length < HEAD_BYTES || bytes[0] !== FORMAT || viewOf(bytes).getUint32(1) >= 2 ** 21) {
    throw new StateError(
      { code: 'KV_CURSOR', reason: 'format' },
      `${bytes.length} bytes are no cursor of a scan`,
    );
  }
  return {
    version: readSafeU64(viewOf(bytes), 1),
    mark: bytes.slice(9, HEAD_BYTES),
    key: bytes.slice(HEAD_BYTES),
  };
}

/** @throws {StateError} KV_ROLLED_BACK unless the cursor is of the history there is now */
export function assertSameHistory({ version, mark }: ScanCursor, now: Uint8Array): void {
  if (equalBytes(mark, now)) return;
  throw new StateError(
    { code: 'KV_ROLLED_BACK', version },
    `the chain took entries back since the scan of version ${version} began; begin anew`,
  );
}
