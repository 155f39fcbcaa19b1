import { encodeRecord, type FileSector, type SubmissionRecord } from '@cairn/commitments';
import { randaoEntropyAbi } from '@cairn/contracts';
import { toHex } from '@cairn/primitives';
import { readHeaderRlp } from '../client/header-rlp.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import { ROLES } from '../da/hub-facts.ts';
import { type IntendedOptions, sendCall } from '../da/send-call.ts';
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

/**
 * Begins a duty of the sender's with files of the log: notes the log's root first, and proves each
 * file under it.
 *
 * @param records - all of the log, in order, as of a block after which nothing was added
 * @param sequences - the files' numbers, ascending
 * @returns the duty's number
 * @throws {PossessionError} POSSESSION_NO_EVENT; as `sendCall`; {RangeError} for a sequence that is none
 */
export async function openDuty(
  { possession, sender }: DutyCaller,
  {
    priceWei,
    records,
    sequences,
  }: {
    readonly priceWei: bigint;
    readonly records: readonly SubmissionRecord[];
    readonly sequences: readonly number[];
  },
  options: IntendedOptions,
): Promise<number> {
  const { contract } = possession;
  const { intent } = options;
  await sendCall(
    sender,
    { contract, name: 'anchor', args: [] },
    { ...options, intent: `${intent}:anchor` },
  );
  const paths = new RecordPaths(records.map(encodeRecord));
  const entries = sequences.map((sequence) => {
    const record = records[sequence];
    if (record === undefined) throw new RangeError(`the log has no record ${sequence}`);
    return [recordArgument(record), paths.pathOf(sequence).map(toHex)];
  });
  const args = [priceWei, toHex(paths.root()), entries];
  const receipt = await sendCall(sender, { contract, name: 'open', args }, options);
  const topic = contract.topic('DutyOpened');
  const log = receipt.logs.find(
    ({ address, topics }) => address === contract.address && topics[0] === topic,
  );
  if (log !== undefined) return contract.decode('DutyOpened', log).number('id');
  const { transactionHash } = receipt;
  throw new PossessionError(
    { code: 'POSSESSION_NO_EVENT', transactionHash },
    `transaction ${transactionHash} opened a duty and announced none`,
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

function recordArgument(record: SubmissionRecord): readonly unknown[] {
  const { sequence, fileRoot, sizeBytes, startSector, sectors, submitter, timeSeconds } = record;
  return [sequence, toHex(fileRoot), sizeBytes, startSector, sectors, submitter, timeSeconds];
}
