import { blstBackend } from '@cairn/attestation/native';
import { type ChainClient, openFlow } from '@cairn/chain-access';
import {
  certifyCheckpoint,
  OrderFeed,
  readHead,
  readShardLoad,
  type Shard,
  type ShardLoad,
} from '@cairn/chain-access/shards';
import {
  describeError,
  Fault,
  formatCoin,
  formatDuration,
  isZeroBytes,
  mapConcurrent,
  SECTOR_BYTES,
  systemClock,
} from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type OrderChain, type OrderOptions, withOrder } from '../order-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** Sectors of a GiB. */
const GIB_SECTORS = BigInt(2 ** 30 / SECTOR_BYTES);
/** Shards asked about at once. */
const PARALLEL = 4;

/** What `cairn chain shards` takes. */
export interface ChainShardsOptions extends OrderOptions {
  readonly json?: boolean;
}

/** Prints the registry: each shard with its newest ordered checkpoint, how old that is, its price and its backlog. */
export async function chainShards(
  options: ChainShardsOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  return withOrder(options, context, async ({ ordering, shards, clientOf }) => {
    const told: ToldShard[] = [];
    const each = mapConcurrent(
      shards,
      (shard, within) => tell({ ordering, clientOf }, shard, { signal: within }),
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
    const order = ['CHECKPOINT', 'PLACE', 'AGE'];
    const load = ['COINS/GIB', 'WAITING', 'LATE'];
    const head = ['SHARD', 'CHAIN', 'EVERY', 'FINAL', ...order, ...load, 'CONTRACTS'];
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
  /** What storing there costs and how far it is behind; `undefined` for a shard without a log. */
  readonly load?: ShardLoad | ToldFault;
}

/** Why a shard's chain did not tell. */
interface ToldFault {
  readonly code: string;
  readonly reason: string;
}

async function tell(
  { ordering, clientOf }: Pick<OrderChain, 'ordering' | 'clientOf'>,
  shard: Shard,
  { signal }: { readonly signal: AbortSignal },
): Promise<ToldShard> {
  const { number, hash, globalIndex } = await readHead(ordering, shard.shardId, { signal });
  const load = await loadOf(clientOf(shard), shard, number, signal);
  const loaded = { ...shard, ...(load === undefined ? {} : { load }) };
  if (isZeroBytes(hash)) return loaded;
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
  return { ...loaded, newest: { number, globalIndex, timeSeconds, ageSeconds } };
}

/** A shard that does not answer is told as such: the registry tells of the others all the same. */
async function loadOf(
  client: ChainClient | undefined,
  { shardId, chainId, flow: address, finality, periodBlocks }: Shard,
  orderedNumber: number,
  signal: AbortSignal,
): Promise<ShardLoad | ToldFault | undefined> {
  if (shardId === 0 || address === undefined) return undefined;
  if (client === undefined) {
    const reason = `no endpoint of chain ${chainId} is named`;
    return { code: 'CLI_NO_SHARD', reason };
  }
  try {
    const flow = await openFlow({ client, flow: address, chainId, signal });
    const order = { periodBlocks, orderedNumber };
    return await readShardLoad(flow, { finality, order }, { signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error;
    return { code: error.code, reason: describeError(error) };
  }
}

function contractsOf({ flow, entrance, mirror }: Shard): Readonly<Record<string, string>> {
  return {
    ...(flow === undefined ? {} : { flow }),
    ...(entrance === undefined ? {} : { entrance }),
    ...(mirror === undefined ? {} : { mirror }),
  };
}

function jsonOf(shard: ToldShard) {
  const { shardId, chainId, periodBlocks, finality, firstCheckpoint, newest, load } = shard;
  const contracts = contractsOf(shard);
  const pace = { periodBlocks, finality, firstCheckpoint };
  const known = { shardId, chainId, ...pace, contracts, newest: newest ?? null };
  if (load === undefined) return known;
  if ('code' in load) return { ...known, load: { fault: { ...load } } };
  const { pricePerSectorWei, gasPriceWei, ...counts } = load;
  const prices = {
    pricePerSectorWei: pricePerSectorWei.toString(),
    gasPriceWei: gasPriceWei.toString(),
  };
  return { ...known, load: { ...prices, ...counts } };
}

function rowOf(shard: ToldShard): readonly (string | number)[] {
  const { shardId, chainId, periodBlocks, finality, newest, load } = shard;
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
    ...loadColumns(load),
    contracts.join(' '),
  ];
}

function loadColumns(load: ToldShard['load']): readonly (string | number)[] {
  if (load === undefined) return ['-', '-', '-'];
  if ('code' in load) return [load.code, '-', '-'];
  const { pricePerSectorWei, waitingEntries, lateCheckpoints } = load;
  return [formatCoin(pricePerSectorWei * GIB_SECTORS), waitingEntries, lateCheckpoints];
}
