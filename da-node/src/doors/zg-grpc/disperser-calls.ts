import type { GenService } from '@bufbuild/protobuf/codegenv2';
import { type Clock, withDeadline } from '@cairn/primitives';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { ByteBudget } from '../../byte-budget.ts';
import type { Caller } from '../../disperser/accounts.ts';
import { type BlobRecord, hasReached, stageOf } from '../../disperser/blob-record.ts';
import type { Disperser } from '../../disperser/disperser.ts';
import { DispersalError } from '../../disperser/errors.ts';
import { type PayloadReader, type PayloadSources, readPayload } from '../read-payload.ts';
import { CALL_MEMORY } from './call-memory.ts';
import { answering } from './call-status.ts';
import {
  BLOB_STATUS,
  type BlobStatus,
  type DisperserMethods,
  ZG_MAX_BLOB_BYTES,
} from './disperser-messages.ts';
import { acceptanceOf, parseRequestId, requestIdOf } from './request-id.ts';

/** What the calls of 0G clients need. */
export interface DisperserCallsDeps {
  readonly disperser: Pick<
    Disperser,
    'requireAccount' | 'accept' | 'find' | 'payload' | 'findByCommitment'
  >;
  readonly reader: PayloadReader;
  /** Reads what is in the log; none where blobs are not written to it. */
  readonly archive?: NonNullable<PayloadSources['archive']>;
  /** Of all replies under way. */
  readonly replies: ByteBudget;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly stopping: AbortSignal;
}

/** Bytes of a storage root, which is the blob's commitment. */
const ROOT_BYTES = 32;
/** A reply is held three times: as payload, as message, and as what is sent. */
const REPLY_PARTS = 3;
/** Time for a read, as 0G's disperser gives its retriever. */
const READ_TIMEOUT_MS = 60_000;
/** A blob whose step has failed that long after its acceptance is called failed. */
const FAILED_AFTER_MS = 600_000;

/** Answers the methods of `disperser.Disperser`. */
export function disperserCalls(
  deps: DisperserCallsDeps,
): ServiceImpl<GenService<DisperserMethods>> {
  return {
    disperseBlob: ({ data }, context) => answering(() => disperse(data, context, deps)),
    getBlobStatus: ({ requestId }) => answering(() => tell(requestId, deps)),
    retrieveBlob: (wanted, context) => answering(() => retrieve(wanted, context, deps)),
  };
}

/** The API key that a call shows: `x-api-key`, or a bearer token. */
export function callerOfCall(headers: Headers): Caller {
  const bearer = /^Bearer (\S{1,512})$/.exec(headers.get('authorization') ?? '')?.[1];
  return { apiKey: headers.get('x-api-key') ?? bearer };
}

/** Resolves only when the payload is used no more, whether its client waits or not. */
async function disperse(
  data: Uint8Array,
  { requestHeader }: HandlerContext,
  { disperser, stopping }: DisperserCallsDeps,
): Promise<{ result: BlobStatus; requestId: Uint8Array }> {
  if (data.length > ZG_MAX_BLOB_BYTES) throw tooLarge(data.length);
  const caller = callerOfCall(requestHeader);
  const record = await disperser.accept(data, caller, { signal: stopping });
  return { result: BLOB_STATUS.PROCESSING, requestId: requestIdOf(record) };
}

async function tell(
  bytes: Uint8Array,
  { disperser, clock }: DisperserCallsDeps,
): Promise<{ status: BlobStatus; info?: { blobHeader: BlobPlace } }> {
  const request = parseRequestId(bytes);
  const record = request && (await disperser.find(request.blob));
  if (record === undefined || acceptanceOf(record) !== request?.acceptance) {
    throw new ConnectError('no blob was taken here under this request id', Code.NotFound);
  }
  const status = statusOf(record, clock.now());
  const blobHeader = placeOf(record);
  return blobHeader === undefined ? { status } : { status, info: { blobHeader } };
}

interface BlobPlace {
  readonly storageRoot: Uint8Array;
  readonly epoch: bigint;
  readonly quorumId: bigint;
}

/** How far a blob is, in 0G's words. */
export function statusOf(record: BlobRecord, nowMs: number): BlobStatus {
  const { trouble, acceptedMs } = record;
  const stage = stageOf(record);
  if (stage === 'final') return BLOB_STATUS.FINALIZED;
  if (stage === 'confirmed') return BLOB_STATUS.CONFIRMED;
  switch (trouble?.code) {
    case 'INSUFFICIENT_SIGNATURES':
      return BLOB_STATUS.INSUFFICIENT_SIGNATURES;
    case 'STEP_FAILED':
      // One failed step is nothing to tell; those who may post elsewhere should know of a lasting one.
      return nowMs - acceptedMs < FAILED_AFTER_MS ? BLOB_STATUS.PROCESSING : BLOB_STATUS.FAILED;
    case 'STALLED':
    case undefined:
      return BLOB_STATUS.PROCESSING;
  }
}

/** Where a blob is, once its quorum has signed: until then it may get another epoch. */
function placeOf(record: BlobRecord): BlobPlace | undefined {
  const { commitment, order } = record;
  if (commitment === undefined || order === undefined) return undefined;
  if (!hasReached(stageOf(record), 'dispersed')) return undefined;
  const { epoch, quorumId } = order;
  return { storageRoot: commitment, epoch: BigInt(epoch), quorumId: BigInt(quorumId) };
}

async function retrieve(
  { storageRoot, epoch, quorumId }: BlobPlace,
  { values, signal }: HandlerContext,
  { replies, clock, ...sources }: DisperserCallsDeps,
): Promise<{ data: Uint8Array }> {
  if (storageRoot.length !== ROOT_BYTES) {
    throw refusal(`a storage root has ${ROOT_BYTES} bytes, not ${storageRoot.length}`);
  }
  const wanted = { commitment: storageRoot, epoch: exact(epoch), quorumId: exact(quorumId) };
  const read = async (inner: AbortSignal): Promise<Uint8Array> => {
    const admit = async (bytes: number): Promise<void> => {
      if (bytes > ZG_MAX_BLOB_BYTES) throw notCarried(bytes);
      const release = await replies.take(REPLY_PARTS * bytes, inner);
      values.get(CALL_MEMORY)?.hold(release);
    };
    const options = { admit, signal: inner };
    // A record knows where its blob is now, should it have been dispersed again.
    const record = await sources.disperser.findByCommitment(storageRoot);
    if (record !== undefined) return readPayload(record, sources, options);
    return (await sources.reader(wanted, options)).payload;
  };
  return { data: await withDeadline('a read', READ_TIMEOUT_MS, read, { clock, signal }) };
}

/** A number that is counted exactly. @throws {ConnectError} INVALID_ARGUMENT */
function exact(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refusal('numbers here are below 2^53');
  return Number(value);
}

function tooLarge(sizeBytes: number): DispersalError {
  return new DispersalError(
    { code: 'BLOB_TOO_LARGE', sizeBytes, maxBytes: ZG_MAX_BLOB_BYTES },
    `a blob has up to ${ZG_MAX_BLOB_BYTES} bytes at this door, not ${sizeBytes}`,
  );
}

function notCarried(sizeBytes: number): ConnectError {
  return new ConnectError(
    `the blob has ${sizeBytes} bytes, and this door carries ${ZG_MAX_BLOB_BYTES}; read it by REST`,
    Code.ResourceExhausted,
  );
}

function refusal(sentence: string): ConnectError {
  return new ConnectError(sentence, Code.InvalidArgument);
}
