import { blstBackend } from '@cairn/attestation/native';
import {
  certifyCheckpoint,
  OrderFeed,
  type Ordering,
  readHead,
  type Shard,
} from '@cairn/chain-access/shards';
import { formatDuration, isZeroBytes, mapConcurrent, systemClock } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type OrderOptions, withOrder } from '../order-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** Shards asked about at once. */
const PARALLEL = 4;

/** What `cairn chain shards` takes. */
export interface ChainShardsOptions extends OrderOptions {
  readonly json?: boolean;
}

/** Prints the registry: each shard with its newest ordered checkpoint, and how old that is. */
export async function chainShards(
  options: ChainShardsOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  return withOrder(options, context, async ({ ordering, shards }) => {
    const told: ToldShard[] = [];
    const each = mapConcurrent(
      shards,
      (shard, within) => tell(ordering, shard, { signal: within }),
      {
        parallel: PARALLEL,
        signal,
      },
    );
    for await (const one of each) told.push(one);
    if (options.json === true) {
      await writeJson(io, { shards: told.map(jsonOf) });
      return EXIT.ok;
    }
    const head = ['SHARD', 'CHAIN', 'EVERY', 'FINAL', 'CHECKPOINT', 'PLACE', 'AGE', 'CONTRACTS'];
    await writeLine(io, formatTable(head, told.map(rowOf)));
    return EXIT.ok;
  });
}

interface ToldShard extends Shard {
  /** The newest ordered one; `undefined` before the first. */
  readonly newest?: {
    readonly number: number;
    readonly globalIndex: number;
    /** Time of the block that it is of, unix seconds; `undefined` where the call that brought it does not tell. */
    readonly timeSeconds: number | undefined;
    readonly ageSeconds: number | undefined;
  };
}

async function tell(
  ordering: Ordering,
  shard: Shard,
  { signal }: { readonly signal: AbortSignal },
): Promise<ToldShard> {
  const { number, hash, globalIndex } = await readHead(ordering, shard.shardId, { signal });
  if (isZeroBytes(hash)) return shard;
  const { client, firstBlock: fromBlock } = ordering.hub;
  const toBlock = await client.blockNumber({ signal });
  const feed = new OrderFeed(ordering);
  const event = await feed.find(globalIndex, { fromBlock, toBlock }, { signal });
  const deps = { ordering, backend: blstBackend() };
  const certified =
    event === undefined ? undefined : await certifyCheckpoint(deps, event, { signal });
  const timeSeconds = certified?.checkpoint.timeSeconds;
  const nowSeconds = Math.floor(systemClock().now() / 1000);
  // Clocks of chains may be ahead of this one.
  const ageSeconds = timeSeconds === undefined ? undefined : Math.max(0, nowSeconds - timeSeconds);
  return { ...shard, newest: { number, globalIndex, timeSeconds, ageSeconds } };
}

function contractsOf({ flow, entrance, mirror }: Shard): Readonly<Record<string, string>> {
  return {
    ...(flow === undefined ? {} : { flow }),
    ...(entrance === undefined ? {} : { entrance }),
    ...(mirror === undefined ? {} : { mirror }),
  };
}

function jsonOf(shard: ToldShard) {
  const { shardId, chainId, periodBlocks, finality, firstCheckpoint, newest } = shard;
  const contracts = contractsOf(shard);
  return {
    shardId,
    chainId,
    periodBlocks,
    finality,
    firstCheckpoint,
    contracts,
    newest: newest ?? null,
  };
}

function rowOf(shard: ToldShard): readonly (string | number)[] {
  const { shardId, chainId, periodBlocks, finality, newest } = shard;
  const age = newest?.ageSeconds;
  const contracts = Object.entries(contractsOf(shard)).map(([name, at]) => `${name}=${at}`);
  return [
    shardId,
    chainId,
    `${periodBlocks} blocks`,
    finality === 'tag' ? 'tag' : `${finality} blocks`,
    newest?.number ?? '-',
    newest?.globalIndex ?? '-',
    age === undefined ? '-' : formatDuration(age * 1000),
    contracts.join(' '),
  ];
}
