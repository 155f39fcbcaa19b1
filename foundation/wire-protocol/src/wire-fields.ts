import { viewOf } from '@cairn/primitives';
import { refuseField } from './check.ts';
import { WireError } from './errors.ts';

/** Bytes of the start that every binary message has: magic, version, two fields. */
export const PREAMBLE_BYTES = 8;

/** What a message begins with. */
export interface Preamble {
  /** What it is, for messages to people. */
  readonly what: string;
  /** Four ASCII letters. */
  readonly magic: string;
  readonly version: number;
  /** One byte that says which form follows. */
  readonly form: number;
}

/** Magic, version, form, two zero bytes. */
export function encodePreamble({ magic, version, form }: Omit<Preamble, 'what'>): Uint8Array {
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  for (let at = 0; at < 4; at += 1) bytes[at] = magic.charCodeAt(at);
  bytes[4] = version;
  bytes[5] = form;
  return bytes;
}

/**
 * Checks magic, version and reserved bytes.
 *
 * @returns the form
 * @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD
 */
export function parsePreamble(
  bytes: Uint8Array,
  { what, magic, version }: Omit<Preamble, 'form'>,
): number {
  if (bytes.length < PREAMBLE_BYTES) refuseLength(what, PREAMBLE_BYTES, bytes.length);
  const view = viewOf(bytes);
  for (let at = 0; at < 4; at += 1) {
    if (bytes[at] === magic.charCodeAt(at)) continue;
    const actual = view.getUint32(0).toString(16).padStart(8, '0');
    throw new WireError(
      { code: 'WIRE_MAGIC', what, actual },
      `a ${what} begins with "${magic}", not with the bytes ${actual}`,
    );
  }
  const found = view.getUint8(4);
  if (found !== version) {
    throw new WireError(
      { code: 'WIRE_VERSION', what, version: found, supported: version },
      `${what} version ${found} is not supported, ${version} is`,
    );
  }
  if (view.getUint16(6) !== 0) refuseField(what, 'reserved (byte 6)', 'zero', view.getUint16(6));
  return view.getUint8(5);
}

/** @throws {WireError} WIRE_LENGTH unless the message has just so many bytes */
export function assertWireLength(bytes: Uint8Array, expectedBytes: number, what: string): void {
  if (bytes.length !== expectedBytes) refuseLength(what, expectedBytes, bytes.length);
}

/** A number of 8 bytes that is counted exactly. @throws {WireError} WIRE_FIELD */
export function readWireNumber(view: DataView, at: number, what: string, field: string): number {
  const high = view.getUint32(at);
  if (high >= 2 ** 21) {
    refuseField(what, field, 'at most 2^53 - 1', String(view.getBigUint64(at)));
  }
  return high * 2 ** 32 + view.getUint32(at + 4);
}

/** @throws {WireError} WIRE_LENGTH, always */
export function refuseLength(what: string, expectedBytes: number, actualBytes: number): never {
  throw new WireError(
    { code: 'WIRE_LENGTH', what, expectedBytes, actualBytes },
    `a ${what} of ${actualBytes} bytes should have ${expectedBytes}`,
  );
}
