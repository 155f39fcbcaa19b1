import { encodeCheckpoint } from '@cairn/attestation';
import { EpochBook, readPhase, SignerBook } from '@cairn/chain-access/da';
import { logRecordPages, readFirstLogBlock } from '@cairn/chain-access/possession';
import {
  type CertifiedFile,
  certifyFile,
  type Ordering,
  type ProveFileDeps,
  proveFile,
} from '@cairn/chain-access/shards';
import type { FileStat } from '@cairn/client-sdk';
import { encodeRecord } from '@cairn/commitments';
import { equalBytes, fromHex, isFault, isHexOf, toHex } from '@cairn/primitives';
import type { FilePlaceProof } from '@cairn/wire-protocol';
import { CliError, usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { type OrderOptions, shardsWithFiles, withOrder } from './order-chain.ts';

interface Waiting {
  readonly signal: AbortSignal;
}

/**
 * The number of a file in a shard's log: as it was typed, or of the first record with that root, for
 * which the log is read from its beginning, a page at a time.
 *
 * @throws {CliError} CLI_USAGE, CLI_NOT_FOUND; what the chain throws
 */
export async function sequenceOfFile(
  typed: string,
  { client, shard: { shardId, flow } }: ProveFileDeps,
  { signal }: Waiting,
): Promise<number> {
  if (/^\d{1,15}$/.test(typed)) return Number(typed);
  if (!isHexOf(typed, 32)) {
    throw usageError('file', `"${typed}" is neither a root (0x and 64 hex digits) nor a number`);
  }
  if (flow === undefined) throw usageError('shard', `shard ${shardId} has no log`);
  const root = fromHex(typed);
  const fromBlock = await readFirstLogBlock(client, flow, { signal });
  const toBlock = await client.blockNumber({ signal });
  for await (const page of logRecordPages(client, flow, { fromBlock, toBlock }, { signal })) {
    const found = page.records.find(({ fileRoot }) => equalBytes(fileRoot, root));
    if (found !== undefined) return found.sequence;
  }
  const network = `shard ${shardId}`;
  throw new CliError(
    { code: 'CLI_NOT_FOUND', what: typed, network },
    `the log of ${network} has no file ${typed} up to block ${toBlock}`,
  );
}

/** A file's place with all that proves it to whoever trusts an epoch or a checkpoint of the hub. */
export async function certifyPlace(
  deps: ProveFileDeps,
  sequence: number,
  { signal }: Waiting,
): Promise<CertifiedFile> {
  const counts = await headerCounts(deps, { signal });
  return certifyFile(deps, sequence, { signal, counts });
}

/**
 * The place of the first checkpoint that has a file, proven by what the hub and the file's chain tell.
 *
 * @throws {CliError} CLI_USAGE where the network has no order, or none that has files of that chain;
 *   CLI_MISMATCH where nodes and the chain name different files; as `proveFile`
 */
export async function findGlobalIndex(
  { root, sequence, chainId }: Pick<FileStat, 'root' | 'sequence' | 'chainId'>,
  options: OrderOptions,
  context: CommandContext,
): Promise<number> {
  const { signal } = context;
  try {
    return await withOrder(options, context, async ({ shards, proverOf }) => {
      const shard = shardsWithFiles(shards).find((each) => each.chainId === chainId);
      if (shard === undefined) {
        throw usageError(
          'globalIndex',
          `the order has no files of chain ${chainId}: give their place with --global-index`,
        );
      }
      const { record, ordered } = await proveFile(await proverOf(shard), sequence, { signal });
      const actual = toHex(record.fileRoot);
      if (actual === root) return ordered.globalIndex;
      throw new CliError(
        { code: 'CLI_MISMATCH', expected: root, actual },
        `nodes say that file ${sequence} of chain ${chainId} is ${root}, and its log has ${actual} there`,
      );
    });
  } catch (error) {
    if (!isFault(error, 'CLI_NO_ORDER') && !isFault(error, 'CLI_NO_NETWORK')) throw error;
    throw usageError(
      'globalIndex',
      `the place in the order cannot be found: ${error.message}; or give it with --global-index`,
    );
  }
}

/** A certified file as it is kept and handed on. */
export function placeProofOf({ proof, places, own, hub }: CertifiedFile): FilePlaceProof {
  const { record, path, checkpoint, ordered, order } = proof;
  const newest = { count: order.count, path: ordered.path };
  return {
    record: encodeRecord(record),
    recordPath: path,
    checkpoint: encodeCheckpoint(checkpoint),
    globalIndex: ordered.globalIndex,
    // What the hub says now, where nobody has signed more yet.
    places: places.length === 0 ? [newest] : places.map(({ count, path }) => ({ count, path })),
    certificates: [own, hub].flatMap((one) => (one === undefined ? [] : [one.certificate])),
  };
}

/** Counts of the orders that the headers of the epoch in office and of the next one name. */
async function headerCounts(
  {
    ordering,
    backend,
  }: { readonly ordering: Ordering; readonly backend: ProveFileDeps['backend'] },
  { signal }: Waiting,
): Promise<readonly number[]> {
  const { hub } = ordering;
  const epochs = new EpochBook({ hub, signers: new SignerBook(hub), backend });
  const block = await hub.finalBlock({ signal });
  const { epoch } = await readPhase(hub, { block, signal });
  const counts: number[] = [];
  for (const each of [epoch, epoch + 1]) {
    const sealed = await epochs.sealed(each, { signal });
    if (sealed !== undefined) counts.push(sealed.header.orderCount);
  }
  return counts;
}
