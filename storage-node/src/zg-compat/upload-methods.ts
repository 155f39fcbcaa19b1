import { type Hasher, ProofError } from '@cairn/commitments';
import {
  type Fault,
  isFault,
  MAX_QUEUED_WRITES,
  SECTOR_BYTES,
  type Sequence,
} from '@cairn/primitives';
import {
  internalRpcError,
  invalidParam,
  parseZgSegment,
  parseZgSegments,
  RpcError,
  serverRpcError,
  ZGS,
  type ZgSegment,
} from '@cairn/wire-protocol';
import type { SegmentAcceptor } from '../journeys/accept-segment.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';
import { ALREADY_FINALIZED, ALREADY_UPLOADED, TOO_MANY_WRITES } from './errors.ts';
import { proveZgSegment } from './prove-segment.ts';
import { claimOf } from './segment-json.ts';

/** What the upload methods need. */
export interface ZgUploadDeps {
  readonly acceptor: Pick<SegmentAcceptor, 'accept'>;
  readonly hasher: Pick<Hasher, 'hashMany' | 'segmentRoot'>;
}

/**
 * The four upload methods. Every one answers null once its segments are on the disk, or in the
 * cache while the chain has not announced the file.
 *
 * The plural one by sequence passes over segments that are here already: the TypeScript SDK uses
 * only that one and does not know the message. The plural one by root stops at the first error;
 * what came before it stays.
 */
export function zgUploadMethods(deps: ZgUploadDeps): JsonRpcMethods {
  return {
    [ZGS.uploadSegment]: {
      parameters: 1,
      run: async (parameters, { signal }) => {
        await upload(parseZgSegment(parameters.at(0)), { deps, signal });
        return null;
      },
    },
    [ZGS.uploadSegmentByTxSeq]: {
      parameters: 2,
      run: async (parameters, { signal }) => {
        const segment = parseZgSegment(parameters.at(0));
        await upload(segment, { deps, signal, sequence: parameters.sequence(1) });
        return null;
      },
    },
    [ZGS.uploadSegments]: {
      parameters: 1,
      run: async (parameters, { signal }) => {
        for (const segment of parseZgSegments(parameters.at(0))) {
          await upload(segment, { deps, signal });
        }
        return null;
      },
    },
    [ZGS.uploadSegmentsByTxSeq]: {
      parameters: 2,
      run: async (parameters, { signal }) => {
        const segments = parseZgSegments(parameters.at(0));
        const sequence = parameters.sequence(1);
        for (const segment of segments) {
          try {
            await upload(segment, { deps, signal, sequence });
          } catch (error) {
            if (!isAlreadyUploaded(error)) throw error;
          }
        }
        return null;
      },
    },
  };
}

interface UploadContext {
  readonly deps: ZgUploadDeps;
  readonly signal: AbortSignal;
  readonly sequence?: Sequence;
}

/** @throws {RpcError} in the order and with the words of 0G nodes */
async function upload(segment: ZgSegment, context: UploadContext): Promise<void> {
  const { deps, signal, sequence } = context;
  const claim = claimOf(segment);
  if (claim.data.length === 0) throw serverRpcError('data is empty');
  if (claim.data.length % SECTOR_BYTES !== 0) throw serverRpcError('invalid data length');
  try {
    const outcome = await deps.acceptor.accept(
      { root: segment.root, sizeBytes: segment.fileSize, index: segment.index, sequence },
      () => proveZgSegment(claim, deps.hasher),
      { signal },
    );
    if (outcome === 'finalized') throw invalidParam('root', ALREADY_FINALIZED);
    if (outcome === 'already') throw serverRpcError(ALREADY_UPLOADED);
  } catch (error) {
    throw refusalOf(error);
  }
}

function isAlreadyUploaded(error: unknown): boolean {
  return error instanceof RpcError && error.facts.rpcMessage === ALREADY_UPLOADED;
}

/** What 0G nodes say for a refusal of the journey; other faults keep their own sentence. */
function refusalOf(error: unknown): unknown {
  if (!isFault(error) || error instanceof RpcError) return error;
  const { facts } = error as Fault<{
    readonly code: string;
    readonly field?: unknown;
    readonly maxBytes?: unknown;
  }>;
  switch (facts.code) {
    case 'ENTRY_MISMATCH':
      return facts.field === 'root'
        ? internalRpcError('data root and tx seq not match')
        : invalidParam('file_size', 'segment file size not matched with tx file size');
    case 'ENTRY_PRUNED':
      return invalidParam('root', 'already pruned');
    case 'ENTRY_REPLACED':
      return serverRpcError('Transaction reverted, please upload again');
    case 'CACHE_FILE_TOO_LARGE':
      return invalidParam(
        'file_size',
        'caching of large file when tx is unavailable is not supported',
      );
    case 'CACHE_FULL': {
      const maxSectors = Number(facts.maxBytes) / SECTOR_BYTES;
      return serverRpcError(`exceeds the maximum cached chunks of whole pool: ${maxSectors}`);
    }
    case 'QUEUE_FULL':
      return serverRpcError(`${TOO_MANY_WRITES}: ${MAX_QUEUED_WRITES}`);
    default:
      return error instanceof ProofError ? invalidParam('proof', error.message) : error;
  }
}
