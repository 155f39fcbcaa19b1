import {
  Fault,
  type HttpReply,
  type HttpTransport,
  KIB,
  MAX_JSON_DEPTH,
  utf8Text,
} from '@cairn/primitives';
import {
  type Problem,
  parseBoundedJson,
  parseProblem,
  type RetryAdvice,
} from '@cairn/wire-protocol';
import {
  DELIVERY_TYPE,
  encodeDeliveryHead,
  encodeVoteRequest,
  heldBlobPath,
  MAX_ROW_REPLY_BYTES,
  parseBatchVote,
  parseHeldBlob,
  parseRowReply,
  rowsPath,
  SLICES_PATH,
  VOTE_BYTES,
  VOTE_REQUEST_TYPE,
  VOTES_PATH,
} from '@cairn/wire-protocol/da';
import { kindOfBatch } from './disperser/collect-votes.ts';
import type { SignerPeers } from './disperser/ports.ts';
import type { RowPeers } from './retriever/ports.ts';

/** What a signer answers instead of what it was asked for. */
export type SignerReplyFault =
  /** It understood and said no: `reply` is its code. */
  | {
      readonly code: 'SIGNER_REFUSED';
      readonly status: number;
      readonly reply: string;
      readonly retry: RetryAdvice;
    }
  /** It cannot now. */
  | { readonly code: 'SIGNER_BUSY'; readonly status: number }
  /** It takes no slices and votes for nothing: it is reached over libp2p alone. */
  | { readonly code: 'SIGNER_NO_HTTP'; readonly socket: string }
  /** It is reached over libp2p alone, which is not in use here. */
  | { readonly code: 'SIGNER_NO_P2P'; readonly socket: string };

/** A signer's refusal, as it told it. */
export class SignerReplyError extends Fault<SignerReplyFault> {}

/** Bytes of a problem or a list of slices at most. */
const MAX_JSON_BYTES: number = 64 * KIB;

/**
 * The signers' doors over HTTP. Deadlines are the caller's.
 *
 * @param transport - bounds its own connections
 */
export function httpSignerPeers(transport: HttpTransport): SignerPeers & RowPeers {
  return {
    async deliver(socket, { order, slice }, { timeoutMs, signal }) {
      const { header, epoch, promise } = order;
      const head = encodeDeliveryHead({ epoch, header, promise });
      const body = [head, ...slice];
      const headers = { 'content-type': DELIVERY_TYPE };
      const url = `${socket}${SLICES_PATH}`;
      const reply = await transport.send({ method: 'PUT', url, headers, body, timeoutMs, signal });
      await requireOk(reply);
      await reply.discard();
      return body.reduce((sum, { length }) => sum + length, 0);
    },
    async vote(socket, { epoch, quorumId, orders }, { signal }) {
      const kind = kindOfBatch(orders);
      const batch = { kind, epoch, quorumId, headers: orders.map(({ header }) => header) };
      const body = encodeVoteRequest(batch);
      const headers = { 'content-type': VOTE_REQUEST_TYPE };
      const url = `${socket}${VOTES_PATH}`;
      const reply = await transport.send({ method: 'POST', url, headers, body, signal });
      await requireOk(reply);
      return parseBatchVote(await reply.bytes(VOTE_BYTES)).signature;
    },
    async held(socket, commitment, { signal }) {
      const url = `${socket}${heldBlobPath(commitment)}`;
      const reply = await transport.send({ method: 'GET', url, signal });
      try {
        await requireOk(reply);
      } catch (error) {
        // Any other 404 may come from a wrong address or a proxy, and says nothing of rows.
        if (error instanceof SignerReplyError && isNoneHeld(error.facts)) return undefined;
        throw error;
      }
      return parseHeldBlob(await jsonIn(reply, 'held blob'));
    },
    async rows(socket, { commitment, indexes, form }, { signal }) {
      const url = `${socket}${rowsPath(commitment, indexes, form)}`;
      const reply = await transport.send({ method: 'GET', url, signal });
      await requireOk(reply);
      return parseRowReply(await reply.bytes(MAX_ROW_REPLY_BYTES));
    },
  };
}

/** Whether a signer said in so many words that it keeps no row. */
function isNoneHeld(facts: SignerReplyFault): boolean {
  return facts.code === 'SIGNER_REFUSED' && facts.status === 404 && facts.reply === 'ROWS_NOT_HELD';
}

/** @throws {SignerReplyError} SIGNER_REFUSED for 4xx, SIGNER_BUSY for the rest */
async function requireOk(reply: HttpReply): Promise<void> {
  const { status } = reply;
  if (status === 200) return;
  const problem = await problemIn(reply);
  const isLacking = problem?.code === 'BLOB_NOT_HELD'; // another vote helps only after another slice
  const isRefusal = isLacking || (status >= 400 && status < 500 && problem?.retry !== 'later');
  if (!isRefusal) {
    const why = problem === undefined ? '' : `: ${problem.detail}`;
    throw new SignerReplyError(
      { code: 'SIGNER_BUSY', status },
      `the signer answered ${status}${why}`,
    );
  }
  throw new SignerReplyError(
    {
      code: 'SIGNER_REFUSED',
      status,
      reply: problem?.code ?? 'none',
      retry: problem?.retry ?? 'never',
    },
    `the signer refused with ${status}: ${problem?.detail ?? 'no reason'}`,
  );
}

/** JSON of bounded length and depth. @throws {TransportError}, {WireError} */
async function jsonIn(reply: HttpReply, what: string): Promise<unknown> {
  return parseBoundedJson(utf8Text(await reply.bytes(MAX_JSON_BYTES)), MAX_JSON_DEPTH, what);
}

async function problemIn(reply: HttpReply): Promise<Problem | undefined> {
  try {
    return parseProblem(await jsonIn(reply, 'problem'));
  } catch {
    return undefined; // the status says enough
  }
}
