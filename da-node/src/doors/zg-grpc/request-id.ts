import { createHash } from 'node:crypto';
import {
  bigEndianBytes,
  concatBytes,
  parseRoot,
  type Root,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import type { BlobRecord } from '../../disperser/blob-record.ts';

/** Hex digits of either half. */
const DIGITS = 64;
/** Bytes of a request id: two halves and a dash. */
export const REQUEST_ID_BYTES: number = 2 * DIGITS + 1;

/** What a request id says. */
export interface RequestId {
  /** SHA-256 of the payload: the blob's name. */
  readonly blob: Root;
  /** Which acceptance of it, in hex. */
  readonly acceptance: string;
}

/**
 * The name of a submission, in ASCII: the payload's SHA-256 in hex, a dash, and SHA-256 over when it
 * was accepted (u64, milliseconds) and as which (u64). A blob that is posted again while it lives
 * keeps its name; one that comes back after its time gets another.
 */
export function requestIdOf({
  id,
  acceptedMs,
  arrival,
}: Pick<BlobRecord, 'id' | 'acceptedMs' | 'arrival'>): Uint8Array {
  return utf8Bytes(`${id.slice(2)}-${acceptanceOf({ acceptedMs, arrival })}`);
}

/** The second half of a request id. */
export function acceptanceOf({
  acceptedMs,
  arrival,
}: Pick<BlobRecord, 'acceptedMs' | 'arrival'>): string {
  const bytes = concatBytes(bigEndianBytes(acceptedMs, 8), bigEndianBytes(arrival, 8));
  return toHex(createHash('sha256').update(bytes).digest()).slice(2);
}

/** What bytes of a client name; `undefined` if they are no name of this server. */
export function parseRequestId(bytes: Uint8Array): RequestId | undefined {
  if (bytes.length !== REQUEST_ID_BYTES) return undefined;
  const text = Buffer.from(bytes).toString('latin1');
  const [, blob, acceptance] = /^([0-9a-f]{64})-([0-9a-f]{64})$/.exec(text) ?? [];
  if (blob === undefined || acceptance === undefined) return undefined;
  return { blob: parseRoot(`0x${blob}`), acceptance };
}
