import { assertNodeLayout, type Hasher, rootOfNodes } from '@cairn/commitments';
import {
  type Address,
  type ChainId,
  equalBytes,
  Fault,
  fromHex,
  type Logger,
  parseRoot,
  type Root,
  rootBytes,
  type SubmissionNode,
  sequenceOf,
} from '@cairn/primitives';
import { WireError, type ZgFileInfo } from '@cairn/wire-protocol';
import type { FileReference, HolderEvidence } from './client.ts';
import { type HolderFailure, SdkError } from './errors.ts';
import { evidenceOf, failureOf, type Holder, type HolderBook } from './holders.ts';
import type { IndexerClient } from './indexer-client.ts';
import type { EntryPlace } from './segment-door.ts';

/** A holder that knows the file, with the log entry it keeps it under. */
export interface LocatedHolder extends Holder {
  readonly entry: EntryPlace;
  readonly finalized: boolean;
  readonly pruned: boolean;
}

/** A file that was found. */
export interface LocatedFile extends EntryPlace {
  readonly holders: readonly LocatedHolder[];
  /** What holders were caught at while the file was looked for. */
  readonly evidence: readonly HolderEvidence[];
  /** Whose word it is: those who may know of others that keep it. */
  readonly askable: Pick<LocateDeps, 'nodes' | 'indexer'>;
  /** The consensus shard in whose log it is, where the client knows of several. */
  readonly shard?: number;
}

/** Finds a file, on one chain or on whichever of several has it. `nodes` are asked besides. @throws as `locateFile` */
export type FileLocator = (
  reference: EntryReference,
  options: { readonly signal: AbortSignal; readonly nodes?: readonly string[] },
) => Promise<LocatedFile>;

/** Settles on the chain what holders say about an entry; `undefined`: it could not be asked. */
export type EntryCheck = (
  claim: Pick<EntryPlace, 'sequence' | 'sizeBytes'> & { readonly nodes: readonly SubmissionNode[] },
  options: { readonly signal: AbortSignal },
) => Promise<boolean | undefined>;

/** What finding files needs. */
export interface LocateDeps {
  readonly book: HolderBook;
  readonly nodes: readonly string[];
  readonly indexer: IndexerClient | undefined;
  readonly hasher: Hasher;
  readonly checkEntry: EntryCheck | undefined;
  readonly logger: Logger;
  /** The only log whose files count, of a client that knows several; any unless told. */
  readonly log?: {
    readonly shard: number;
    readonly chainId: ChainId | undefined;
    readonly flow: Address | undefined;
  };
}

/** One file of the log: by root, by sequence, or both. */
export interface EntryReference {
  readonly root?: Root;
  readonly sequence?: number;
  /** The consensus shard whose log is meant; any unless told. */
  readonly shard?: number;
}

/** Takes a reference apart. @throws {IdError} ID_NOT_A_ROOT, ID_NOT_A_SEQUENCE */
export function parseReference(reference: FileReference): readonly EntryReference[] {
  if (typeof reference === 'string') return [{ root: parseRoot(reference) }];
  const { shard } = reference;
  const where = shard === undefined ? {} : { shard };
  if ('roots' in reference) {
    return reference.roots.map((root) => ({ root: parseRoot(root), ...where }));
  }
  const { sequence } = reference;
  return [
    {
      ...where,
      ...('root' in reference ? { root: parseRoot(reference.root) } : {}),
      ...(sequence === undefined ? {} : { sequence: sequenceOf(sequence) }),
    },
  ];
}

/**
 * Asks who has a file and what its log entry says.
 *
 * The entry's nodes must lead to the root and fit the length, so a node can misstate the length
 * only within the last padding step. What holders disagree about is settled by the chain where
 * one is given, and by the larger number of holders where not.
 *
 * @throws {SdkError} SDK_FILE_NOT_FOUND, SDK_SIZE_DISPUTED; the signal's reason
 */
