import { Readable } from 'node:stream';
import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import {
  acceptStreams,
  addRoute,
  type HttpReplyOut,
  type HttpRequestIn,
  pathText,
  queryValue,
  type RouteGroup,
  requestSignal,
} from '@cairn/node-runtime/http';
import {
  type ChainId,
  type Clock,
  isFault,
  parseRoot,
  type Root,
  withDeadline,
} from '@cairn/primitives';
import { blobReceiptJson, CERTIFICATE_TYPE, RECEIPT_STAGES } from '@cairn/wire-protocol/da';
import { blobRoutes } from '@cairn/wire-protocol/da-route-table';
import { ORDER_PATHS } from '../../disperser/blob-order.ts';
import { type BlobRecord, hasReached, stageOf } from '../../disperser/blob-record.ts';
import type { Disperser } from '../../disperser/disperser.ts';
import { DispersalError } from '../../disperser/errors.ts';
import { receiptOf } from '../../disperser/receipt.ts';
import { admitTo, type PayloadSources, readPayload } from '../read-payload.ts';
import { callerOf, type PayloadIntake, takePayload } from '../take-payload.ts';

/** What the doors of blobs need. */
export interface BlobDoorsDeps extends Pick<PayloadSources, 'reader' | 'replies' | 'archive'> {
  /** Named in every receipt. */
  readonly place: { readonly chainId: ChainId; readonly shardId: number };
  readonly disperser: Pick<
    Disperser,
    'requireAccount' | 'requireArchive' | 'accept' | 'find' | 'reached' | 'payload' | 'archiveOf'
  >;
  readonly intake: Omit<PayloadIntake, 'maxBytes'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly stopping: AbortSignal;
}

/** Time for a stage that is waited for without a time. */
const DEFAULT_WAIT_SECONDS = 30;
/** The longest wait: a host closes connections that are silent for 120 s. Then the receipt comes as it is. */
const MAX_WAIT_SECONDS = 110;

/**
 * `POST /v1/blobs` takes a payload; `GET /v1/blobs/{id}` tells how far it is, at once or when it has
 * reached a stage; `…/certificate` and `…/payload` give what there is.
 */
export function blobDoors(deps: BlobDoorsDeps): RouteGroup {
  return (app) => {
    acceptStreams(app, { maxBytes: MAX_PAYLOAD_BYTES });
    const table = { tag: 'data availability', routes: blobRoutes(MAX_PAYLOAD_BYTES) };
    addRoute(app, table, 'postBlob', (request, reply) => postBlob(request, reply, deps));
    addRoute(app, table, 'getBlob', async (request, reply) => {
      const id = parseRoot(pathText(request, 'id'));
      const record = await awaited(id, request, requestSignal(reply, deps.stopping), deps);
      return sendReceipt(record, reply, deps);
    });
    addRoute(app, table, 'getCertificate', async (request, reply) => {
      const record = await requireBlob(request, deps);
      const { id, certificate } = record;
      const stage = stageOf(record);
      if (certificate === undefined || !hasReached(stage, 'dispersed')) {
        throw new DispersalError(
          { code: 'BLOB_NOT_DISPERSED', id, stage },
          `the quorum has not signed for ${id} yet: it is ${stage}`,
        );
      }
      void reply.type(CERTIFICATE_TYPE);
      return Buffer.from(certificate);
    });
    addRoute(app, table, 'getPayload', async (request, reply) => {
      const record = await requireBlob(request, deps);
      const signal = requestSignal(reply, deps.stopping);
      const admit = admitTo(reply, deps, signal);
      const payload = await readPayload(record, deps, { admit, signal });
      void reply
        .type('application/octet-stream')
        .header('content-length', payload.length)
        .header('x-content-type-options', 'nosniff');
      return Readable.from([payload], { objectMode: false });
    });
  };
}

async function postBlob(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  deps: BlobDoorsDeps,
): Promise<unknown> {
  const { disperser, intake, stopping } = deps;
  const signal = requestSignal(reply, stopping);
  const caller = callerOf(request);
  disperser.requireAccount(caller); // before memory is given to what it sends
  const bounds = { ...intake, maxBytes: MAX_PAYLOAD_BYTES };
  const archive = queryValue(request, 'archive');
  if (archive === true) disperser.requireArchive(); // before it is read as well
  const path = ORDER_PATHS.find((known) => known === queryValue(request, 'order'));
  const options = {
    ...(path === undefined ? {} : { path }),
    ...(typeof archive === 'boolean' ? { isArchived: archive } : {}),
    signal: stopping,
  };
  const accept = (payload: Uint8Array): Promise<BlobRecord> =>
    disperser.accept(payload, caller, options);
  const { id } = await takePayload(request, bounds, accept, signal);
  const record = await awaited(id, request, signal, deps);
  void reply.code(record.stage === 'final' ? 200 : 202).header('location', `/v1/blobs/${id}`);
  return sendReceipt(record, reply, deps);
}

/** The record, once the stage of the query is reached or its time is over. */
async function awaited(
  id: Root,
  request: HttpRequestIn,
  signal: AbortSignal,
  { disperser, clock }: BlobDoorsDeps,
): Promise<BlobRecord> {
  const stage = RECEIPT_STAGES.find((known) => known === queryValue(request, 'wait'));
  const asked = Number(queryValue(request, 'timeout') ?? DEFAULT_WAIT_SECONDS);
  const seconds = Math.min(asked, MAX_WAIT_SECONDS);
  if (stage !== undefined) {
    const wait = (inner: AbortSignal): Promise<BlobRecord> => disperser.reached(id, stage, inner);
    try {
      return await withDeadline(`the stage ${stage}`, seconds * 1000, wait, { clock, signal });
    } catch (error) {
      if (!isFault(error, 'DEADLINE_PASSED')) throw error;
    }
  }
  return requireRecord(id, await disperser.find(id));
}

async function requireBlob(
  request: HttpRequestIn,
  { disperser }: BlobDoorsDeps,
): Promise<BlobRecord> {
  const id = parseRoot(pathText(request, 'id'));
  return requireRecord(id, await disperser.find(id));
}

function requireRecord(id: Root, record: BlobRecord | undefined): BlobRecord {
  if (record !== undefined) return record;
  throw new DispersalError({ code: 'BLOB_NOT_TAKEN', id }, `no blob ${id} lives here`);
}

async function sendReceipt(
  record: BlobRecord,
  reply: HttpReplyOut,
  { place, disperser }: BlobDoorsDeps,
): Promise<unknown> {
  void reply.header('cache-control', 'no-store');
  return blobReceiptJson(receiptOf(record, place, await disperser.archiveOf(record.id)));
}
