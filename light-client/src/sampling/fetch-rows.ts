import { type BlobLayout, parseRow, type RowMessage } from '@cairn/erasure-codec';
import { type Address, type HttpTransport, rootOf, TransportError } from '@cairn/primitives';
import {
  MAX_ROW_REPLY_BYTES,
  parseRowReply,
  type RowForm,
  rowsPath,
} from '@cairn/wire-protocol/da';
import { HolderError } from '../errors.ts';

/** A signer and where it is reached. */
export interface HolderDoor {
  readonly signer: Address;
  /** Without a slash at its end. */
  readonly url: string;
}

/** Rows of a blob that one request asks for. */
export interface RowsWanted {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly layout: BlobLayout;
  readonly form: RowForm;
  /** All different, and as many as fit into a reply. */
  readonly indexes: readonly number[];
}

/** Row messages by which a verifier goes on. */
export type WantedRow = Extract<RowMessage, { readonly kind: RowForm }>;

/**
 * Those of the rows that a holder has, parsed and bounded, nothing proven. Only rows that were asked
 * for, each once; the reply is at most 1 MiB.
 *
 * @returns none if it has none of them
 * @throws {TransportError}; {WireError}; {SliceError} SLICE_FORM, SLICE_LENGTH, SLICE_HEADER;
 *   {HolderError} HOLDER_ANSWER
 */
export async function fetchRows(
  { signer, url }: HolderDoor,
  { commitment, form, indexes }: RowsWanted,
  options: {
    readonly transport: Pick<HttpTransport, 'send'>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<WantedRow[]> {
  const { transport, timeoutMs, signal } = options;
  const address = `${url}${rowsPath(rootOf(commitment), indexes, form)}`;
  const reply = await transport.send({ method: 'GET', url: address, signal, timeoutMs });
  if (reply.status !== 200) {
    await reply.discard();
    if (reply.status === 404) return [];
    throw new TransportError(
      { code: 'TRANSPORT_STATUS', url, status: reply.status },
      `${url} answers with HTTP status ${reply.status}`,
    );
  }
  const messages = parseRowReply(await reply.bytes(MAX_ROW_REPLY_BYTES)).map(parseRow);
  const left = new Set(indexes);
  return messages.map((message) => {
    if (message.kind !== form) {
      throw unasked(signer, `a row in the form ${message.kind}, where ${form} was asked for`);
    }
    const { index } = message.row;
    if (!left.delete(index)) throw unasked(signer, `row ${index}, which was not asked for`);
    return message;
  });
}

function unasked(signer: Address, what: string): HolderError {
  return new HolderError({ code: 'HOLDER_ANSWER', signer, what }, `${signer} answers with ${what}`);
}
