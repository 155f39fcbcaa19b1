import type { HttpReply, HttpTransport } from '@cairn/primitives';
import {
  CHECKPOINT_REQUEST_TYPE,
  CHECKPOINT_VOTES_PATH,
  CHECKPOINTS_PATH,
  encodeCheckpointRequest,
  handoverPath,
  MAX_CHECKPOINT_OFFER_BYTES,
  MAX_SIGNED_HANDOVER_BYTES,
  parseCheckpointOffer,
  parseOfficeVote,
  parseSignedHandover,
  VOTE_BYTES,
} from '@cairn/wire-protocol/da';
import { SignerReplyError } from '../signer-peers.ts';
import type { CheckpointPeers } from './ports.ts';

/** Signers' doors for checkpoints over HTTP. @param transport - bounds its own connections */
export function httpCheckpointPeers(transport: HttpTransport): CheckpointPeers {
  const isThere = async (reply: HttpReply): Promise<boolean> => {
    const { status } = reply;
    if (status === 200) return true;
    await reply.discard();
    if (status < 500) return false;
    throw new SignerReplyError({ code: 'SIGNER_BUSY', status }, `the signer answered ${status}`);
  };
  return {
    offers: async (socket, { signal }) => {
      const url = `${socket}${CHECKPOINTS_PATH}`;
      const reply = await transport.send({ method: 'GET', url, signal });
      if (!(await isThere(reply))) return [];
      return parseCheckpointOffer(await reply.bytes(MAX_CHECKPOINT_OFFER_BYTES));
    },
    vote: async (socket, request, { signal }) => {
      const url = `${socket}${CHECKPOINT_VOTES_PATH}`;
      const headers = { 'content-type': CHECKPOINT_REQUEST_TYPE };
      const body = encodeCheckpointRequest(request);
      const reply = await transport.send({ method: 'POST', url, headers, body, signal });
      return (await isThere(reply)) ? parseOfficeVote(await reply.bytes(VOTE_BYTES)) : undefined;
    },
    handover: async (socket, epoch, { signal }) => {
      const url = `${socket}${handoverPath(epoch)}`;
      const reply = await transport.send({ method: 'GET', url, signal });
      if (!(await isThere(reply))) return undefined;
      return parseSignedHandover(await reply.bytes(MAX_SIGNED_HANDOVER_BYTES));
    },
  };
}
