import {
  type BlobHeader,
  type BlsBackend,
  type Committee,
  encodeMember,
  encodeServedEntry,
  leafHash,
  type ServedEntry,
  type Signature,
  treePath,
  treeRoot,
} from '@cairn/attestation';
import { randaoEntropyAbi } from '@cairn/contracts';
import { type Address, concatBytes, fromHex, toHex } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import { snapshotArgument } from './abi-words.ts';
import { certificateArguments } from './entrance-calls.ts';
import type { FeePool } from './mining-facts.ts';
import type { Mining } from './open-mining.ts';
import { type IntendedOptions, sendCall } from './send-call.ts';

/** The contract that pays fees out, and who pays for calls to it. */
export interface MiningCaller {
  readonly mining: Mining;
  readonly sender: TransactionSender;
}

/** A served report that more than two thirds of its quorum signed. */
export interface SignedReport {
  readonly epoch: number;
  /** The leaves in order; the first is the total, with holder zero. */
  readonly entries: readonly ServedEntry[];
  readonly committee: Committee;
  /** Members that did not sign, rising. */
  readonly absent: readonly number[];
  readonly signature: Signature;
}

/** One holder's part of a report. */
export interface ServedClaim {
  readonly epoch: number;
  readonly quorumId: number;
  readonly entries: readonly ServedEntry[];
  /** Place of its entry, at least 1. */
  readonly index: number;
}

/** Rows of a member, as a table of arcs has them. */
export interface ArcLeaf {
  readonly index: number;
  readonly holder: Address;
  /** Rows of the members before it. */
  readonly start: number;
  readonly rows: number;
}

/** A whole row with what proves that it was drawn, and whose it is. */
export interface HeldRow {
  readonly period: number;
  readonly header: BlobHeader;
  readonly batchRoot: Uint8Array;
  readonly leafIndex: number;
  readonly batchPath: readonly Uint8Array[];
  readonly cosetRoots: readonly Uint8Array[];
  readonly combinationRoot: Uint8Array;
  readonly rowIndex: number;
  readonly row: Uint8Array;
  readonly rowPath: readonly Uint8Array[];
  /** All arcs of the holder's quorum over the blob's rows, and the holder's place among them. */
  readonly arcs: readonly ArcLeaf[];
  readonly arcIndex: number;
}

/** Root over a report's leaves, 32 bytes. */
export function reportRoot(entries: readonly ServedEntry[]): Uint8Array {
  return treeRoot(entries.map((entry) => leafHash(encodeServedEntry(entry))));
}

/** Brings a quorum's report on its epoch. @throws as `sendCall` */
export function confirmReport(
  { mining, sender }: MiningCaller,
  report: SignedReport,
  backend: Pick<BlsBackend, 'expandSignature'>,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { epoch, entries } = report;
  const [total] = entries;
  if (total === undefined) throw new RangeError('a report has a total');
  const { contract, entrance } = mining;
  const path = pathOf(entries, 0);
  const told = [toHex(reportRoot(entries)), entries.length, epoch, entryArgument(total), path];
  const args = [told, ...certificateArguments(report, backend)];
  const call = { contract, name: 'confirmReport', args, others: [entrance.verifier.abi] };
  return sendCall(sender, call, options);
}

/** Pays a holder for the rows that a report says it served. @throws as `sendCall` */
export function claimServed(
  { mining, sender }: MiningCaller,
  claim: ServedClaim,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = mining;
  return sendCall(sender, { contract, name: 'claimServed', args: claimArguments(claim) }, options);
}

/** Sends the fees of a closed epoch's blobs to where they are paid out. @throws as `sendCall` */
export function releaseFees(
  { mining, sender }: MiningCaller,
  { epoch, retentionEpochs, suite }: FeePool,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  const { contract } = mining.entrance;
  const args = [epoch, retentionEpochs, suite];
  const call = { contract, name: 'releaseFees', args, others: [mining.contract.abi] };
  return sendCall(sender, call, options);
}

/** Fixes the pools of epochs that are over. @param most - so many of them at most @throws as `sendCall` */
export function fixPools(
  { mining, sender }: MiningCaller,
  most: number,
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  return sendCall(sender, { contract: mining.contract, name: 'fixPools', args: [most] }, options);
}

