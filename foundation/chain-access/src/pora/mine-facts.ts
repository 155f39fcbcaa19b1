import { WORKER_CALLER } from '@cairn/pora';
import { type Address, isZeroBytes, parseAddress, toHex } from '@cairn/primitives';
import type { ReadOptions } from '../da/contract.ts';
import type { Mine } from './open-mine.ts';

/** What a miner may mine now, as the contract would have it in a transaction sent now. */
export interface WorkerContext {
  readonly epoch: number;
  /** 32 bytes; of an epoch that cannot be mined the hash of nothing. */
  readonly contextDigest: Uint8Array;
  /** Root of the flow that answers are proven under, 32 bytes. */
  readonly flowRoot: Uint8Array;
  /** Sectors of the flow under that root. */
  readonly flowLength: number;
  /** Largest hash of a full range that wins; 0 outside the miner's window and in a full epoch. */
  readonly poraTarget: bigint;
  /** 32 bytes. */
  readonly subtaskDigest: Uint8Array;
  readonly maxShards: number;
}

/** A stretch of the flow, and the context that its pieces are sealed with. */
export interface SealContext {
  /** First sector. */
  readonly start: number;
  /** Sector after the last one. */
  readonly end: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** Whether the contract has it already; otherwise it would make it with the next transaction. */
  readonly isRecorded: boolean;
}

/** What a miner may mine now. @throws what the client throws */
export async function readWorkerContext(
  { contract }: Mine,
  minerId: Uint8Array,
  options: ReadOptions,
): Promise<WorkerContext> {
  const from = parseAddress(WORKER_CALLER);
  const reply = await contract.read('computeWorkerContext', [toHex(minerId)], { ...options, from });
  const worker = reply.inner(0);
  const context = worker.inner('context');
  return {
    epoch: context.number('epoch'),
    contextDigest: context.bytes('digest'),
    flowRoot: context.bytes('flowRoot'),
    flowLength: context.number('flowLength'),
    poraTarget: worker.wide('poraTarget'),
    subtaskDigest: worker.bytes('subtaskDigest'),
    maxShards: worker.number('maxShards'),
  };
}

/**
 * The context that a sector's piece is sealed with: of the piece's last sector.
 *
 * @throws {ChainError} CHAIN_RPC_ERROR if no context holds the sector yet; what the client throws
 */
export async function readSealContext(
  { flow }: Mine,
  sector: number,
  options: ReadOptions,
): Promise<SealContext> {
  const found = (await flow.read('queryContextAtPosition', [sector], options)).inner(0);
  const digest = found.bytes('digest');
  const recorded = (await flow.read('getEpochRange', [toHex(digest)], options)).inner(0);
  return {
    start: found.number('start'),
    end: found.number('end'),
    digest,
    isRecorded: recorded.number('end') > 0,
  };
}

/** Who is paid for a miner id; `undefined` for an id that nobody asked for. */
export async function readBeneficiary(
  { contract }: Mine,
  minerId: Uint8Array,
  options: ReadOptions,
): Promise<Address | undefined> {
  const values = await contract.read('beneficiaries', [toHex(minerId)], options);
  return isZeroBytes(values.bytes(0)) ? undefined : values.address(0);
}
