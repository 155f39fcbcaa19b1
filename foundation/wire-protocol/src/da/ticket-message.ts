import { SIGNATURE_BYTES } from '@cairn/attestation';
import {
  type Address,
  bigEndianBytes,
  concatBytes,
  fromHex,
  parseAddress,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { refuseField } from '../check.ts';
import {
  assertWireLength,
  encodePreamble,
  PREAMBLE_BYTES,
  parsePreamble,
  readWireNumber,
} from '../wire-fields.ts';

/** Content type of a ticket. */
export const TICKET_TYPE = 'application/vnd.cairn.ticket';
/** Bytes of a ticket. */
export const TICKET_BYTES: number = PREAMBLE_BYTES + 8 + 20 + SIGNATURE_BYTES;

/** A signer's ticket for a keeper to relay; nothing is proven. */
export interface OfferedTicket {
  /** The epoch whose seats it draws. */
  readonly epoch: number;
  readonly signer: Address;
  /** 96 bytes, compressed. */
  readonly signature: Uint8Array;
}

const TICKET = { what: 'ticket', magic: 'CTKT', version: 1 } as const;

/**
 * A ticket as 132 bytes, big-endian: "CTKT", version u8 = 1, three zero bytes, epoch u64, signer 20,
 * signature 96.
 *
 * @throws {WireError} WIRE_LENGTH for another signature; {RangeError} if the epoch does not fit
 */
export function encodeTicket({ epoch, signer, signature }: OfferedTicket): Uint8Array {
  assertWireLength(signature, SIGNATURE_BYTES, 'signature');
  const start = encodePreamble({ ...TICKET, form: 0 });
  return concatBytes(start, bigEndianBytes(epoch, 8), fromHex(signer), signature);
}

/** The ticket in these bytes; copies. @throws {WireError} WIRE_LENGTH, WIRE_MAGIC, WIRE_VERSION, WIRE_FIELD */
export function parseTicket(bytes: Uint8Array): OfferedTicket {
  const form = parsePreamble(bytes, TICKET);
  if (form !== 0) refuseField(TICKET.what, 'form', '0', form);
  assertWireLength(bytes, TICKET_BYTES, TICKET.what);
  const at = PREAMBLE_BYTES + 8;
  return {
    epoch: readWireNumber(viewOf(bytes), PREAMBLE_BYTES, TICKET.what, 'epoch'),
    signer: parseAddress(toHex(bytes.subarray(at, at + 20))),
    signature: bytes.slice(at + 20),
  };
}
