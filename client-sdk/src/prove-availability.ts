import {
  type Hasher,
  ProofError,
  sectorsOf,
  verifyFileSector,
  verifySegment,
} from '@cairn/commitments';
import {
  type Clock,
  Fault,
  forEachConcurrent,
  type Rng,
  SEGMENT_SECTORS,
  toHex,
  withDeadline,
} from '@cairn/primitives';
import { countReplicas, WireError } from '@cairn/wire-protocol';
import {
  type AvailabilityScore,
  DEFAULT_SAMPLES,
  lossBound,
  MAX_SAMPLES,
  type NodeAvailability,
} from './availability.ts';
import type { FileReference } from './client.ts';
import { countOwnedSectors, drawSectors, drawStream } from './draw-sectors.ts';
import { SdkError } from './errors.ts';
import { failureOf, type Holder, type HolderBook } from './holders.ts';
import { type FileLocator, type LocatedFile, parseReference } from './locate-file.ts';
import type { EntryPlace } from './segment-door.ts';

/** Nodes asked at the same time. */
const NODES_PARALLEL = 16;
/** Sectors asked of a node at the same time. */
const SECTORS_PARALLEL = 8;
/** Nodes asked at most, those named first. */
const MAX_ASKED_NODES = 1024;
/** Bytes of a seed. */
const SEED_BYTES = 32;
/** Time for one answer unless told: an honest node reads 256 KiB and hashes them. */
const ANSWER_MS = 5_000;

/** What asking for sectors needs. */
export interface ProveDeps {
  readonly locate: FileLocator;
  readonly book: HolderBook;
  readonly hasher: Hasher;
  readonly clock: Clock;
  /** Draws seeds; nobody asked may foresee them. */
  readonly rng: Pick<Rng, 'fill'>;
}

/** How a file is asked for. */
export interface ProveRequest {
  /** Sectors of each node, 1 … 1,024; 30 unless told. */
  readonly samples?: number;
  /** The nodes to ask; unless told, those of the client and the indexer that should hold some of it. */
  readonly nodes?: readonly string[];
  /** Time for each answer in ms; 5,000 unless told. */
  readonly answerMs?: number;
  /**
   * 32 bytes that fix what is drawn for each node, to ask again what a score asked; unless told, chance
   * draws them. Worth something only while the nodes asked do not know them.
   */
  readonly seed?: Uint8Array;
}

/**
 * Asks nodes for random sectors of a file and proves each answer under its root.
 *
 * The draw is made here, for each node by its address and a seed, of the sectors that its shard keeps, and stands:
 * what a node does not give counts against it, and nothing is drawn in its place. It shows that a
 * node can give the file now, not that it keeps a copy of its own.
 *
 * @throws {SdkError} SDK_OPTION for a count or a seed out of bounds or the roots of several fragments,
 *   SDK_FILE_NOT_FOUND, SDK_SIZE_DISPUTED; the signal's reason
 */
