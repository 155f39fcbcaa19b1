import { formatBytes, parseRoot } from '@cairn/primitives';
import { type BlobReceipt, blobReceiptJson } from '@cairn/wire-protocol/da';
import { onShardOf } from '../blob-shard.ts';
import { chooseDisperser, type DaNetworkOptions } from '../da-options.ts';
import { DisperserClient } from '../disperser-client.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** Prints how far a blob is. */
export async function daStatus(
  idText: string,
  options: DaNetworkOptions & { readonly json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = parseRoot(idText);
  const client = new DisperserClient(
    await chooseDisperser(await onShardOf(options, { id }, context), io),
  );
  try {
    const receipt = await client.receipt(id, { signal });
    if (options.json === true) {
      await writeJson(io, blobReceiptJson(receipt));
      return EXIT.ok;
    }
    const { stage, sizeBytes, commitment, epoch, quorumId, expirySeconds, transaction } = receipt;
    const facts: (readonly [string, string | undefined])[] = [
      ['id', receipt.id],
      ['stage', stage],
      ['size', `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`],
      ['commitment', commitment],
      ['quorum', epoch === undefined ? undefined : `${quorumId} of epoch ${epoch}`],
      ['kept until', expirySeconds === undefined ? undefined : isoTime(expirySeconds)],
      ['confirmed', transaction],
      ['archived', archiveText(receipt)],
      ['trouble', receipt.trouble?.detail],
    ];
    for (const [name, value] of facts) {
      if (value !== undefined) await writeLine(io, `${name.padEnd(11)} ${value}`);
    }
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

function archiveText({ archive }: BlobReceipt): string | undefined {
  if (archive === undefined) return undefined;
  const { root, sequence } = archive;
  return root === undefined ? 'once it is final' : `${root}, sequence ${sequence}`;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
