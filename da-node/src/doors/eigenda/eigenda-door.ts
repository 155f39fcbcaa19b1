import { Readable } from 'node:stream';
import type { BlsBackend } from '@cairn/attestation';
import {
  type HttpReplyOut,
  type HttpRequestIn,
  queryValue,
  requestSignal,
} from '@cairn/node-runtime/http';
import { type Clock, isFault, MIB, withDeadline } from '@cairn/primitives';
import type { BlobRecord, BlobStage } from '../../disperser/blob-record.ts';
import type { Disperser } from '../../disperser/disperser.ts';
import { DispersalError } from '../../disperser/errors.ts';
import type { AltDaDoor } from '../alt-da/alt-da-routes.ts';
import { admitTo, type PayloadSources, readPayload } from '../read-payload.ts';
import { callerOf, type PayloadIntake, takePayload } from '../take-payload.ts';
import { answerEigendaFault } from './answer-fault.ts';
import { encodeEigendaCertificate, parseEigendaCertificate } from './certificate.ts';
import { dropped, EigendaError } from './errors.ts';
import { type JudgeDeps, judgeCertificate } from './judge-certificate.ts';

/** What the door for clients of an EigenDA proxy needs. */
export interface EigendaDoorDeps extends PayloadSources, Omit<JudgeDeps, 'backend'> {
  readonly disperser: Pick<
    Disperser,
    'requireAccount' | 'accept' | 'find' | 'reached' | 'payload' | 'findByCommitment'
  >;
  readonly backend: JudgeDeps['backend'] & Pick<BlsBackend, 'parseSignature'>;
  readonly intake: Omit<PayloadIntake, 'maxBytes'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** The stage of a blob at which its certificate is given out. */
  readonly putStage: Extract<BlobStage, 'confirmed' | 'final'>;
  /** Time for a PUT, from its body to that stage; then the client is told to fail over. */
  readonly putTimeoutMs: number;
  /** Time for a GET until its reply begins. */
  readonly getTimeoutMs: number;
  readonly stopping: AbortSignal;
}

/** Bytes of a payload at most: what a proxy takes, so that clients see the bound they know. */
export const MAX_EIGENDA_BYTES: number = 16 * MIB;
/** Values of a flag that say yes, as a proxy reads it. */
const YES: readonly unknown[] = ['', 'true', '1'];

/**
 * What an EigenDA proxy answers in its standard mode: `POST /put` with a certificate under this
 * network's own version byte once the chain has confirmed it, `GET /get/<certificate>` with the
 * payload. A certificate is dropped (418), decided later (503), or stands for its payload (200).
 */
export function eigendaDoor(deps: EigendaDoorDeps): AltDaDoor {
  const answered =
    (answer: (request: HttpRequestIn, reply: HttpReplyOut, name: string) => Promise<unknown>) =>
    async (request: HttpRequestIn, reply: HttpReplyOut, name = ''): Promise<unknown> => {
      try {
        return await answer(request, reply, name);
      } catch (error) {
        return answerEigendaFault(error, reply);
      }
    };
  return {
    put: answered((request, reply) => put(request, reply, deps)),
    putNamed: answered(() => Promise.reject(malformed('POST /put without a name in the path'))),
    get: answered((request, reply, text) => get(request, reply, text, deps)),
  };
}

async function put(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  { disperser, intake, clock, putStage, putTimeoutMs, stopping }: EigendaDoorDeps,
): Promise<Buffer> {
  const signal = requestSignal(reply, stopping);
  const caller = callerOf(request);
  disperser.requireAccount(caller); // before memory is given to what it sends
  const accept = (payload: Uint8Array): Promise<BlobRecord> =>
    disperser.accept(payload, caller, { signal: stopping });
  const bounds = { ...intake, maxBytes: MAX_EIGENDA_BYTES };
  const work = async (inner: AbortSignal): Promise<BlobRecord> => {
    const { id } = await takePayload(request, bounds, accept, inner);
    return disperser.reached(id, putStage, inner);
  };
  const record = await withDeadline('a dispersal', putTimeoutMs, work, { clock, signal });
  const { id, certificate, stage } = record;
  if (certificate === undefined) {
    throw new DispersalError(
      { code: 'BLOB_NOT_DISPERSED', id, stage },
      `the certificate of ${id} is gone: it is ${stage}`,
    );
  }
  void reply.type('application/octet-stream');
  return Buffer.from(encodeEigendaCertificate(certificate));
}

async function get(
  request: HttpRequestIn,
  reply: HttpReplyOut,
  text: string,
  deps: EigendaDoorDeps,
): Promise<Readable> {
  if (YES.includes(String(queryValue(request, 'return_encoded_payload') ?? 'no').toLowerCase())) {
    throw malformed('return_encoded_payload left out: payloads have no encoded form here');
  }
  const carriedBy = inclusionBlockOf(request);
  const certificate = parseEigendaCertificate(text, deps.backend);
  const { clock, getTimeoutMs, stopping } = deps;
  const signal = requestSignal(reply, stopping);
  const read = async (inner: AbortSignal): Promise<Uint8Array> => {
    const { header, statement } = await judgeCertificate(certificate, deps, {
      carriedBy,
      signal: inner,
    });
    const options = { admit: admitTo(reply, deps, inner), signal: inner };
    const { commitment } = header;
    // A record knows where its blob is now, should it have been dispersed again.
    const record = await deps.disperser.findByCommitment(commitment);
    if (record !== undefined) return readPayload(record, deps, options);
    const { epoch, quorumId } = statement;
    return (await deps.reader({ commitment, epoch, quorumId }, options)).payload;
  };
  try {
    const payload = await withDeadline('a read', getTimeoutMs, read, { clock, signal });
    void reply.type('application/octet-stream').header('content-length', payload.length);
    return Readable.from([payload], { objectMode: false });
  } catch (error) {
    if (!isFault(error, 'BLOB_NULL')) throw error;
    throw dropped('undecodable', 'no payload has the commitment of the certificate', error);
  }
}

/** @throws {EigendaError} EIGENDA_REQUEST */
function inclusionBlockOf(request: HttpRequestIn): number | undefined {
  const text = queryValue(request, 'l1_inclusion_block_number') ?? '';
  if (text === '') return undefined;
  const block = typeof text === 'string' && /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(block)) throw malformed('a decimal l1_inclusion_block_number');
  return block === 0 ? undefined : block;
}

function malformed(expected: string): EigendaError {
  return new EigendaError({ code: 'EIGENDA_REQUEST', expected }, `this door takes ${expected}`);
}
