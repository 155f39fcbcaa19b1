import { type Checkpoint, checkpointHash, encodeCheckpoint } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { type OrderedEvent, OrderFeed, type Ordering } from '@cairn/chain-access/shards';
import { mapConcurrent, toHex } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseShard, type OrderOptions, withOrder } from '../order-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** Calls that brought checkpoints, read at once. */
const PARALLEL = 4;

/** What `cairn chain checkpoints` takes. */
export interface ChainCheckpointsOptions extends OrderOptions {
  readonly shard?: number;
  /** First global index; the newest places unless told. */
  readonly from?: number;
  readonly limit: number;
  readonly json?: boolean;
}

/** Prints places of the order with what their checkpoints say, by rising global index. */
export async function chainCheckpoints(
  options: ChainCheckpointsOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  return withOrder(options, context, async ({ ordering, shards }) => {
    if (options.shard !== undefined) chooseShard(shards, options.shard);
    const events = await placesOf(ordering, options, signal);
    const told: ToldPlace[] = [];
    const each = mapConcurrent(
      byCall(events),
      (brought, within) => tell(ordering, brought, { signal: within }),
      { parallel: PARALLEL, signal },
    );
    for await (const places of each) told.push(...places);
    if (options.json === true) {
      await writeJson(io, { checkpoints: told.map(jsonOf) });
      return EXIT.ok;
    }
    const head = ['PLACE', 'SHARD', 'NUMBER', 'BLOCK', 'TIME', 'FILES', 'SECTORS', 'BATCHES', 'BY'];
    await writeLine(io, formatTable(head, told.map(rowOf)));
    return EXIT.ok;
  });
}

interface ToldPlace {
  readonly event: OrderedEvent;
  /** What was signed of it; `undefined` where another contract made the call that brought it. */
  readonly signed: { readonly checkpoint: Checkpoint; readonly epoch: number } | undefined;
}

/** Places by the call that brought them: the places of a bundle follow each other. */
function byCall(events: readonly OrderedEvent[]): readonly (readonly OrderedEvent[])[] {
  const calls = new Map<string, OrderedEvent[]>();
  for (const event of events) {
    const { transactionHash } = event;
    calls.set(transactionHash, [...(calls.get(transactionHash) ?? []), event]);
  }
  return [...calls.values()];
}

async function tell(
  ordering: Ordering,
  brought: readonly OrderedEvent[],
  options: { readonly signal: AbortSignal },
): Promise<readonly ToldPlace[]> {
  const [first] = brought;
  if (first === undefined) return [];
  const bundle = await new OrderFeed(ordering).bundleOf(first, blstBackend(), options);
  const byHash = new Map(bundle?.checkpoints.map((each) => [toHex(checkpointHash(each)), each]));
  return brought.map((event) => {
    const checkpoint = byHash.get(toHex(event.hash));
    const isTold = checkpoint !== undefined && bundle !== undefined;
    return { event, signed: isTold ? { checkpoint, epoch: bundle.epoch } : undefined };
  });
}

/** The first `limit` places from one on, else the newest ones; no more than `limit` are in memory. */
async function placesOf(
  ordering: Ordering,
  { shard, from, limit }: Pick<ChainCheckpointsOptions, 'shard' | 'from' | 'limit'>,
  signal: AbortSignal,
): Promise<readonly OrderedEvent[]> {
  const { client, firstBlock: fromBlock } = ordering.hub;
  const toBlock = await client.blockNumber({ signal });
  const pages = new OrderFeed(ordering).forward({ fromBlock, toBlock }, { signal });
  const found: OrderedEvent[] = [];
  for await (const { ordered } of pages) {
    for (const event of ordered) {
      if (shard !== undefined && event.shardId !== shard) continue;
      if (event.globalIndex < (from ?? 0)) continue;
      found.push(event);
      if (from !== undefined && found.length === limit) return found;
      if (found.length > limit) found.shift();
    }
  }
  return found;
}

function jsonOf({ event, signed }: ToldPlace) {
  const { globalIndex, shardId, number, hash, transactionHash } = event;
  const place = { globalIndex, shardId, number, hash: toHex(hash), transactionHash };
  if (signed === undefined) return place;
  const { checkpoint, epoch } = signed;
  return {
    ...place,
    epoch,
    ...contentOf(checkpoint),
    checkpoint: toHex(encodeCheckpoint(checkpoint)),
  };
}

function contentOf(checkpoint: Checkpoint) {
  const { previous, flowRoot, flowLength, logRoot, logCount } = checkpoint;
  const { daRoot, daCount, blockNumber, blockHash, timeSeconds } = checkpoint;
  return {
    previous: toHex(previous),
    flowRoot: toHex(flowRoot),
    flowLength,
    logRoot: toHex(logRoot),
    logCount,
    daRoot: toHex(daRoot),
    daCount,
    blockNumber,
    blockHash: toHex(blockHash),
    timeSeconds,
  };
}

function rowOf({ event, signed }: ToldPlace): readonly (string | number)[] {
  const { globalIndex, shardId, number } = event;
  if (signed === undefined) return [globalIndex, shardId, number, ...Array(6).fill('?')];
  const { epoch, checkpoint } = signed;
  const { blockNumber, timeSeconds, logCount, flowLength, daCount } = checkpoint;
  const time = new Date(timeSeconds * 1000).toISOString();
  const files = shardId === 0 ? '-' : logCount; // the hub's tell of the order there
  return [
    ...[globalIndex, shardId, number, blockNumber, time, files, flowLength, daCount],
    `epoch ${epoch}`,
  ];
}
