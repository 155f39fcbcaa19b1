import { encodeRecord, type FileSector, type SubmissionRecord } from '@cairn/commitments';
import { randaoEntropyAbi } from '@cairn/contracts';
import { type Address, toHex } from '@cairn/primitives';
import { readHeaderRlp } from '../client/header-rlp.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { Contract } from '../da/contract.ts';
import { ROLES } from '../da/hub-facts.ts';
import { type IntendedOptions, sendCall } from '../da/send-call.ts';
import type { Values } from '../da/values.ts';
import type { SendOptions, TransactionSender } from '../send/transaction-sender.ts';
import type { DrawnSector, DutySet } from './duty-set.ts';
import { PossessionError } from './errors.ts';
import { type Possession, seedBlockOf } from './open-possession.ts';
import { RecordPaths } from './record-paths.ts';

/** A contract of duties, and who pays for calls to it. */
export interface DutyCaller {
  readonly possession: Possession;
  readonly sender: TransactionSender;
}

/** The records of a log from its first one up to a block. */
export type RecordsUpTo = (
  toBlock: number,
  options: { readonly signal: AbortSignal },
) => Promise<readonly SubmissionRecord[]>;

/**
 * Begins a duty of the sender's with files of the log: notes the log's root first, and proves each
 * file under it. Files that others add meanwhile do no harm.
 *
 * @param recordsUpTo - gives all of the log up to the block that notes the root
 * @param sequences - the files' numbers, ascending
 * @returns the duty's number
 * @throws {PossessionError} POSSESSION_NO_EVENT, POSSESSION_OTHER_LOG before the duty is paid for; as
 * `sendCall`; {RangeError} for a sequence that is none
 */
export async function openDuty(
  { possession, sender }: DutyCaller,
  {
    priceWei,
    recordsUpTo,
    sequences,
  }: {
    readonly priceWei: bigint;
    readonly recordsUpTo: RecordsUpTo;
    readonly sequences: readonly number[];
  },
  options: IntendedOptions,
): Promise<number> {
  const { contract } = possession;
  const { intent, signal } = options;
  const noted = await sendCall(
    sender,
    { contract, name: 'anchor', args: [] },
    { ...options, intent: `${intent}:anchor` },
  );
  const anchored = eventOf(noted, contract, 'LogAnchored');
  const count = anchored.number('count');
  const records = (await recordsUpTo(noted.block.number, { signal })).slice(0, count);
  const paths = new RecordPaths(records.map(encodeRecord));
  const expected = toHex(anchored.bytes('logRoot'));
  const actual = toHex(paths.root());
  if (expected !== actual) {
    throw new PossessionError(
      { code: 'POSSESSION_OTHER_LOG', records: records.length, expected, actual },
      `the log has the root ${expected} over ${count} records, the ${records.length} at hand make ${actual}`,
    );
  }
  const entries = sequences.map((sequence) => {
    const record = records[sequence];
    if (record === undefined) throw new RangeError(`the log has no record ${sequence}`);
    return [recordArgument(record), paths.pathOf(sequence).map(toHex)];
  });
  const args = [priceWei, expected, entries];
  const receipt = await sendCall(sender, { contract, name: 'open', args }, options);
  return eventOf(receipt, contract, 'DutyOpened').number('id');
}

/** What a transaction announced. @throws {PossessionError} POSSESSION_NO_EVENT */
function eventOf(receipt: TransactionReceipt, contract: Contract, event: string): Values {
  const topic = contract.topic(event);
  const log = receipt.logs.find(
    ({ address, topics }) => address === contract.address && topics[0] === topic,
  );
  if (log !== undefined) return contract.decode(event, log);
  const { transactionHash } = receipt;
  throw new PossessionError(
    { code: 'POSSESSION_NO_EVENT', event, transactionHash },
    `transaction ${transactionHash} was to announce ${event} and did not`,
  );
}

/**
 * Adds to the sender's stake, and takes the role of a provider besides those it has.
 *
 * @throws as `sendCall`
 */
export async function bondProvider(
  { possession, sender }: DutyCaller,
  amountWei: bigint,
  options: IntendedOptions,
): Promise<void> {
  const { stakeHub: contract } = possession;
  await sendCall(sender, { contract, name: 'bond', args: [], valueWei: amountWei }, options);
  const account = await contract.read('accountOf', [sender.address], options);
  const roles = account.inner(0).number('roles') | ROLES.provider;
  const intent = `${options.intent}:roles`;
  await sendCall(sender, { contract, name: 'setRoles', args: [roles] }, { ...options, intent });
}

/** Fixes a duty's set and reserves stake for it. @throws as `sendCall` */
export function startDuty(
  { possession, sender }: DutyCaller,
  id: number,
  depositWei: bigint,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract, stakeHub } = possession;
  const call = { contract, name: 'start', args: [id, depositWei], others: [stakeHub.abi] };
  return sendCall(sender, call, options);
}

/** Pays for periods of a duty, at its price. @throws as `sendCall` */
export function fundDuty(
  { possession, sender }: DutyCaller,
  {
    id,
    periods,
    priceWei,
  }: { readonly id: number; readonly periods: number; readonly priceWei: bigint },
  options: IntendedOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  const valueWei = priceWei * BigInt(periods);
  return sendCall(sender, { contract, name: 'fund', args: [id, periods], valueWei }, options);
}

