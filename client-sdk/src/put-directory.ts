import { MAX_BATCH_SUBMISSIONS } from '@cairn/chain-access';
import { memoryFileSource } from '@cairn/log-layer';
import { keccak256, toHex } from '@cairn/primitives';
import { encodeManifest } from '@cairn/wire-protocol';
import type { DirectoryReceipt, FileReceipt } from './client.ts';
import { type DirectoryEntry, type DirectoryItem, manifestOf, pathNames } from './directories.ts';
import {
  type Destination,
  feeOf,
  filesOf,
  forgetIfChanged,
  type PreparedPut,
  type PutDeps,
  preparePut,
  receiptOf,
} from './put-file.ts';
import type { PutDirectoryOptions } from './put-options.ts';
import { storeFiles } from './upload-file.ts';

interface OpenItem {
  readonly path: string;
  readonly prepared: PreparedPut;
  readonly close: () => Promise<void>;
}

/**
 * Stores a directory: its files in groups that are paid together, its manifest last, so that a
 * root that can be read names files that can be read.
 *
 * The journal keeps each file until the manifest is stored: encrypted anew, a file of a finished
 * group would be another file, to be paid again.
 *
 * @throws as `FilesClient.putDirectory`
 */
export async function putDirectory(
  items: Iterable<DirectoryItem> | AsyncIterable<DirectoryItem>,
  deps: PutDeps,
  options: PutDirectoryOptions & { readonly signal: AbortSignal },
): Promise<DirectoryReceipt> {
  const { signal, onFile, replicas = 1, encryption, shard } = options;
  const destination = await deps.openDestination({ replicas, shard, signal });
  const entries: DirectoryEntry[] = [];
  let feeWei = 0n;
  const journalKeys: (string | undefined)[] = [];
  let totalBytes = 0;
  let group: OpenItem[] = [];
  const flush = async (): Promise<void> => {
    const open = group;
    group = [];
    feeWei += feeOf(await storeGroup(open, destination, deps, options)) ?? 0n;
    for (const { path, prepared } of open) {
      const { parts, plainBytes } = prepared;
      onFile?.(path, parts.length === 1 ? parts[0]?.root : undefined, plainBytes);
    }
  };
  try {
    for await (const item of items) {
      signal.throwIfAborted();
      pathNames(item.path);
      if (item.kind !== 'file') {
        entries.push(item);
        continue;
      }
      const source = await item.open();
      const { path } = item;
      totalBytes += source.sizeBytes;
      const close = async (): Promise<void> => source.close?.();
      if (source.sizeBytes === 0) {
        await close();
        entries.push({ kind: 'file', path, sizeBytes: 0, roots: [] });
        onFile?.(path, undefined, 0);
        continue;
      }
      const prepared = await closeOnFailure(close, () =>
        preparePut(source, destination, deps, options),
      );
      journalKeys.push(prepared.journalKey);
      group.push({ path, prepared, close });
      const roots = prepared.parts.map(({ root }) => root);
      entries.push({ kind: 'file', path, sizeBytes: source.sizeBytes, roots });
      const files = group.reduce((sum, each) => sum + each.prepared.parts.length, 0);
      if (files >= MAX_BATCH_SUBMISSIONS) await flush();
    }
    await flush();
  } finally {
    for (const { close } of group) await close();
  }
  const bytes = encodeManifest(manifestOf(entries));
  const manifest = await preparePut(memoryFileSource(bytes), destination, deps, {
    signal,
    ...(encryption === undefined ? {} : { encryption }),
    // Only where every file can be recalled is the manifest the same in a later run.
    ...(journalKeys.includes(undefined)
      ? {}
      : { resumeKey: `manifest ${toHex(keccak256(bytes))}` }),
  });
  const network = await destination.settle(filesOf(manifest), options);
  const [stored] = await storeFiles(filesOf(manifest), network, deps, options);
  if (stored === undefined) throw new Error('a manifest without a receipt');
  for (const key of [...journalKeys, manifest.journalKey]) {
    if (key !== undefined) await deps.journal.delete(key);
  }
  await destination.done();
  const { placement } = network;
  return {
    root: stored.root,
    manifest: {
      ...receiptOf(manifest, [stored], encryption),
      ...(placement === undefined ? {} : { placement }),
    },
    files: entries.filter(({ kind }) => kind === 'file').length,
    totalBytes,
    feeWei: feeWei + (stored.feeWei ?? 0n),
  };
}

/** Pays for and sends a group of files, and closes them, whatever happens. */
async function storeGroup(
  group: readonly OpenItem[],
  destination: Destination,
  deps: PutDeps,
  options: PutDirectoryOptions & { readonly signal: AbortSignal },
): Promise<readonly FileReceipt[]> {
  if (group.length === 0) return [];
  try {
    const files = group.flatMap(({ prepared }) => prepared.parts);
    const network = await destination.settle(files, options);
    return await storeFiles(files, network, deps, options);
  } catch (error) {
    for (const { prepared } of group) await forgetIfChanged(prepared, deps, error);
    throw error;
  } finally {
    for (const { close } of group) await close();
  }
}

async function closeOnFailure<Result>(
  close: () => Promise<void>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}