export async function proveAvailability(
  reference: FileReference,
  deps: ProveDeps,
  {
    samples = DEFAULT_SAMPLES,
    nodes,
    answerMs = ANSWER_MS,
    seed = deps.rng.fill(new Uint8Array(SEED_BYTES)),
    signal,
  }: ProveRequest & { readonly signal: AbortSignal },
): Promise<AvailabilityScore> {
  const [entry, second] = parseReference(reference);
  if (entry === undefined || second !== undefined) {
    throw badOption('roots', 'ask for each fragment by its own root');
  }
  if (!Number.isInteger(samples) || samples < 1 || samples > MAX_SAMPLES) {
    throw badOption('samples', `a node is asked for 1 to ${MAX_SAMPLES} sectors, not ${samples}`);
  }
  if (seed.length !== SEED_BYTES) {
    throw badOption('seed', `a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  }
  const file = await deps.locate(entry, { signal, ...(nodes === undefined ? {} : { nodes }) });
  const [first] = file.holders;
  if (first === undefined) throw new Error('a file that was found has a holder');
  const urls = nodes ?? (await knownNodes(file, signal));
  const scores: NodeAvailability[] = [];
  await forEachConcurrent(
    urls.map((url) => url.replace(/\/+$/, '')).slice(0, MAX_ASKED_NODES),
    async (url, inner) => {
      scores.push(await askNode(url, { file, samples, answerMs, seed }, deps, inner));
    },
    { parallel: NODES_PARALLEL, signal },
  );
  // Of the nodes nobody named, those that should hold nothing of this file do not matter.
  const asked = scores
    .filter(({ sectors }) => nodes !== undefined || sectors > 0)
    .toSorted((left, right) => (left.url < right.url ? -1 : 1));
  const shards = asked.flatMap(({ passed, shard }) => (passed && shard ? [shard] : []));
  const { least, most } = countReplicas(shards, file);
  const { chainId, root, sequence, sizeBytes } = file;
  return {
    kind: 'cairn availability score 1',
    chainId,
    flow: first.flow,
    root,
    sequence,
    sizeBytes,
    timeMs: deps.clock.now(),
    samples,
    seed: toHex(seed),
    lossBound: lossBound(samples, sectorsOf(sizeBytes)),
    nodes: asked,
    leastReplicas: least,
    mostReplicas: most,
    verdict: least > 0 ? 'available' : 'unavailable',
  };
}

/** Everyone who may be expected to hold some of a file. */
async function knownNodes(file: LocatedFile, signal: AbortSignal): Promise<readonly string[]> {
  const { nodes, indexer } = file.askable;
  const listed = (await indexer?.nodes({ signal })) ?? [];
  const urls = [
    ...nodes,
    ...file.holders.map(({ url }) => url),
    ...listed.map(({ url }) => url.replace(/\/+$/, '')),
  ];
  return [...new Set(urls)];
}

interface Questions {
  readonly file: LocatedFile;
  readonly samples: number;
  readonly answerMs: number;
  readonly seed: Uint8Array;
}

async function askNode(
  url: string,
  questions: Questions,
  deps: ProveDeps,
  signal: AbortSignal,
): Promise<NodeAvailability> {
  const { file, samples, answerMs, seed } = questions;
  const { book, clock } = deps;
  const timed = { clock, signal };
  let holder: Holder;
  try {
    const describe = (inner: AbortSignal): Promise<Holder> => book.holder(url, { signal: inner });
    holder = await withDeadline('the description of a node', answerMs, describe, timed);
    if (holder.chainId !== file.chainId) {
      throw new SdkError(
        {
          code: 'SDK_WRONG_NETWORK',
          what: url,
          expected: String(file.chainId),
          actual: String(holder.chainId),
        },
        `${url} serves chain ${holder.chainId}, the file is on chain ${file.chainId}`,
      );
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error;
    const sectors = sectorsOf(file.sizeBytes);
    const asked = Math.min(samples, sectors);
    const reasons = { [failureOf(url, error).code]: asked };
    return { url, sectors, asked, answered: 0, wrong: 0, silent: asked, reasons, passed: false };
  }
  // Another entry of the same file lies elsewhere in the log, and shards keep other parts of it.
  const entry = file.holders.find((each) => each.url === url)?.entry ?? file;
  const { shard } = holder;
  const drawn = drawSectors(shard, entry, samples, drawStream(seed, url));
  const counts = { answered: 0, wrong: 0, silent: 0 };
  const reasons: Record<string, number> = {};
  await forEachConcurrent(
    drawn,
    async (index, inner) => {
      const { outcome, code } = await askSector(holder, { entry, index, answerMs }, deps, inner);
      counts[outcome] += 1;
      if (code !== undefined) reasons[code] = (reasons[code] ?? 0) + 1;
    },
    { parallel: SECTORS_PARALLEL, signal },
  );
  const sectors = countOwnedSectors(shard, entry);
  const passed = counts.answered === drawn.length;
  return {
    url,
    shard,
    sectors,
    asked: drawn.length,
    ...counts,
    reasons,
    passed,
    ...(passed && sectors > 0 && { lossBound: lossBound(drawn.length, sectors) }),
  };
}

interface Answer {
  readonly outcome: 'answered' | 'wrong' | 'silent';
  readonly code?: string;
}

/** Asks for one sector; once more, for the same one, where a node failed at once. */
async function askSector(
  { url, door }: Holder,
  question: { readonly entry: EntryPlace; readonly index: number; readonly answerMs: number },
  { hasher, clock }: ProveDeps,
  signal: AbortSignal,
): Promise<Answer> {
  const { entry, index, answerMs } = question;
  const ask = async (inner: AbortSignal): Promise<Answer> => {
    if (door.fetchSector === undefined) {
      const segmentIndex = Math.floor(index / SEGMENT_SECTORS);
      const segment = await door.fetch(entry, segmentIndex, { signal: inner });
      if (segment === undefined) return { outcome: 'silent', code: 'SEGMENT_NOT_HELD' };
      verifySegment(segment, hasher); // 0G nodes prove segments only; it has the sector in it
      return { outcome: 'answered' };
    }
    const sector = await door.fetchSector(entry, index, { signal: inner });
    if (sector === undefined) return { outcome: 'silent', code: 'SEGMENT_NOT_HELD' };
    verifyFileSector(sector, hasher);
    return { outcome: 'answered' };
  };
  const answers: Answer[] = [];
  while (answers.length < 2) {
    try {
      return await withDeadline('a sector', answerMs, ask, { clock, signal });
    } catch (error) {
      if (signal.aborted || !(error instanceof Fault)) throw error;
      const { code } = failureOf(url, error);
      if (error instanceof ProofError || error instanceof WireError) {
        return { outcome: 'wrong', code };
      }
      answers.push({ outcome: 'silent', code });
      if (code === 'DEADLINE_PASSED') break;
    }
  }
  return answers.at(-1) ?? { outcome: 'silent' };
}

function badOption(option: string, message: string): SdkError {
  return new SdkError({ code: 'SDK_OPTION', option }, message);
}
