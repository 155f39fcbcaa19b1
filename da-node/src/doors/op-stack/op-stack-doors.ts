import { Readable } from 'node:stream';
import { MAX_PAYLOAD_BYTES } from '@cairn/erasure-codec';
import {
  ClientGone,
  type HttpReplyOut,
  type HttpRequestIn,
  requestSignal,
} from '@cairn/node-runtime/http';
import {
  type Clock,
  describeError,
  equalBytes,
  isFault,
  keccak256,
  toHex,
  withDeadline,
} from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';
import type { BlobRecord, BlobStage } from '../../disperser/blob-record.ts';
import type { Disperser } from '../../disperser/disperser.ts';
import { DispersalError } from '../../disperser/errors.ts';
import type { AltDaDoor } from '../alt-da/alt-da-routes.ts';
import { admitTo, type PayloadSources, readPayload } from '../read-payload.ts';
import { callerOf, type PayloadIntake, takePayload } from '../take-payload.ts';
import { encodeOpCommitment, type GenericCommitment, parseOpCommitment } from './commitment.ts';
import { OpStackError } from './errors.ts';

/** How far a blob is when a client of a rollup has its answer. */
export type PutStage = Extract<BlobStage, 'dispersed' | 'confirmed' | 'final'>;

/** What the door for OP Stack clients needs. */
export interface OpStackDoorDeps extends Pick<PayloadSources, 'reader' | 'replies'> {
  readonly shardId: number;
  readonly disperser: Pick<
    Disperser,
    | 'requireAccount'
    | 'accept'
    | 'find'
    | 'reached'
    | 'payload'
    | 'findByCommitment'
    | 'findByKeccak'
  >;
  readonly intake: Omit<PayloadIntake, 'maxBytes'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly putStage: PutStage;
  /** Time for a PUT, from its body to that stage; then the client is told to fail over. */
  readonly putTimeoutMs: number;
  /** Time for a GET until its reply begins, as above. */
  readonly getTimeoutMs: number;
  readonly stopping: AbortSignal;
}

/** Longest input of a keccak commitment: rollups drop longer ones in derivation. */
const MAX_KECCAK_INPUT_BYTES = 130_672;
/** Problems of a PUT that lie with the client: another server would say the same. */
const CLIENT_STATUS: readonly number[] = [400, 401, 408, 413, 422, 499];
/** What makes absence certain. All else may be there: 503, so that no derivation takes it for gone. */
const CERTAINLY_ABSENT: readonly string[] = ['BLOB_ABSENT', 'BLOB_NULL', 'BLOB_NOT_TAKEN'];

/**
 * An alt-DA server for op-batcher and op-node: `POST /put` answers with a generic commitment once the
 * blob is at `putStage`, `POST /put/0x00…` takes an input under its keccak-256, `GET /get/0x…` gives it
 * back.
 */
export function opStackDoor(deps: OpStackDoorDeps): AltDaDoor {
  return {
    put: (request, reply) => putGeneric(request, reply, deps),
    putNamed: (request, reply, name) => putKeccak(request, reply, name, deps),
    get: (_, reply, commitment) => getInput(reply, commitment, deps),
  };
}

async function putGeneric(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  deps: OpStackDoorDeps,
): Promise<Buffer> {
  const { commitment, order } = await put(request, reply, deps, undefined);
  if (commitment === undefined || order === undefined) throw failOver('it has no commitment yet');
  const { epoch, quorumId } = order;
  void reply.type('application/octet-stream');
  return Buffer.from(encodeOpCommitment({ commitment, epoch, quorumId, shardId: deps.shardId }));
}

async function putKeccak(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  name: string,
  deps: OpStackDoorDeps,
): Promise<string> {
  const named = parseOpCommitment(name);
  if (named.kind !== 'keccak') {
    throw new OpStackError(
      { code: 'OP_COMMITMENT', expected: 'type 0 where the client names the input' },
      'a client names its input by keccak-256, type 0; other commitments are the server’s',
    );
  }
  await put(request, reply, deps, named.hash);
  void reply.type('text/plain');
  return '';
}

