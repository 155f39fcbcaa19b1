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
import type { EntryCheck } from './locate-file.ts';
import type { PreparedUpload } from './prepare-upload.ts';
import { type StorageNode, statusFault } from './storage-node.ts';

/** Bytes of a stat: a thousand entries with a few stream ids each. */
const MAX_STAT_BYTES = 4 * 1024 ** 2;

/** A place in the log that a file has already. */
export interface FoundEntry {
  readonly sequence: Sequence;
  readonly startSector: number;
}

/** Whom to ask about a log entry. */
export interface FindDeps {
  readonly holders: readonly Holder[];
  /** The chain's word; `undefined` where there is no chain. */
  readonly checkEntry: EntryCheck | undefined;
}

/**
 * The log entry a file has already; `undefined` if none of the nodes knows one that would do.
 *
 * An entry does if it has the same length and the same tags. Plain 0G nodes do not tell tags, so
 * a file with tags is only found through nodes of ours. Nodes are asked one after another; what
 * one says counts once another node, or the chain, says the same.
 */
export async function findEntry(
  file: Pick<PreparedUpload, 'root' | 'sizeBytes' | 'nodes'>,
  tags: Uint8Array,
  deps: FindDeps,
  options: { readonly signal: AbortSignal },
): Promise<FoundEntry | undefined> {
  for (const holder of deps.holders) {
    const claim = await unlessSilent(() => claimOf(holder, file, tags, options), options);
    if (claim !== undefined && (await isTrue(claim, holder, file, deps, options))) return claim;
  }
  return undefined;
}

/** The entry that one node says the file has. */
async function claimOf(
  { kind, node }: Holder,
  { root, sizeBytes }: Pick<PreparedUpload, 'root' | 'sizeBytes'>,
  tags: Uint8Array,
  options: { readonly signal: AbortSignal },
): Promise<FoundEntry | undefined> {
  if (kind === 'cairn') {
    const usable = (await fileEntries(node, root, options)).filter(
      (entry) => !entry.pruned && entry.sizeBytes === sizeBytes && equalBytes(entry.tags, tags),
    );
    return usable.find(({ finalized }) => finalized) ?? usable[0];
  }
  if (tags.length > 0) return undefined;
  const info = await node.fileInfo(root, options);
  if (info?.tx.dataMerkleRoot !== root || info.tx.size !== sizeBytes || info.pruned) {
    return undefined;
  }
  return { sequence: sequenceOf(info.tx.seq), startSector: info.tx.startEntryIndex };
}

/**
 * Whether a node's claim can be built on: one made-up place would keep a file from being stored.
 * Another node is asked first, then the chain; the word of the only node to answer stands where
 * the chain has none.
 */
async function isTrue(
  { sequence, startSector }: FoundEntry,
  claimant: Holder,
  { root, sizeBytes, nodes }: Pick<PreparedUpload, 'root' | 'sizeBytes' | 'nodes'>,
  { holders, checkEntry }: FindDeps,
  options: { readonly signal: AbortSignal },
): Promise<boolean> {
  let answered = 0;
  for (const { url, node } of holders) {
    if (url === claimant.url) continue;
    const isSame = await unlessSilent(async () => {
      const tx = (await node.fileInfoAt(sequence, options))?.tx;
      const isHere = tx?.dataMerkleRoot === root && tx.size === sizeBytes;
      return isHere && tx.startEntryIndex === startSector;
    }, options);
    if (isSame === true) return true;
    if (isSame === false) answered += 1;
  }
  return (await checkEntry?.({ sequence, sizeBytes, nodes }, options)) ?? answered === 0;
}

/**
 * A node that cannot say is passed over: another may know. If none does, the file is paid for,
 * which the payer does once for the same files.
 */
async function unlessSilent<Answer>(
  ask: () => Promise<Answer>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error;
    return undefined;
  }
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
