import { type Client, createClient, shardsOf } from '@cairn/client-sdk';
import {
  type Address,
  type Clock,
  equalBytes,
  formatDuration,
  isFault,
  type Root,
  seededRng,
  systemClock,
} from '@cairn/primitives';
import type { Endpoints } from '@cairn/wire-protocol';
import { openDaChain } from './da-chain.ts';
import { CliError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { placeOf, readKnownEpoch } from './known-epoch.ts';
import { type OrderChain, withOrder } from './order-chain.ts';
import { certifyPlace, placeProofOf } from './place-file.ts';
import { type VerifiedPlace, verifyPlace } from './verify-place.ts';

/** A file that the tour stored on one consensus shard. */
export interface ShardFile {
  readonly shard: number;
  readonly chainId: number;
  readonly root: Root;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** A file's place in the order of all shards, for `--json`. */
export interface OrderedFileResult extends Omit<ShardFile, 'bytes'> {
  readonly globalIndex: number;
  /** Epoch whose committee signed the order that was trusted. */
  readonly trustedEpoch: number;
}

/** What the tour of shards works with. */
export interface ShardTourOptions {
  readonly endpoints: Endpoints;
  /** The devnet's directory. */
  readonly directory: string;
  /** Private key that pays, hex. */
  readonly payer: string;
}

const FILE_BYTES = 4096;
/** Checkpoints are due every few blocks; a loaded machine takes its time. */
const ORDERED_WITHIN_MS = 240_000;
const POLL_MS = 1000;

/**
 * Stores one file on each consensus shard of a network.
 *
 * @returns `undefined` for a network with one log
 */
export async function storeOnShards(
  { endpoints, payer }: ShardTourOptions,
  { seed }: { readonly seed: number },
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<readonly ShardFile[] | undefined> {
  return withShards({ endpoints, payer }, async (client, numbers) => {
    const files: ShardFile[] = [];
    for (const shard of numbers) {
      const bytes = seededRng(seed + 1 + shard).fill(new Uint8Array(FILE_BYTES));
      const { root, sequence, chainId } = await client.files.put(bytes, { shard, signal });
      files.push({ shard, chainId, root, sequence, bytes });
    }
    return files;
  });
}

/**
 * Reads the files back from wherever they are, and proves which came first: each one's place under an order that a
 * committee signed, checked as `cairn verify --trust` does, with that committee's epoch as what is trusted.
 *
 * @throws {CliError} CLI_NOT_ORDERED where no committee signed their places in four minutes; as `verifyPlace`
 */
export async function shardTour(
  { endpoints, directory, payer }: ShardTourOptions,
  files: readonly ShardFile[],
  { step, say }: { readonly step: number; readonly say: (text: string) => Promise<void> },
  context: CommandContext,
): Promise<readonly OrderedFileResult[]> {
  const { signal } = context;
  const clock = systemClock();
  const startedAt = clock.monotonic();
  await withShards({ endpoints, payer }, async (client) => {
    for (const { root, bytes } of files) {
      const copy = await client.files.getBytes(root, { signal });
      if (equalBytes(copy, bytes)) continue;
      throw new CliError(
        { code: 'CLI_MISMATCH', expected: root, actual: `${copy.length} other bytes` },
        `the file ${root} came back as other bytes`,
      );
    }
  });
  const chain = await openDaChain(hubOf(endpoints), { signal });
  try {
    const placed = await withOrder({ dir: directory }, context, async (order) => {
      const all: OrderedFileResult[] = [];
      for (const file of files) {
        const { verified, epoch } = await waitForPlace(order, file, { chain, clock, signal });
        const { globalIndex } = verified.file.checkpoint;
        const { shard, chainId, root, sequence } = file;
        all.push({ shard, chainId, root, sequence, globalIndex, trustedEpoch: epoch });
      }
      return all.sort((left, right) => left.globalIndex - right.globalIndex);
    });
    const took = formatDuration(clock.monotonic() - startedAt);
    await say(`${step}. Stored a file on each of ${files.length} chains, read them back, and`);
    const epochs = new Set(placed.map(({ trustedEpoch }) => trustedEpoch)).size;
    const trusted = epochs === 1 ? 'one committee’s signature' : `${epochs} committees’ signatures`;
    await say(`     proved their order in ${took}, trusting ${trusted}:`);
    for (const { shard, chainId, sequence, globalIndex } of placed) {
      await say(
        `     place ${globalIndex}: shard ${shard} (chain ${chainId}), sequence ${sequence}`,
      );
    }
    return placed;
  } finally {
    await chain.close();
  }
}

interface Waiting {
  readonly chain: Awaited<ReturnType<typeof openDaChain>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The file's place as soon as a committee has signed an order that has it. */
async function waitForPlace(
  { shards, proverOf }: OrderChain,
  { shard, root, sequence }: ShardFile,
  { chain, clock, signal }: Waiting,
): Promise<{ readonly verified: VerifiedPlace; readonly epoch: number }> {
  const known = shards.find(({ shardId }) => shardId === shard);
  if (known === undefined) {
    throw new CliError({ code: 'CLI_NO_SHARD', shardId: shard }, `there is no shard ${shard}`);
  }
  const prover = await proverOf(known);
  const untilMs = clock.monotonic() + ORDERED_WITHIN_MS;
  while (clock.monotonic() < untilMs) {
    signal.throwIfAborted();
    try {
      const certified = await certifyPlace(prover, sequence, { signal });
      if (certified.hub !== undefined) {
        const { epoch } = placeOf(certified.hub.certificate);
        const trusted = await readKnownEpoch(chain, epoch, { signal });
        const trust = { kind: 'epoch', epoch: trusted } as const;
        return { verified: verifyPlace(placeProofOf(certified), trust, { clock }), epoch };
      }
    } catch (error) {
      if (!isFault(error, 'SHARD_NOT_ORDERED')) throw error;
    }
    await clock.sleep(POLL_MS, signal);
  }
  throw new CliError(
    { code: 'CLI_NOT_ORDERED', root, waitedMs: ORDERED_WITHIN_MS },
    `no committee signed an order with file ${root} of shard ${shard} within ${ORDERED_WITHIN_MS / 1000} s`,
  );
}

/** Works with a client of all shards; `undefined` for a network with one log. */
async function withShards<Result>(
  { endpoints, payer }: Pick<ShardTourOptions, 'endpoints' | 'payer'>,
  work: (client: Client, numbers: readonly number[]) => Promise<Result>,
): Promise<Result | undefined> {
  const shards = shardsOf(endpoints);
  if (shards === undefined) return undefined;
  const numbers = shards.places.flatMap(({ shard }) => (shard === undefined ? [] : [shard]));
  const client = createClient({ shards, signer: payer });
  try {
    return await work(client, numbers);
  } finally {
    await client.close();
  }
}

function hubOf({ chains }: Endpoints): { readonly rpc: string; readonly entrance: Address } {
  const hub = chains.find(({ contracts }) => contracts['sortition'] !== undefined);
  const entrance = hub?.contracts['daEntrance'];
  if (hub !== undefined && entrance !== undefined) return { rpc: hub.rpc, entrance };
  throw new CliError({ code: 'CLI_NO_ORDER', network: 'devnet' }, 'the devnet names no hub');
}
