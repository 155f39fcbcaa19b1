import { type Clock, LruCache, type Root } from '@cairn/primitives';
import { coversAllShards, parseZgFileInfo, ZGS, type ZgFileInfo } from '@cairn/wire-protocol';
import type { KnownNode, NodeDirectory } from './node-directory.ts';

/** A node beside what it says about a file; `undefined` if it does not know the file. */
export interface NodeFileInfo {
  readonly node: KnownNode;
  readonly info: ZgFileInfo | undefined;
}

/** Where a file is. */
export type FileLocations =
  | { readonly kind: 'unknown' }
  /** Known, but its holders together do not have all of it yet. */
  | { readonly kind: 'incomplete'; readonly holders: readonly KnownNode[] }
  | { readonly kind: 'complete'; readonly holders: readonly KnownNode[] };

/** Files whose holders are remembered. */
const CACHED_FILES = 100_000;
/** How long complete holders are remembered: a node that loses a file stops being named after this. */
const CACHED_MS = 10_000;

/** Finds the holders of files by asking the trusted nodes. */
export class FileLocator {
  readonly #directory: NodeDirectory;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #cache = new LruCache<
    Root,
    { readonly holders: readonly KnownNode[]; readonly at: number }
  >({
    maxWeight: CACHED_FILES,
  });

  constructor(deps: {
    readonly directory: NodeDirectory;
    readonly clock: Pick<Clock, 'monotonic'>;
  }) {
    this.#directory = deps.directory;
    this.#clock = deps.clock;
  }

  /** Nodes that say they hold all their shard owns of the file. @throws the signal's reason */
  async locate(root: Root, signal: AbortSignal): Promise<FileLocations> {
    const cached = this.#cache.get(root);
    if (cached !== undefined && this.#clock.monotonic() - cached.at < CACHED_MS) {
      return { kind: 'complete', holders: cached.holders };
    }
    const infos = await this.infos(root, signal);
    if (infos.every(({ info }) => info === undefined)) return { kind: 'unknown' };
    const holders = infos.filter(({ info }) => info?.finalized === true).map(({ node }) => node);
    if (!coversAllShards(holders.map(({ shard }) => shard))) return { kind: 'incomplete', holders };
    this.#cache.set(root, { holders, at: this.#clock.monotonic() });
    return { kind: 'complete', holders };
  }

  /** What every answering node says about a file, by root or by sequence. */
  async infos(file: Root | number, signal: AbortSignal): Promise<NodeFileInfo[]> {
    const nodes = await this.#directory.nodes(signal);
    const parse = (result: unknown): ZgFileInfo | undefined =>
      result === null ? undefined : parseZgFileInfo(result);
    const answers =
      typeof file === 'number'
        ? await this.#directory.callEach(nodes, ZGS.getFileInfoByTxSeq, [file], parse, signal)
        : await this.#directory.callEach(nodes, ZGS.getFileInfo, [file, true], parse, signal);
    return answers.map(({ node, result }) => ({ node, info: result }));
  }
}

/**
 * One description of a file from those of several nodes: finalised where all who know it say so,
 * pruned where any does, the least progress. Nodes that do not know the file do not count.
 */
export function mergeFileInfos(infos: readonly NodeFileInfo[]): ZgFileInfo | undefined {
  const known = infos.flatMap(({ info }) => (info === undefined ? [] : [info]));
  const [first] = known;
  if (first === undefined) return undefined;
  return {
    ...first,
    finalized: known.every((info) => info.finalized),
    isCached: known.every((info) => info.isCached),
    uploadedSegNum: Math.min(...known.map((info) => info.uploadedSegNum)),
    pruned: known.some((info) => info.pruned),
  };
}