export async function locateFile(
  reference: EntryReference,
  deps: LocateDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<LocatedFile> {
  const found = await findHolders(reference, deps, signal);
  const { claims } = found;
  if (claims.length === 0) {
    const name = reference.root ?? `sequence ${reference.sequence}`;
    const { asked, failures } = found;
    throw new SdkError(
      { code: 'SDK_FILE_NOT_FOUND', reference: name, asked, failures },
      `none of ${asked} nodes knows the file ${name}` +
        (failures.length > 0 ? ` (${failures.length} did not answer)` : ''),
    );
  }
  const agreed = await settle(claims, deps, signal);
  const [first] = agreed.toSorted((left, right) => left.entry.sequence - right.entry.sequence);
  if (first === undefined) throw new Error('an agreement without holders');
  const holders = agreed.map(({ nodes: _, ...holder }) => holder);
  const { nodes, indexer, log } = deps;
  return {
    ...first.entry,
    holders,
    evidence: found.evidence,
    askable: { nodes, indexer },
    ...(log === undefined ? {} : { shard: log.shard }),
  };
}

interface Claim extends LocatedHolder {
  readonly nodes: readonly SubmissionNode[];
}

interface Found {
  readonly claims: readonly Claim[];
  readonly evidence: readonly HolderEvidence[];
  readonly failures: readonly HolderFailure[];
  readonly asked: number;
}

async function findHolders(
  reference: EntryReference,
  deps: LocateDeps,
  signal: AbortSignal,
): Promise<Found> {
  const { book } = deps;
  const failures: HolderFailure[] = [];
  const evidence: HolderEvidence[] = [];
  const asked = new Set<string>();
  const ask = async (urls: readonly string[]): Promise<readonly Claim[]> => {
    const fresh = urls.filter((url) => !asked.has(url));
    for (const url of fresh) asked.add(url);
    const described = await book.describe(fresh, { signal });
    failures.push(...described.failures);
    const ours = described.answers.filter((holder) => isOfLog(holder, deps.log));
    const byUrl = new Map(ours.map((holder) => [holder.url, holder]));
    const answered = await book.askAll(
      byUrl.keys(),
      async (node, inner) => {
        const holder = byUrl.get(node.url);
        if (holder === undefined) return undefined;
        const info =
          reference.sequence === undefined && reference.root !== undefined
            ? await node.fileInfo(reference.root, { signal: inner })
            : await node.fileInfoAt(sequenceOf(reference.sequence ?? 0), { signal: inner });
        if (info === undefined) return undefined;
        // Another file at the sequence is no lie: the caller may be wrong, or a reorg moved it.
        if (isOfAnotherFile(info, reference)) return undefined;
        const claim = claimOf(holder, info, reference, deps);
        if ('code' in claim) {
          evidence.push(claim);
          book.convict(claim);
          return undefined;
        }
        return claim.pruned ? undefined : claim;
      },
      { signal },
    );
    failures.push(...answered.failures);
    return answered.answers;
  };

  const claims = [
    ...(await ask([...deps.nodes, ...(await locations(reference, deps, failures, signal))])),
  ];
  if (claims.length === 0 && deps.indexer !== undefined) {
    // Just stored and not yet in the indexer's book: its nodes may know all the same.
    claims.push(...(await ask(await indexerNodes(deps.indexer, failures, signal))));
  }
  return { claims, evidence, failures, asked: asked.size };
}

async function locations(
  { root }: EntryReference,
  { indexer }: LocateDeps,
  failures: HolderFailure[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (indexer === undefined || root === undefined) return [];
  try {
    return (await indexer.fileLocations(root, { signal })).map(({ url }) => url);
  } catch (error) {
    if (signal.aborted) throw error;
    failures.push(failureOf(indexer.url, error)); // 0G's indexer answers an unknown file with an error
    return [];
  }
}

async function indexerNodes(
  indexer: IndexerClient,
  failures: HolderFailure[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return (await indexer.nodes({ signal })).map(({ url }) => url);
  } catch (error) {
    if (signal.aborted) throw error;
    failures.push(failureOf(indexer.url, error));
    return [];
  }
}

/** Nodes of other logs say nothing of this one. */
function isOfLog({ chainId, flow }: Holder, log: LocateDeps['log']): boolean {
  const isOfChain = log?.chainId === undefined || log.chainId === chainId;
  return isOfChain && (log?.flow === undefined || log.flow === flow);
}

function isOfAnotherFile({ tx }: ZgFileInfo, { root, sequence }: EntryReference): boolean {
  return sequence !== undefined && root !== undefined && tx.dataMerkleRoot !== root;
}

/** What a node says about the file, or evidence that it cannot be so. */
function claimOf(
  holder: Holder,
  info: ZgFileInfo,
  reference: EntryReference,
  { hasher }: LocateDeps,
): Claim | HolderEvidence {
  const { tx } = info;
  const root = tx.dataMerkleRoot;
  const nodes = tx.merkleNodes.map(
    ([depth, hash]): SubmissionNode => ({ height: depth - 1, root: fromHex(hash) }),
  );
  try {
    assertNodeLayout(nodes, tx.size);
    if (reference.root !== undefined && root !== reference.root) {
      throw mismatch('root', reference.root, root);
    }
    if (!equalBytes(rootOfNodes(nodes, hasher), rootBytes(root))) {
      throw mismatch('merkleNodes', `nodes of ${root}`, 'nodes of another root');
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return evidenceOf(holder.url, reference.root ?? root, error);
  }
  return {
    ...holder,
    entry: {
      chainId: holder.chainId,
      root,
      sequence: sequenceOf(tx.seq),
      sizeBytes: tx.size,
      startSector: tx.startEntryIndex,
    },
    finalized: info.finalized,
    pruned: info.pruned,
    nodes,
  };
}

function mismatch(field: string, expected: string, actual: string): WireError {
  return new WireError(
    { code: 'WIRE_FIELD', what: 'file info', field, expected, actual },
    `file info.${field} must be ${expected}, not ${actual}`,
  );
}

/** The claims that are believed: of one root, one length and one chain. */
async function settle(
  claims: readonly Claim[],
  { checkEntry, logger }: LocateDeps,
  signal: AbortSignal,
): Promise<readonly Claim[]> {
  const byMeaning = new Map<string, Claim[]>();
  for (const claim of claims) {
    const { chainId, root, sizeBytes } = claim.entry;
    const meaning = `${chainId} ${root} ${sizeBytes}`;
    byMeaning.set(meaning, [...(byMeaning.get(meaning) ?? []), claim]);
  }
  const groups = [...byMeaning.values()].toSorted((left, right) => right.length - left.length);
  const [first, second] = groups;
  if (first === undefined) return [];
  if (checkEntry !== undefined) {
    let isDenied = false;
    for (const group of groups) {
      // A file may be in the log several times, so holders may rightly name different places.
      const verdicts = new Map<number, boolean | undefined>();
      for (const { entry, nodes } of group) {
        const { sequence, sizeBytes } = entry;
        if (verdicts.has(sequence)) continue;
        verdicts.set(sequence, await checkEntry({ sequence, sizeBytes, nodes }, { signal }));
      }
      const proven = group.filter(({ entry }) => verdicts.get(entry.sequence) === true);
      if (proven.length > 0) return proven;
      isDenied ||= [...verdicts.values()].includes(false);
    }
    if (isDenied) throw disputed(groups);
  }
  if (second !== undefined && second.length === first.length) throw disputed(groups);
  if (second !== undefined) {
    const sizes = groups.map((group) => group[0]?.entry.sizeBytes);
    logger.warn({ root: first[0]?.entry.root, sizes }, 'nodes disagree about a file');
  }
  return first;
}

function disputed(groups: readonly (readonly Claim[])[]): SdkError {
  const sizes = groups.map((group) => ({
    sizeBytes: group[0]?.entry.sizeBytes ?? 0,
    holders: group.length,
  }));
  const root = groups[0]?.[0]?.entry.root;
  if (root === undefined) throw new Error('a dispute without claims');
  const text = sizes.map(({ sizeBytes, holders }) => `${sizeBytes} bytes (${holders})`).join(', ');
  return new SdkError(
    { code: 'SDK_SIZE_DISPUTED', root, sizes },
    `holders of ${root} disagree about its length, or the chain has no such entry: ${text}`,
  );
}
