import Type from 'typebox';
import { binary, type HttpRoute, json, plain, problems } from '../route-parts.ts';
import { DELIVERY_TYPE, MAX_DELIVERY_HEAD_BYTES } from './delivery.ts';
import { ROW_REPLY_TYPE } from './row-reply.ts';
import { DA_STATUS_PATH, ROW_FORMS, SLICES_PATH, VOTES_PATH } from './signer-routes.ts';
import { MAX_VOTE_REQUEST_BYTES, VOTE_REQUEST_TYPE, VOTE_TYPE } from './votes.ts';

export type { HttpRoute } from '../route-parts.ts';

/**
 * The HTTP routes of a signer of data availability.
 *
 * @param maxSliceBytes - the longest slice message that this signer takes
 */
export function signerRoutes(maxSliceBytes: number): readonly HttpRoute[] {
  const hash = Type.String({ pattern: '^0x[0-9a-fA-F]{64}$' });
  const natural = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  const address = Type.String({ pattern: '^0x[0-9a-f]{40}$' });
  const slice = Type.Object({
    epoch: natural,
    quorumId: natural,
    firstRow: natural,
    rows: natural,
    expirySeconds: natural,
  });
  const held = { commitment: hash, sizeBytes: natural, suite: natural, slices: Type.Array(slice) };
  const status = {
    version: Type.String(),
    address,
    blsPublicKey: Type.String({ pattern: '^0x[0-9a-f]{96}$' }),
    chainId: natural,
    entrance: address,
    shardId: natural,
    others: Type.Array(Type.Object({ shardId: natural, chainId: natural, entrance: address })),
    heldBlobs: natural,
    heldBytes: natural,
    capacityBytes: natural,
  };
  const ofBlob = plain(Type.Object({ commitment: hash }));
  return [
    {
      method: 'GET',
      path: DA_STATUS_PATH,
      id: 'getSignerStatus',
      summary: 'Who the signer is and how much it holds',
      replies: { 200: json('the status', plain(Type.Object(status))) },
    },
    {
      method: 'PUT',
      path: SLICES_PATH,
      id: 'putSlice',
      summary: 'Verifies and stores the signer’s rows of one blob',
      body: { type: DELIVERY_TYPE, maxBytes: MAX_DELIVERY_HEAD_BYTES + maxSliceBytes },
      replies: {
        200: { description: 'on disk, now or before' },
        ...problems(400, 402, 404, 409, 410, 413, 415, 421, 422, 503, 507),
      },
    },
    {
      method: 'POST',
      path: VOTES_PATH,
      id: 'postVote',
      summary: 'Signs for a batch whose rows the signer holds, all of its own',
      body: { type: VOTE_REQUEST_TYPE, maxBytes: MAX_VOTE_REQUEST_BYTES },
      replies: {
        200: binary('the vote', VOTE_TYPE),
        ...problems(400, 402, 404, 409, 410, 413, 415, 421, 422, 503),
      },
    },
    {
      method: 'GET',
      path: `${VOTES_PATH}/{root}`,
      id: 'getVote',
      summary: 'The vote given for the batch with this root',
      params: plain(Type.Object({ root: hash })),
      replies: { 200: binary('the vote', VOTE_TYPE), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/da/blobs/{commitment}',
      id: 'getHeldBlob',
      summary: 'Which rows of a blob the signer holds',
      params: ofBlob,
      replies: { 200: json('what is held', plain(Type.Object(held))), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/da/blobs/{commitment}/rows',
      id: 'getRows',
      summary: 'Those of the rows asked for that are held, with their proofs, up to 1 MiB',
      params: ofBlob,
      query: plain(
        Type.Object({
          index: Type.String({ description: 'numbers with commas between' }),
          form: Type.Optional(Type.Union(ROW_FORMS.map((form) => Type.Literal(form)))),
        }),
      ),
      replies: { 200: binary('the rows', ROW_REPLY_TYPE), ...problems(400, 404, 503) },
    },
  ];
}