/** The blob of a request's body, once it is at the stage that clients wait for. */
async function put(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  { disperser, intake, clock, putStage, putTimeoutMs, stopping }: OpStackDoorDeps,
  keccak: Uint8Array | undefined,
): Promise<BlobRecord> {
  const signal = requestSignal(reply, stopping);
  const isNamedByKeccak = keccak !== undefined;
  const maxBytes = isNamedByKeccak ? MAX_KECCAK_INPUT_BYTES : MAX_PAYLOAD_BYTES;
  try {
    const caller = callerOf(request);
    disperser.requireAccount(caller); // before memory is given to what it sends
    const accept = async (payload: Uint8Array): Promise<BlobRecord> => {
      if (keccak !== undefined) assertKeccak(payload, keccak);
      return disperser.accept(payload, caller, { isNamedByKeccak, signal: stopping });
    };
    const work = async (inner: AbortSignal): Promise<BlobRecord> => {
      const { id } = await takePayload(request, { ...intake, maxBytes }, accept, inner);
      return disperser.reached(id, putStage, inner);
    };
    return await withDeadline('a dispersal', putTimeoutMs, work, { clock, signal });
  } catch (error) {
    if (error instanceof ClientGone) throw error;
    if (CLIENT_STATUS.includes(problemOf(error).status)) throw error;
    throw failOver(describeError(error), error);
  }
}

async function getInput(
  reply: HttpReplyOut,
  commitment: string,
  deps: OpStackDoorDeps,
): Promise<Readable> {
  const named = parseOpCommitment(commitment);
  const signal = requestSignal(reply, deps.stopping);
  const { clock, getTimeoutMs } = deps;
  const read = (inner: AbortSignal): Promise<Uint8Array> => {
    const options = { admit: admitTo(reply, deps, inner), signal: inner };
    return named.kind === 'keccak'
      ? inputOfKeccak(named.hash, deps, options)
      : inputOf(named, deps, options);
  };
  let payload: Uint8Array;
  try {
    payload = await withDeadline('a read', getTimeoutMs, read, { clock, signal });
  } catch (error) {
    const isDecided = error instanceof OpStackError || error instanceof ClientGone;
    if (isDecided || CERTAINLY_ABSENT.some((code) => isFault(error, code))) throw error;
    throw failOver(describeError(error), error);
  }
  void reply.type('application/octet-stream').header('content-length', payload.length);
  return Readable.from([payload], { objectMode: false });
}

type ReadOptions = Parameters<typeof readPayload>[2];

async function inputOfKeccak(
  hash: Uint8Array,
  deps: OpStackDoorDeps,
  options: ReadOptions,
): Promise<Uint8Array> {
  const record = await deps.disperser.findByKeccak(hash);
  if (record !== undefined) return readPayload(record, deps, options);
  // The index of keccaks is kept here and nowhere else: what is not in it was never taken.
  const id = toHex(hash);
  throw new DispersalError(
    { code: 'BLOB_NOT_TAKEN', id },
    `no input with the hash ${id} lives here`,
  );
}

async function inputOf(
  wanted: GenericCommitment,
  deps: OpStackDoorDeps,
  options: ReadOptions,
): Promise<Uint8Array> {
  const { shardId } = deps;
  if (wanted.shardId !== undefined && wanted.shardId !== shardId) {
    throw new OpStackError(
      { code: 'OP_COMMITMENT', expected: `shard ${shardId}` },
      `the blob is on shard ${wanted.shardId}, and this server reads shard ${shardId}`,
    );
  }
  // A record knows where its blob is now, should it have been dispersed again.
  const record = await deps.disperser.findByCommitment(wanted.commitment);
  if (record !== undefined) return readPayload(record, deps, options);
  const { payload } = await deps.reader(wanted, options);
  return payload;
}

function assertKeccak(payload: Uint8Array, expected: Uint8Array): void {
  const hash = keccak256(payload);
  if (equalBytes(hash, expected)) return;
  const actual = toHex(hash);
  throw new OpStackError(
    { code: 'OP_KECCAK_WRONG', actual },
    `the body's keccak-256 is ${actual}, not the one in the path`,
  );
}

function failOver(reason: string, cause?: unknown): OpStackError {
  return new OpStackError(
    { code: 'OP_FAIL_OVER' },
    `nothing is decided here: ${reason}`,
    cause === undefined ? undefined : { cause },
  );
}
