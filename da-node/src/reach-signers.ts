import type { P2pHost } from '@cairn/node-runtime/p2p';
import { type HttpTransport, isFault, MAX_JSON_DEPTH, utf8Text } from '@cairn/primitives';
import { parseBoundedJson } from '@cairn/wire-protocol';
import {
  encodeHeldRequest,
  encodeRowRequest,
  HELD_QUESTION,
  isPeerAddress,
  parseHeldBlob,
  parseRowReply,
  ROWS_QUESTION,
} from '@cairn/wire-protocol/da';
import type { SignerPeers } from './disperser/ports.ts';
import type { RowPeers } from './retriever/ports.ts';
import { httpSignerPeers, SignerReplyError } from './signer-peers.ts';

/** What signers are reached over. */
export interface SignerWays {
  readonly transport: HttpTransport;
  /** `undefined` where libp2p is not in use. */
  readonly p2p: Pick<P2pHost, 'request'> | undefined;
}

/**
 * The signers' doors, over what each registered: HTTP, or libp2p for one that gave a multiaddress. The
 * second gives rows only: slices are brought, and votes gathered, over HTTP.
 */
export function signerPeers({ transport, p2p }: SignerWays): SignerPeers & RowPeers {
  const http = httpSignerPeers(transport);
  const rows = p2p === undefined ? undefined : p2pRowPeers(p2p);
  const rowsAt = (socket: string): RowPeers => {
    if (!isPeerAddress(socket)) return http;
    if (rows !== undefined) return rows;
    throw new SignerReplyError(
      { code: 'SIGNER_NO_P2P', socket },
      `the signer is reached over libp2p at ${socket}, which p2p.enabled turns on`,
    );
  };
  const overHttp = (socket: string): SignerPeers => {
    if (!isPeerAddress(socket)) return http;
    throw new SignerReplyError(
      { code: 'SIGNER_NO_HTTP', socket },
      `the signer gives rows only, over libp2p at ${socket}; it registered no http address`,
    );
  };
  return {
    deliver: async (socket, delivery, options) =>
      overHttp(socket).deliver(socket, delivery, options),
    vote: async (socket, request, options) => overHttp(socket).vote(socket, request, options),
    held: async (socket, commitment, options) => rowsAt(socket).held(socket, commitment, options),
    rows: async (socket, request, options) => rowsAt(socket).rows(socket, request, options),
  };
}

/**
 * Rows over libp2p. What comes is not proven, as over HTTP.
 *
 * Its calls throw {P2pError}, P2P_REFUSED with the signer's code among them; {WireError}
 */
export function p2pRowPeers(host: Pick<P2pHost, 'request'>): RowPeers {
  return {
    held: async (socket, commitment, { signal }) => {
      const request = encodeHeldRequest(commitment);
      try {
        const reply = await host.request(socket, HELD_QUESTION, request, { signal });
        return parseHeldBlob(parseBoundedJson(utf8Text(reply), MAX_JSON_DEPTH, 'held blob'));
      } catch (error) {
        if (isNoneHeld(error)) return undefined;
        throw error;
      }
    },
    rows: async (socket, request, { signal }) => {
      const bytes = encodeRowRequest(request);
      return parseRowReply(await host.request(socket, ROWS_QUESTION, bytes, { signal }));
    },
  };
}

/** Whether a signer said in so many words that it keeps no row. */
function isNoneHeld(error: unknown): boolean {
  if (!isFault(error, 'P2P_REFUSED')) return false;
  return 'reply' in error.facts && error.facts.reply === 'ROWS_NOT_HELD';
}
