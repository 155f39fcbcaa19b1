import Type, { type TSchema } from 'typebox';
import { binary, type HttpRoute, type JsonSchema, json, plain, problems } from './route-parts.ts';
import { STATUS_PATH } from './routes.ts';
import { SECTOR_MESSAGE_TYPE } from './sector-message.ts';
import {
  MAX_SEGMENT_MESSAGE_BYTES,
  MAX_SEGMENTS_PER_REPLY,
  SEGMENT_MESSAGE_TYPE,
} from './segment-message.ts';
import { MAX_SHARDS } from './shard.ts';

export type { HttpRoute, JsonSchema, RouteReply } from './route-parts.ts';

/** The HTTP routes of a storage node, JSON-RPC left out. */
export function storageRoutes(): readonly HttpRoute[] {
  const root = Type.String({ pattern: '^0x[0-9a-fA-F]{64}$', description: 'the file’s root' });
  const natural = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  const bySequence = plain(Type.Object({ seq: Type.Optional(natural) }));
  const segmentParams = plain(Type.Object({ root, index: natural }));
  const rootParams = plain(Type.Object({ root }));
  return [
    {
      method: 'PUT',
      path: '/v1/segments/{root}/{index}',
      id: 'putSegment',
      summary: 'Stores one segment with its proof',
      params: segmentParams,
      body: { type: SEGMENT_MESSAGE_TYPE, maxBytes: MAX_SEGMENT_MESSAGE_BYTES },
      replies: {
        200: { description: 'held already, or of another shard' },
        202: { description: 'kept in memory until the log entry is known' },
        204: { description: 'stored on disk' },
        ...problems(400, 404, 409, 413, 415, 422, 503, 507),
      },
    },
    {
      method: 'GET',
      path: '/v1/segments/{root}/{index}',
      id: 'getSegment',
      summary:
        'A segment with its proof, or up to `count` segments one after another, each `step` after the one before',
      params: segmentParams,
      query: plain(
        Type.Object({
          seq: Type.Optional(natural),
          count: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SEGMENTS_PER_REPLY })),
          step: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SHARDS })),
        }),
      ),
      replies: { 200: binary('the segment', SEGMENT_MESSAGE_TYPE), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/sectors/{root}/{index}',
      id: 'getSector',
      summary: 'One sector by its place in the file, with its path to the root',
      params: segmentParams,
      query: bySequence,
      replies: { 200: binary('the sector', SECTOR_MESSAGE_TYPE), ...problems(400, 404) },
    },
    ...fileRoutes('/v1/files/{root}', 'File', 'of a root', rootParams),
    ...fileRoutes(
      '/v1/tx/{seq}',
      'EntryFile',
      'of a log entry',
      plain(Type.Object({ seq: natural })),
    ),
    {
      method: 'GET',
      path: '/v1/entries/{root}',
      id: 'getFileStat',
      summary: 'Log entries of a root and what is held of them',
      params: rootParams,
      replies: { 200: json('the stat', fileStatSchema(root, natural)), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/entries/{root}/held',
      id: 'getHeld',
      summary: 'Bitmap of the held segments: bit i & 7 of byte i >> 3',
      params: rootParams,
      query: bySequence,
      replies: { 200: binary('the bitmap', 'application/octet-stream'), ...problems(400, 404) },
    },
    {
      method: 'GET',
      path: '/v1/entries/{root}/economics',
      id: 'getEconomics',
      summary:
        'What a file cost, until when it is paid for, who proved it last, and how many should keep it',
      params: rootParams,
      query: bySequence,
      replies: {
        200: json('the economics', economicsSchema(root, natural)),
        ...problems(400, 404, 503),
      },
    },
    {
      method: 'GET',
      path: STATUS_PATH,
      id: 'getStatus',
      summary: 'What the node follows and how far it is',
      replies: { 200: json('the status', statusSchema(natural)) },
    },
  ];
}

function fileRoutes(path: string, id: string, whose: string, params: JsonSchema): HttpRoute[] {
  const replies = {
    200: binary('the whole file, or the listing of a directory', 'application/octet-stream'),
    206: binary('the ranges asked for', 'application/octet-stream'),
    304: { description: 'the caller has it' },
    ...problems(400, 404, 416, 503),
  };
  return [
    { method: 'GET', path, id: `get${id}`, summary: `Bytes ${whose}`, params, replies },
    {
      method: 'HEAD',
      path,
      id: `head${id}`,
      summary: `Head of the bytes ${whose}`,
      params,
      replies,
    },
    {
      method: 'GET',
      path: `${path}/{path}`,
      id: `get${id}Inside`,
      summary: `A file inside the directory ${whose}`,
      params,
      replies,
    },
  ];
}

function fileStatSchema(root: TSchema, natural: TSchema): JsonSchema {
  const address = Type.String({ pattern: '^0x[0-9a-f]{40}$' });
  return plain(
    Type.Object({
      chainId: natural,
      root,
      entries: Type.Array(
        Type.Object({
          sequence: natural,
          sizeBytes: natural,
          startSector: natural,
          paddedSectors: natural,
          submitter: address,
          tags: Type.String({ pattern: '^0x([0-9a-f]{2})*$' }),
          block: natural,
          finalized: Type.Boolean(),
          ownedSegments: natural,
          heldSegments: natural,
          pruned: Type.Boolean(),
        }),
      ),
    }),
  );
}

function economicsSchema(root: TSchema, natural: TSchema): JsonSchema {
  const wei = Type.String({ pattern: '^[0-9]+$', description: 'wei' });
  const answer = Type.Object({
    block: natural,
    transactionHash: Type.String({ pattern: '^0x[0-9a-f]{64}$' }),
    minerId: Type.String({ pattern: '^0x[0-9a-f]{64}$' }),
    beneficiary: Type.Optional(Type.String({ pattern: '^0x[0-9a-f]{40}$' })),
    sector: natural,
  });
  return plain(
    Type.Object({
      chainId: natural,
      root,
      sequence: natural,
      chargedSectors: natural,
      paidWei: Type.Optional(wei),
      pricePerSectorWei: wei,
      termSeconds: natural,
      paidUntil: Type.Optional(natural),
      renewalWei: wei,
      lastProven: Type.Object({
        file: Type.Optional(answer),
        chunk: Type.Optional(answer),
        fromBlock: natural,
      }),
      replicas: Type.Object({ least: natural, most: natural, nodes: natural }),
    }),
  );
}

function statusSchema(natural: TSchema): JsonSchema {
  return plain(
    Type.Object({
      version: Type.String(),
      chainId: natural,
      flow: Type.String({ pattern: '^0x[0-9a-f]{40}$' }),
      shard: Type.Object({ id: natural, count: natural }),
      head: Type.Optional(natural),
      synced: Type.Boolean(),
      nextSequence: natural,
      logSyncBlock: Type.Optional(Type.Object({ number: natural, hash: Type.String() })),
    }),
  );
}
