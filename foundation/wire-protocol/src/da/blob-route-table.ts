import Type from 'typebox';
import { binary, type HttpRoute, json, plain, problems } from '../route-parts.ts';
import { ARCHIVE_STAGES, RECEIPT_STAGES } from './blob-receipt.ts';
import { BLOBS_PATH, CERTIFICATE_TYPE, MAX_RECEIPT_WAIT_SECONDS } from './blob-routes.ts';

/** Bytes of payloads, whatever they are. */
const PAYLOAD_TYPE = 'application/octet-stream';

/**
 * The HTTP routes of a disperser.
 *
 * @param maxPayloadBytes - the longest payload that is taken
 */
export function blobRoutes(maxPayloadBytes: number): readonly HttpRoute[] {
  const hash = Type.String({ pattern: '^0x[0-9a-fA-F]{64}$' });
  const natural = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  const stage = Type.Union(RECEIPT_STAGES.map((name) => Type.Literal(name)));
  const waiting = {
    wait: Type.Optional(stage),
    timeout: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_RECEIPT_WAIT_SECONDS })),
  };
  const wait = plain(Type.Object(waiting));
  const posting = plain(
    Type.Object({
      ...waiting,
      order: Type.Optional(Type.Union([Type.Literal('promise'), Type.Literal('chain')])),
      archive: Type.Optional(Type.Boolean()),
    }),
  );
  const receipt = plain(
    Type.Object({
      id: hash,
      chainId: natural,
      shardId: natural,
      sizeBytes: natural,
      stage,
      commitment: Type.Optional(hash),
      epoch: Type.Optional(natural),
      quorumId: Type.Optional(natural),
      expirySeconds: Type.Optional(natural),
      batchRoot: Type.Optional(hash),
      leafIndex: Type.Optional(natural),
      transaction: Type.Optional(hash),
      archive: Type.Optional(
        Type.Object({
          stage: Type.Union(ARCHIVE_STAGES.map((name) => Type.Literal(name))),
          root: Type.Optional(hash),
          sequence: Type.Optional(natural),
        }),
      ),
      trouble: Type.Optional(Type.Object({ code: Type.String(), detail: Type.String() })),
    }),
  );
  const ofBlob = plain(Type.Object({ id: hash }));
  return [
    {
      method: 'POST',
      path: BLOBS_PATH,
      id: 'postBlob',
      summary: 'Takes a payload, answers once it is on disk or has reached the stage waited for',
      query: posting,
      body: { type: PAYLOAD_TYPE, maxBytes: maxPayloadBytes },
      replies: {
        200: json('the receipt of a blob that is final', receipt),
        202: json('the receipt of a blob on its way', receipt),
        ...problems(400, 401, 408, 413, 422, 429, 501, 503, 507),
      },
    },
    {
      method: 'GET',
      path: `${BLOBS_PATH}/{id}`,
      id: 'getBlob',
      summary: 'The receipt, at once or when the blob has reached the stage waited for',
      params: ofBlob,
      query: wait,
      replies: { 200: json('the receipt', receipt), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: `${BLOBS_PATH}/{id}/certificate`,
      id: 'getCertificate',
      summary: 'What the blob’s quorum signed, verifiable without this disperser',
      params: ofBlob,
      replies: { 200: binary('the certificate', CERTIFICATE_TYPE), ...problems(400, 404, 409) },
    },
    {
      method: 'GET',
      path: `${BLOBS_PATH}/{id}/payload`,
      id: 'getPayload',
      summary: 'The payload, from this disperser, from the blob’s quorum, or from the log',
      params: ofBlob,
      replies: { 200: binary('the payload', PAYLOAD_TYPE), ...problems(400, 404, 503) },
    },
  ];
}
