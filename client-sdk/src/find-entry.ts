import {
  equalBytes,
  Fault,
  parseJson,
  type Root,
  type Sequence,
  sequenceOf,
  utf8Text,
} from '@cairn/primitives';
import { type EntryStat, fileStatPath, parseFileStat } from '@cairn/wire-protocol';
import type { Holder } from './holders.ts';
import { type StorageNode, statusFault } from './storage-node.ts';

/** Bytes of a stat: a thousand entries with a few stream ids each. */
const MAX_STAT_BYTES = 4 * 1024 ** 2;

/** A place in the log that a file has already. */
export interface FoundEntry {
  readonly sequence: Sequence;
  readonly startSector: number;
}

/**
 * The log entry a file has already; `undefined` if none of the nodes knows one that would do.
 *
 * An entry does if it has the same length and the same tags. Plain 0G nodes do not tell tags, so
 * a file with tags is only found through nodes of ours. Nodes are asked one after another: the
 * first that knows answers for all, and later steps ask each holder itself.
 */
export async function findEntry(
  { root, sizeBytes }: { readonly root: Root; readonly sizeBytes: number },
  tags: Uint8Array,
  holders: readonly Holder[],
  options: { readonly signal: AbortSignal },
): Promise<FoundEntry | undefined> {
  for (const { kind, node } of holders) {
    try {
      if (kind === 'cairn') {
        const entries = await fileEntries(node, root, options);
        const usable = entries.filter(
          (entry) => !entry.pruned && entry.sizeBytes === sizeBytes && equalBytes(entry.tags, tags),
        );
        const best = usable.find(({ finalized }) => finalized) ?? usable[0];
        if (best !== undefined) return best;
        continue;
      }
      if (tags.length > 0) continue;
      const info = await node.fileInfo(root, options);
      if (info?.tx.dataMerkleRoot === root && info.tx.size === sizeBytes && !info.pruned) {
        return { sequence: sequenceOf(info.tx.seq), startSector: info.tx.startEntryIndex };
      }
    } catch (error) {
      // A node that cannot say is passed over: another may know, and paying asks the chain.
      if (options.signal.aborted || !(error instanceof Fault)) throw error;
    }
  }
  return undefined;
}

/** Every log entry of a root that one of our nodes knows; none if it knows no such file. */
export async function fileEntries(
  node: StorageNode,
  root: Root,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly EntryStat[]> {
  const { transport, timeoutMs } = node.deps;
  const url = `${node.url}${fileStatPath(root)}`;
  const reply = await transport.send({ method: 'GET', url, signal, timeoutMs });
  if (reply.status === 200) {
    const stat = parseFileStat(parseJson(utf8Text(await reply.bytes(MAX_STAT_BYTES))));
    return stat.root === root ? stat.entries : [];
  }
  await reply.discard();
  if (reply.status === 404) return [];
  throw statusFault(url, reply.status);
}
