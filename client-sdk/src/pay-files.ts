import { MAX_BATCH_SUBMISSIONS } from '@cairn/chain-access';
import { concatBytes, keccak256, type Root, toHex, utf8Bytes } from '@cairn/primitives';
import { quoteOf } from './cost.ts';
import { SdkError } from './errors.ts';
import type { PaidEntry, Payer } from './payer.ts';
import type { PreparedUpload } from './prepare-upload.ts';
import type { PutOptions } from './put-options.ts';

/** The options that concern paying. */
export type PayOptions = Pick<PutOptions, 'tags' | 'resubmit' | 'onQuote' | 'onProgress'> & {
  readonly signal: AbortSignal;
};

/**
 * Shows the price, then pays for files, 32 a transaction.
 *
 * @throws {SdkError} SDK_NO_PAYER, SDK_DECLINED; what the payer throws
 */
export async function payFor(
  files: readonly PreparedUpload[],
  payer: Payer | undefined,
  { tags = new Uint8Array(0), resubmit, signal, onQuote, onProgress }: PayOptions,
): Promise<ReadonlyMap<Root, PaidEntry>> {
  const paid = new Map<Root, PaidEntry>();
  if (files.length === 0) return paid;
  const roots = files.map(({ root }) => root);
  if (payer === undefined || !payer.canPay) {
    throw new SdkError(
      { code: 'SDK_NO_PAYER', roots },
      `${roots.length} file(s) have to be paid for and the client has no rpc and signer; first: ${roots[0]}`,
    );
  }
  const payable = files.map(({ root, sizeBytes, nodes }) => ({ root, sizeBytes, nodes, tags }));
  if (onQuote !== undefined || onProgress !== undefined) {
    const price = await payer.price(payable, { signal });
    const quote = quoteOf(
      files.map(({ sizeBytes }) => sizeBytes),
      price,
    );
    onProgress?.({ step: 'quoted', quote });
    if ((await onQuote?.(quote)) === false) {
      const { totalWei } = quote;
      throw new SdkError(
        { code: 'SDK_DECLINED', totalWei },
        `the price of ${totalWei} wei was declined; nothing was paid`,
      );
    }
  }
  for (let start = 0; start < payable.length; start += MAX_BATCH_SUBMISSIONS) {
    const batch = payable.slice(start, start + MAX_BATCH_SUBMISSIONS);
    onProgress?.({ step: 'submitting', roots: batch.map(({ root }) => root) });
    const intent = intentOf(payer, batch, tags, resubmit);
    const entries = await payer.submit(batch, { intent, signal });
    for (const [index, { root }] of batch.entries()) {
      const entry = entries[index];
      if (entry === undefined) throw new Error(`no entry for ${root} in the payer's answer`);
      paid.set(root, entry);
      const { sequence, transactionHash } = entry;
      onProgress?.({ step: 'submitted', root, sequence, transactionHash });
    }
  }
  return paid;
}

/**
 * Names a payment by everything that makes it this one: chain, contract, roots, lengths, tags and
 * the caller's own word. The same again is the same payment.
 */
export function intentOf(
  { chainId, flow }: Pick<Payer, 'chainId' | 'flow'>,
  files: readonly Pick<PreparedUpload, 'root' | 'sizeBytes'>[],
  tags: Uint8Array,
  resubmit: string | undefined,
): string {
  const names = files.map(({ root, sizeBytes }) => `${root}:${sizeBytes}`);
  const what = toHex(keccak256(utf8Bytes(names.join())));
  const word = utf8Bytes(resubmit ?? '');
  const rest =
    tags.length === 0 && word.length === 0
      ? '0x'
      : toHex(keccak256(concatBytes(keccak256(tags), word)));
  return `${chainId}:${flow}:${what}:${rest}`;
}
