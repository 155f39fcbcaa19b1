import {
  type ChainClient,
  type FileFees,
  type FileTerms,
  MAX_RENEWAL_TERMS,
  openFileFees,
  readFileTerms,
  readPaidUntil,
  readRenewalCost,
  renewSectors,
  type Stretch,
  type TransactionSender,
} from '@cairn/chain-access';
import { fileShape } from '@cairn/commitments';
import type { Address, Hex, Root, Sequence } from '@cairn/primitives';
import type { FileReference } from './client.ts';
import { SdkError } from './errors.ts';
import { fileEntries } from './find-entry.ts';
import { type FileLocator, type LocatedFile, parseReference } from './locate-file.ts';

/** What a file's place in the log costs, until when that is paid, and who proved it last. */
export interface FileEconomics extends FileTerms {
  readonly root: Root;
  readonly sequence: Sequence;
}

/** What a renewal would be. */
export interface RenewalQuote {
  readonly root: Root;
  readonly sequence: Sequence;
  readonly terms: number;
  readonly termSeconds: number;
  readonly feeWei: bigint;
  /** As in `FileEconomics`, before the renewal. */
  readonly paidUntil?: number;
}

/** What a renewal brought. */
export interface RenewalReceipt extends Omit<RenewalQuote, 'paidUntil'> {
  readonly transactionHash: Hex;
  readonly gasPaidWei: bigint;
  /** As in `FileEconomics`, with the renewal. */
  readonly paidUntil?: number;
  /** The same before it. */
  readonly paidBefore?: number;
}

/** How a file is renewed. */
export interface ExtendOptions {
  /** 1 … 64; 1 unless told. */
  readonly terms?: number;
  /** Sees the price before anything is paid; returning `false` ends it unpaid. */
  readonly onQuote?: (quote: RenewalQuote) => boolean | undefined | Promise<boolean | undefined>;
}

/** What asking for fees needs. */
export interface EconomicsDeps {
  readonly locate: FileLocator;
  /** Where the fees of the log are that has a file. @throws {SdkError} SDK_OPTION without a chain */
  readonly feesOf: (file: LocatedFile) => Promise<FeesPlace>;
}

/** The chain of a log, and who pays there. */
export interface FeesPlace {
  readonly chain: ChainClient;
  /** The log contract; what the nodes say unless told. */
  readonly flow: Address | undefined;
  /** Who pays; `undefined`: nobody here. */
  readonly sender: () => Promise<TransactionSender | undefined>;
}

/**
 * What the chain says of a file's fees.
 *
 * @throws {SdkError} SDK_OPTION for several roots or contracts without renewals, SDK_FILE_NOT_FOUND;
 *   what the chain throws
 */
export async function readEconomics(
  reference: FileReference,
  deps: EconomicsDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<FileEconomics> {
  const { file, fees, stretch } = await openFees(reference, deps, signal);
  const { root, sequence } = file;
  const block = await blockOf(file, signal);
  return { root, sequence, ...(await readFileTerms(fees, stretch, block, { signal })) };
}

/**
 * Pays for a file for some terms more. Run again after a crash it pays once; run again after it was
 * paid it pays for as many again.
 *
 * @throws {SdkError} SDK_OPTION, SDK_FILE_NOT_FOUND, SDK_NO_PAYER, SDK_DECLINED; what the chain throws
 */
export async function extendFile(
  reference: FileReference,
  deps: EconomicsDeps,
  { terms = 1, onQuote, signal }: ExtendOptions & { readonly signal: AbortSignal },
): Promise<RenewalReceipt> {
  if (!Number.isInteger(terms) || terms < 1 || terms > MAX_RENEWAL_TERMS) {
    throw badOption('terms', `a renewal is for 1 to ${MAX_RENEWAL_TERMS} terms, not ${terms}`);
  }
  const { file, fees, stretch, sender: openSender } = await openFees(reference, deps, signal);
  const { root, sequence } = file;
  const { termSeconds } = fees;
  const paidBefore = await readPaidUntil(fees, stretch, { signal });
  const feeWei = await readRenewalCost(fees, stretch, terms, { signal });
  const known = { root, sequence, terms, termSeconds };
  const before = paidBefore === undefined ? {} : { paidUntil: paidBefore };
  if ((await onQuote?.({ ...known, feeWei, ...before })) === false) {
    throw new SdkError({ code: 'SDK_DECLINED', totalWei: feeWei }, 'the price was declined');
  }
  const sender = await openSender();
  if (sender === undefined) {
    throw new SdkError(
      { code: 'SDK_NO_PAYER', roots: [root] },
      `renewing ${root} costs ${feeWei} wei and nobody is there to pay`,
    );
  }
  const renewal = await renewSectors({ fees, sender }, stretch, terms, { signal });
  const { transactionHash, gasPaidWei, paidUntil } = renewal;
  return {
    ...known,
    feeWei: renewal.feeWei,
    transactionHash,
    gasPaidWei,
    ...(paidUntil !== undefined && { paidUntil }),
    ...(paidBefore !== undefined && { paidBefore }),
  };
}

interface OpenedFees {
  readonly file: LocatedFile;
  readonly fees: FileFees;
  readonly stretch: Stretch;
  readonly sender: FeesPlace['sender'];
}

async function openFees(
  reference: FileReference,
  deps: EconomicsDeps,
  signal: AbortSignal,
): Promise<OpenedFees> {
  const [entry, second] = parseReference(reference);
  if (entry === undefined || second !== undefined) {
    throw badOption(
      'roots',
      'fees are of one file of the log; ask about each fragment by its root',
    );
  }
  const file = await deps.locate(entry, { signal });
  const { chain, flow: known, sender } = await deps.feesOf(file);
  const flow = known ?? file.holders[0]?.flow;
  const fees = flow === undefined ? undefined : await openFileFees(chain, flow, { signal });
  if (fees === undefined) {
    throw badOption('flow', `the contracts of the log ${flow} know no renewals`);
  }
  const { startSector, sizeBytes } = file;
  const { paddedSectors: sectors } = fileShape(sizeBytes);
  return { file, fees, stretch: { startSector, sectors }, sender };
}

/** The block that holds a log entry, where a node tells it. */
async function blockOf(
  { holders, root, sequence }: LocatedFile,
  signal: AbortSignal,
): Promise<number | undefined> {
  const own = holders.find(({ kind }) => kind === 'cairn');
  if (own === undefined) return undefined;
  const entries = await fileEntries(own.node, root, { signal });
  return entries.find((entry) => entry.sequence === sequence)?.block;
}

function badOption(option: string, message: string): SdkError {
  return new SdkError({ code: 'SDK_OPTION', option }, message);
}
