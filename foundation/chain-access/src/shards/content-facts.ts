import {
  BLOB_HEADER_VERSION,
  type CertifiedBlob,
  type OrderedCheckpoint,
  type OrderState,
  parseBlobHeader,
  parseCheckpoint,
} from '@cairn/attestation';
import { toHex } from '@cairn/primitives';
import { decodeRevert } from '../client/abi.ts';
import { ChainError } from '../client/errors.ts';
import { wordsOfBytes } from '../da/abi-words.ts';
import type { Contract, ReadOptions } from '../da/contract.ts';
import { checkpointArgument } from './ordering-calls.ts';
import { fileProofArgument, type OrderedFile } from './prove-file.ts';

/** A blob of a shard with its place in the order of all: what contracts and programs check. */
export interface OrderedBlob {
  readonly blob: CertifiedBlob;
  /** The checkpoint whose DA log has the blob's batch. */
  readonly ordered: OrderedCheckpoint;
  /** The order under whose root that place is shown. */
  readonly order: OrderState;
}

/** What a contract says of a proof. */
export type ContentVerdict =
  | { readonly isProven: true }
  /** By the name of the contract's error: NotOrdered, NotLogged, BlobVoid, WrongQuorum, … */
  | { readonly isProven: false; readonly refusal: string; readonly reason: string };

/**
 * Asks the ordering hub, or the mirror of any shard, whether a shard has a file: the same proof as
 * `verifyFileContent` checks.
 *
 * @param contract - an OrderingHub or EpochMirror; a root that it does not know is refused as NotOrdered
 * @throws {ChainError} but for refusals
 */
export function askAboutFile(
  contract: Contract,
  proof: OrderedFile,
  options: ReadOptions,
): Promise<ContentVerdict> {
  return verdictOf(contract, 'requireFile', fileProofArgument(proof), options);
}

/**
 * Asks the ordering hub, or the mirror of any shard, whether a shard has a blob: the same proof as
 * `verifyBlobContent` checks.
 *
 * @param contract - an OrderingHub or EpochMirror; a root that it does not know is refused as NotOrdered
 * @throws {ChainError} but for refusals; {MessageError} for bodies that are none
 */
export function askAboutBlob(
  contract: Contract,
  proof: OrderedBlob,
  options: ReadOptions,
): Promise<ContentVerdict> {
  return verdictOf(contract, 'requireBlob', blobProofArgument(proof), options);
}

/** `BlobProof` of contracts/src/shards/ContentProofs.sol, for calls of contracts that take one. */
export function blobProofArgument({ blob, ordered, order }: OrderedBlob): unknown[] {
  const header = parseBlobHeader(blob.header);
  const { suite, log2K, cosets, rowSizeBytes, sizeBytes, commitment } = header;
  const { submitter, shardId, submissionIndex, expirySeconds } = header;
  const shape = [BLOB_HEADER_VERSION, suite, log2K, cosets, rowSizeBytes, sizeBytes];
  const about = [toHex(commitment), submitter, shardId, submissionIndex, expirySeconds];
  const { log, leafIndex, batchPath, voidWords } = blob;
  const checkpoint = parseCheckpoint(ordered.body);
  return [
    [...shape, ...about],
    leafIndex,
    batchPath.map(toHex),
    toHex(log.body),
    voidWords === undefined ? [] : wordsOfBytes(voidWords),
    log.index,
    log.path.map(toHex),
    [checkpointArgument(checkpoint), ordered.globalIndex, order.count, ordered.path.map(toHex)],
  ];
}

async function verdictOf(
  contract: Contract,
  name: string,
  proof: unknown[],
  options: ReadOptions,
): Promise<ContentVerdict> {
  try {
    await contract.read(name, [proof], options);
    return { isProven: true };
  } catch (error) {
    if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') throw error;
    const { name: refusal, text } = decodeRevert(error.facts.rpcData, [contract.abi]);
    if (refusal === undefined) throw error; // the endpoint's own trouble
    return { isProven: false, refusal, reason: text };
  }
}
