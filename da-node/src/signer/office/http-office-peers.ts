import { type HttpTransport, rootOf } from '@cairn/primitives';
import {
  auditPath,
  batchPath,
  encodeReportRequest,
  handoverPath,
  handoverVotePath,
  MAX_AUDIT_BYTES,
  MAX_REPORT_BYTES,
  MAX_SIGNED_HANDOVER_BYTES,
  MAX_VOTE_REQUEST_BYTES,
  parseAuditSheet,
  parseOfficeVote,
  parseServedReport,
  parseSignedHandover,
  parseVoteRequest,
  REPORT_REQUEST_TYPE,
  REPORT_VOTES_PATH,
  reportPath,
  VOTE_BYTES,
} from '@cairn/wire-protocol/da';
import { SignerReplyError } from '../../signer-peers.ts';
import type { OfficePeers } from './ports.ts';

/** Other signers' doors of office over HTTP. Deadlines are the caller's. @param transport - bounds its own connections */
export function httpOfficePeers(transport: HttpTransport): OfficePeers {
  /** The body of a reply; `undefined` for a refusal. @throws {SignerReplyError} SIGNER_BUSY */
  const ask = async (
    request: Parameters<HttpTransport['send']>[0],
    maxBytes: number,
  ): Promise<Uint8Array | undefined> => {
    const reply = await transport.send(request);
    const { status } = reply;
    if (status === 200) return reply.bytes(maxBytes);
    await reply.discard();
    if (status < 500) return undefined;
    throw new SignerReplyError({ code: 'SIGNER_BUSY', status }, `the signer answered ${status}`);
  };
  const get = async <Message>(
    url: string,
    { maxBytes, parse }: { readonly maxBytes: number; parse(bytes: Uint8Array): Message },
    signal: AbortSignal,
  ): Promise<Message | undefined> => {
    const bytes = await ask({ method: 'GET', url, signal }, maxBytes);
    return bytes === undefined ? undefined : parse(bytes);
  };
  return {
    handover: (socket, epoch, { signal }) => {
      const form = { maxBytes: MAX_SIGNED_HANDOVER_BYTES, parse: parseSignedHandover };
      return get(`${socket}${handoverPath(epoch)}`, form, signal);
    },
    handoverVote: (socket, epoch, { signal }) => {
      const form = { maxBytes: VOTE_BYTES, parse: parseOfficeVote };
      return get(`${socket}${handoverVotePath(epoch)}`, form, signal);
    },
    batch: (socket, root, { signal }) => {
      const form = { maxBytes: MAX_VOTE_REQUEST_BYTES, parse: parseVoteRequest };
      return get(`${socket}${batchPath(rootOf(root))}`, form, signal);
    },
    audit: (socket, { auditor, ...place }, { signal }) => {
      const form = { maxBytes: MAX_AUDIT_BYTES, parse: parseAuditSheet };
      return get(`${socket}${auditPath(place, auditor)}`, form, signal);
    },
    report: (socket, place, { signal }) => {
      const form = { maxBytes: MAX_REPORT_BYTES, parse: parseServedReport };
      return get(`${socket}${reportPath(place)}`, form, signal);
    },
    reportVote: async (socket, request, { signal }) => {
      const url = `${socket}${REPORT_VOTES_PATH}`;
      const headers = { 'content-type': REPORT_REQUEST_TYPE };
      const body = encodeReportRequest(request);
      const bytes = await ask({ method: 'POST', url, headers, body, signal }, VOTE_BYTES);
      return bytes === undefined ? undefined : parseOfficeVote(bytes);
    },
  };
}
