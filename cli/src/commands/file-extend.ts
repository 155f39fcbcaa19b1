import { type RenewalQuote, type RenewalReceipt, SdkError } from '@cairn/client-sdk';
import { formatCoin, parseRoot } from '@cairn/primitives';
import { connect, fileOn } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { findKey, type KeyOptions, requireKey } from '../keys.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn file extend` takes. */
export interface FileExtendOptions extends NetworkOptions, KeyOptions {
  readonly terms: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Says what some terms more of a file cost, and pays for them where `--yes` says so. */
export async function fileExtend(
  rootText: string,
  options: FileExtendOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const root = parseRoot(rootText);
  const network = await chooseNetwork(options, io);
  const isPaid = options.yes === true;
  const key = isPaid
    ? await requireKey('pay for a renewal', options, network.keyFiles, context)
    : await findKey(options, network.keyFiles, context);
  const client = await connect(network, key === undefined ? {} : { payer: key });
  let quote: RenewalQuote | undefined;
  try {
    const receipt = await client.files.extend(fileOn(root, network), {
      terms: options.terms,
      onQuote: (told) => {
        quote = told;
        return isPaid;
      },
      signal,
    });
    await printReceipt(receipt, options.json === true, io);
  } catch (error) {
    const isDeclined = error instanceof SdkError && error.code === 'SDK_DECLINED';
    if (!isDeclined || quote === undefined) throw error;
    await printQuote(quote, options.json === true, io);
  } finally {
    await client.close();
  }
  return EXIT.ok;
}

async function printQuote(quote: RenewalQuote, isJson: boolean, io: CommandIo): Promise<void> {
  const { terms, termSeconds, feeWei, paidUntil } = quote;
  if (isJson) {
    await writeJson(io, { dryRun: true, ...quote, feeWei: String(feeWei) });
    return;
  }
  await writeLine(io, `${formatCoin(feeWei)} coins`);
  io.writeErr(`for ${terms} × ${daysOf(termSeconds)}; ${paidUntilText(paidUntil)}\n`);
  io.writeErr('nothing was paid; --yes pays\n');
}

async function printReceipt(
  receipt: RenewalReceipt,
  isJson: boolean,
  io: CommandIo,
): Promise<void> {
  if (isJson) {
    const { feeWei, gasPaidWei } = receipt;
    await writeJson(io, { ...receipt, feeWei: String(feeWei), gasPaidWei: String(gasPaidWei) });
    return;
  }
  await writeLine(io, paidUntilText(receipt.paidUntil));
  io.writeErr(`${formatCoin(receipt.feeWei)} coins, gas ${formatCoin(receipt.gasPaidWei)}\n`);
}

/** Until when a file is paid for, in words. */
export function paidUntilText(paidUntil: number | undefined): string {
  if (paidUntil === undefined)
    return 'paid, and its time has not begun: its pricing chunk is not full';
  return `paid until ${new Date(paidUntil * 1000).toISOString().replace('.000Z', 'Z')}`;
}

/** Seconds as days. */
export function daysOf(seconds: number): string {
  return `${Number((seconds / 86_400).toFixed(2))} days`;
}