/** Opens a period of the held lottery. @param headerRlp - of its first block @throws as `sendCall` */
export function openPeriod(
  { mining, sender }: MiningCaller,
  { period, headerRlp }: { readonly period: number; readonly headerRlp: Uint8Array },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const args = [period, toHex(headerRlp)];
  const call = { contract: mining.contract, name: 'openPeriod', args, others: [randaoEntropyAbi] };
  return sendCall(sender, call, options);
}

/** Makes the table of arcs of a quorum's members over so many rows. @throws as `sendCall` */
export function publishArcs(
  { mining, sender }: MiningCaller,
  { committee, rows }: { readonly committee: Committee; readonly rows: number },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const members = toHex(concatBytes(...committee.members.map(encodeMember)));
  const args = [snapshotArgument(committee.snapshot), members, rows];
  return sendCall(sender, { contract: mining.contract, name: 'publishArcs', args }, options);
}

/** Brings a row that wins in the open period. @throws as `sendCall` */
export function claimHeld(
  { mining, sender }: MiningCaller,
  held: HeldRow,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const call = { contract: mining.contract, name: 'claim', args: [heldArgument(held)] };
  return sendCall(sender, { ...call, others: [mining.entrance.contract.abi] }, options);
}

/**
 * Gas of a call as the chain would run it now, from an account.
 *
 * @throws {ChainError} CHAIN_RPC_ERROR if it would be refused; what the client throws
 */
export async function estimateMining(
  { mining, sender }: MiningCaller,
  call: { readonly claim: ServedClaim } | { readonly held: HeldRow },
  { signal }: SendOptions,
): Promise<bigint> {
  const { contract, client } = mining;
  const data =
    'claim' in call
      ? contract.encode('claimServed', claimArguments(call.claim))
      : contract.encode('claim', [heldArgument(call.held)]);
  const request = { from: sender.address, to: contract.address, data: toHex(data) };
  return BigInt(String(await client.rpc('eth_estimateGas', [request], { signal })));
}

/** What a gas costs now, in wei. @throws what the client throws */
export async function readGasPrice(
  { client }: Pick<Mining, 'client'>,
  { signal }: SendOptions,
): Promise<bigint> {
  return BigInt(String(await client.rpc('eth_gasPrice', [], { signal })));
}

function claimArguments({ epoch, quorumId, entries, index }: ServedClaim): unknown[] {
  const entry = entries[index];
  if (entry === undefined) throw new RangeError(`there is no entry ${index}`);
  return [epoch, quorumId, index, entryArgument(entry), pathOf(entries, index)];
}

function entryArgument({ holder, drawn, served }: ServedEntry): unknown[] {
  return [holder, drawn, served];
}

function pathOf(entries: readonly ServedEntry[], index: number): string[] {
  return treePath(
    entries.map((entry) => leafHash(encodeServedEntry(entry))),
    index,
  ).map(toHex);
}

function heldArgument(held: HeldRow): unknown[] {
  const { header, arcs, arcIndex } = held;
  const arc = arcs[arcIndex];
  if (arc === undefined) throw new RangeError(`there is no arc ${arcIndex}`);
  return [
    held.period,
    headerArgument(header),
    toHex(held.batchRoot),
    held.leafIndex,
    held.batchPath.map(toHex),
    held.cosetRoots.map(toHex),
    toHex(held.combinationRoot),
    held.rowIndex,
    toHex(held.row),
    held.rowPath.map(toHex),
    [arc.index, arc.holder, arc.start, arc.rows],
    treePath(arcs.map(arcLeaf), arcIndex).map(toHex),
  ];
}

function headerArgument(header: BlobHeader): unknown[] {
  return [
    1, // version
    header.suite,
    header.log2K,
    header.cosets,
    header.rowSizeBytes,
    header.sizeBytes,
    toHex(header.commitment),
    header.submitter,
    header.shardId,
    header.submissionIndex,
    header.expirySeconds,
  ];
}

function arcLeaf({ index, holder, start, rows }: ArcLeaf): Uint8Array {
  const body = new Uint8Array(32);
  const view = new DataView(body.buffer);
  view.setUint32(0, index);
  body.set(fromHex(holder), 4);
  view.setUint32(24, start);
  view.setUint32(28, rows);
  return leafHash(body);
}
