import type { Address } from '@cairn/primitives';
import { BodyReader } from './body-reader.ts';
import { packed } from './body-writer.ts';

/** Bytes of an encoded entry. */
export const SERVED_ENTRY_BYTES = 28;

/** How a holder did in a period: the leaf of a served report. */
export interface ServedEntry {
  readonly holder: Address;
  /** Rows of it that were drawn. */
  readonly drawn: number;
  /** Of these, rows that enough auditors got. */
  readonly served: number;
}

/**
 * An entry's 28 bytes, packed, big-endian: holder 20, drawn u32, served u32.
 *
 * @throws {RangeError} if a number does not fit
 */
export function encodeServedEntry({ holder, drawn, served }: ServedEntry): Uint8Array {
  return packed(holder, [drawn, 4], [served, 4]);
}

/** @throws {MessageError} MESSAGE_LENGTH; MESSAGE_FIELD if more was served than drawn */
export function parseServedEntry(body: Uint8Array): ServedEntry {
  const reader = new BodyReader('served entry', body);
  const entry = {
    holder: reader.address(),
    drawn: reader.number(4, 'drawn'),
    served: reader.number(4, 'served'),
  };
  reader.end();
  if (entry.served > entry.drawn) throw reader.refuse('served', entry.served);
  return entry;
}