/** Proves a period's seed, once its block is there. @throws {PossessionError} POSSESSION_NO_BLOCK; as `sendCall` */
export async function openPeriod(
  { possession, sender }: DutyCaller,
  period: number,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { client, contract, terms } = possession;
  const block = seedBlockOf(terms, period);
  const header = await readHeaderRlp(client, block, options);
  if (header === undefined) {
    throw new PossessionError(
      { code: 'POSSESSION_NO_BLOCK', period, block },
      `block ${block}, whose entropy is the seed of period ${period}, is not there`,
    );
  }
  const args = [period, toHex(header)];
  return sendCall(
    sender,
    { contract, name: 'openPeriod', args, others: [randaoEntropyAbi] },
    options,
  );
}

/** A drawn sector with what shows it. */
export interface ShownSector {
  readonly drawn: DrawnSector;
  readonly proof: Pick<FileSector, 'data' | 'siblings'>;
}

/**
 * Shows what a period asks for.
 *
 * @param span - number of the span that holds the period
 * @param shown - one for each challenge, in their order
 * @throws as `sendCall`; TX_REVERTED with NotOwed, PeriodSettled, TooLate, NotInFile and others
 */
export function answerPeriod(
  { possession, sender }: DutyCaller,
  place: { readonly id: number; readonly span: number; readonly period: number },
  set: DutySet,
  shown: readonly ShownSector[],
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  const { id, span, period } = place;
  const sectors = shown.map(({ drawn: { index, entry }, proof }) => [
    index,
    entry.sequence,
    toHex(entry.fileRoot),
    entry.sizeBytes,
    entry.fileSectors,
    entry.firstSector,
    set.pathOf(index).map(toHex),
    Array.from({ length: 8 }, (_, word) => toHex(proof.data.subarray(word * 32, (word + 1) * 32))),
    proof.siblings.map(toHex),
  ]);
  return sendCall(sender, { contract, name: 'answer', args: [id, span, period, sectors] }, options);
}

/** Takes stake for a period that was not answered. @throws as `sendCall` */
export function reportMissedPeriod(
  { possession, sender }: DutyCaller,
  { id, span, period }: { readonly id: number; readonly span: number; readonly period: number },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract, stakeHub } = possession;
  const call = { contract, name: 'reportMissed', args: [id, span, period], others: [stakeHub.abi] };
  return sendCall(sender, call, options);
}

/** Says that the sender will end a duty. @throws as `sendCall` */
export function requestCloseDuty(
  { possession, sender }: DutyCaller,
  id: number,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  return sendCall(sender, { contract, name: 'requestClose', args: [id] }, options);
}

/** Ends a duty that may end. @throws as `sendCall`; TX_REVERTED with ClosableFrom and others */
export function closeDuty(
  { possession, sender }: DutyCaller,
  id: number,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  return sendCall(sender, { contract, name: 'close', args: [id] }, options);
}

/** Frees the stake of an ended duty; anyone may. @throws as `sendCall`; TX_REVERTED with TooEarly and others */
export function releaseDuty(
  { possession, sender }: DutyCaller,
  id: number,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract, stakeHub } = possession;
  return sendCall(
    sender,
    { contract, name: 'release', args: [id], others: [stakeHub.abi] },
    options,
  );
}

/** Gives the pay of a span's periods after a duty's end back to who paid; anyone may. @throws as `sendCall` */
export function refundClosedSpan(
  { possession, sender }: DutyCaller,
  { id, span }: { readonly id: number; readonly span: number },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  return sendCall(sender, { contract, name: 'refundClosed', args: [id, span] }, options);
}

/** Gives the pay of a period back that was neither answered nor reported in time; anyone may. @throws as `sendCall` */
export function refundLapsedPeriod(
  { possession, sender }: DutyCaller,
  { id, span, period }: { readonly id: number; readonly span: number; readonly period: number },
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  return sendCall(sender, { contract, name: 'refundLapsed', args: [id, span, period] }, options);
}

/** Pays an account all that waits for it; anyone may. @throws as `sendCall`; what the client throws */
export async function withdrawDutyPayments(
  { possession, sender }: DutyCaller,
  payee: Address,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { contract } = possession;
  const prefix = `withdraw:${contract.address}:${payee}:`;
  const intent = await repeatedIntent({ possession, sender }, prefix, options);
  const call = { contract, name: 'withdrawPayments', args: [payee] };
  return sendCall(sender, call, { ...options, intent });
}

/**
 * A name for a call that is made again and again with the same content: that of one which was cut off
 * and is finished first, or else a new one, of the newest block.
 *
 * @throws what the client and the journal throw
 */
export async function repeatedIntent(
  { possession, sender }: DutyCaller,
  prefix: string,
  options: SendOptions,
): Promise<string> {
  const open = await sender.openIntents(options);
  const begun = open.find((intent) => intent.startsWith(prefix));
  return begun ?? `${prefix}${await possession.client.blockNumber(options)}`;
}

function recordArgument(record: SubmissionRecord): readonly unknown[] {
  const { sequence, fileRoot, sizeBytes, startSector, sectors, submitter, timeSeconds } = record;
  return [sequence, toHex(fileRoot), sizeBytes, startSector, sectors, submitter, timeSeconds];
}
