import { createClient, shardsOf } from '@cairn/client-sdk';
import { mapConcurrent, systemClock } from '@cairn/primitives';
import { parseEndpoints } from '@cairn/wire-protocol';
import { contentBytes } from '../support/content.ts';
import { type Network, startNetwork } from '../support/network.ts';
import { processesNaming } from '../support/processes.ts';
import { processUsage } from './measured-run.ts';
import {
  machineLine,
  median,
  type Report,
  type Row,
  versusBound,
  versusFigure,
  versusFloor,
} from './report.ts';

/** Numbers of shards that submissions are spread over, in turns on one network that has the most of them. */
const SHARDS: readonly number[] = [1, 2, 4];
const MOST = 4;
/** Uploads under way at once, whatever the shards. */
const LANES = 4;
const FILE_BYTES = 1024;
/** What a submission may cost on several shards, times that on one. */
const MOST_TIMES = 1.25;

/** How much is measured: each turn takes every number of shards once. */
interface Size {
  readonly turns: number;
  readonly submissions: number;
  readonly idleMs: number;
}

const SIZES: Readonly<Record<'full' | 'quick', Size>> = {
  full: { turns: 9, submissions: 64, idleMs: 8000 },
  quick: { turns: 1, submissions: 16, idleMs: 4000 },
};

/** What one turn on a number of shards came to. */
interface Turn {
  readonly perSecond: number;
  /** CPU of the client for one submission: nothing is taken off. */
  readonly clientMs: number;
  /** With that of chains and storage nodes, less what these use when nothing is submitted. */
  readonly cpuMs: number;
  /** What was taken off. */
  readonly idleMs: number;
}

/**
 * Files through the SDK on 1, 2 and 4 consensus shards of one devnet: submissions a second, and what one of
 * them costs in CPU time of client, chains and storage nodes. Signers and relayer work the same for any number of files. On one machine all shards share the same cores, so that the second says whether shards add up:
 * where a submission costs the same on four as on one, four machines take four times as many.
 *
 * @param part - `quick` for one small turn, which shows that it works and nothing else
 */
export async function measureConsensusShards(part?: string): Promise<Report> {
  if (part !== undefined && part !== 'quick') {
    throw new RangeError(`no part "${part}"; there is: quick`);
  }
  const size = SIZES[part ?? 'full'];
  const args = ['--storage', '0/1', '--da', '4', '--consensus-shards', String(MOST)];
  const network = await startNetwork(args);
  try {
    return { suite: 'consensus-shards', machine: machineLine(), rows: await rowsOf(network, size) };
  } finally {
    await network.stop();
  }
}

async function rowsOf(network: Network, size: Size): Promise<readonly Row[]> {
  const endpoints = parseEndpoints(network.endpoints);
  const shards = shardsOf(endpoints);
  const numbers = shards?.places.flatMap(({ shard }) => shard ?? []) ?? [];
  if (shards === undefined || numbers.length < MOST) {
    throw new Error(`the devnet has ${numbers.length} shards in one order, not ${MOST}`);
  }
  const ports = endpoints.chains.map(({ rpc }) => new URL(rpc).port);
  const servers = serversOf(network.directory, ports);
  const serverMs = (): number => servers.reduce(addCpu, 0);
  const client = createClient({ shards, signer: network.key, threads: 0 });
  const { signal } = new AbortController();
  const clock = systemClock();
  let made = 0;
  const submit = async (on: readonly number[], count: number): Promise<void> => {
    const lanes = Array.from({ length: LANES }, (_, lane) => on[lane % on.length] ?? 0);
    const lane = async (shard: number): Promise<void> => {
      for (let left = count / LANES; left > 0; left -= 1) {
        made += 1;
        await client.files.put(contentBytes(FILE_BYTES, made), { shard, signal });
      }
    };
    for await (const _ of mapConcurrent(lanes, lane, { parallel: LANES, signal })) {
      // every file is stored when its lane goes on
    }
  };
  const idle: number[] = [];
  const rest = async (): Promise<void> => {
    const [cpu, since] = [serverMs(), clock.monotonic()];
    await clock.sleep(size.idleMs, signal);
    idle.push((serverMs() - cpu) / (clock.monotonic() - since));
  };
  try {
    await submit(numbers, Math.max(LANES, size.submissions / 2)); // everything is compiled and connected
    await rest();
    const raw = new Map(SHARDS.map((count) => [count, [] as RawTurn[]]));
    for (let turn = 0; turn < size.turns; turn += 1) {
      // another order each time: what comes later on a busy machine is not always the same
      for (let at = 0; at < SHARDS.length; at += 1) {
        const count = SHARDS[(at + turn) % SHARDS.length] ?? 1;
        const [server, own, since] = [serverMs(), clientMs(), clock.monotonic()];
        await submit(numbers.slice(0, count), size.submissions);
        const [used, usedHere] = [serverMs() - server, clientMs() - own];
        raw.get(count)?.push({ ms: clock.monotonic() - since, serverMs: used, clientMs: usedHere });
      }
      await rest();
    }
    const idleShare = median(idle);
    const turns = new Map(
      [...raw].map(([count, list]): [number, readonly Turn[]] => [
        count,
        list.map((each) => ({
          perSecond: (size.submissions * 1000) / each.ms,
          clientMs: each.clientMs / size.submissions,
          cpuMs: (each.clientMs + each.serverMs - idleShare * each.ms) / size.submissions,
          idleMs: (idleShare * each.ms) / size.submissions,
        })),
      ]),
    );
    return reportOf(turns, size.turns > 1 ? MOST_TIMES : undefined);
  } finally {
    await client.close();
  }
}

/** @param mostTimes - `undefined` where too little was measured to judge */
function reportOf(
  turns: ReadonlyMap<number, readonly Turn[]>,
  mostTimes: number | undefined,
): Row[] {
  const one = turns.get(1) ?? [];
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    const [least, most] = [Math.min(...row.samples), Math.max(...row.samples)];
    const spread = `${least.toPrecision(3)} to ${most.toPrecision(3)}`;
    process.stderr.write(`  spread ${spread}, turns: ${row.samples.length}\n`);
  };
  for (const [count, list] of turns) {
    const name = count === 1 ? 'one shard' : `${count} shards`;
    const costs = list.map(({ cpuMs }) => cpuMs);
    add(
      versusFloor(
        `${name}: submissions`,
        'a second',
        list.map(({ perSecond }) => perSecond),
      ),
    );
    add(
      versusBound(
        `${name}: client alone`,
        'CPU-ms',
        list.map(({ clientMs }) => clientMs),
      ),
    );
    add(
      versusBound(
        `${name}: taken off as idle`,
        'CPU-ms',
        list.map(({ idleMs }) => idleMs),
      ),
    );
    const cost = `${name}: client, chains and nodes`;
    if (count === 1) {
      add(versusBound(cost, 'CPU-ms', costs));
      continue;
    }
    const base = median(one.map(({ cpuMs }) => cpuMs));
    add(versusFigure(cost, 'CPU-ms', costs, 'on one', base));
    const ratios = costs.map((each, turn) => each / (one[turn]?.cpuMs ?? Number.NaN));
    add(versusBound(`${name}: the same by one shard's, turn by turn`, 'x', ratios, mostTimes));
  }
  return rows;
}

/** What a turn used, before anything is taken off. */
interface RawTurn {
  readonly ms: number;
  readonly serverMs: number;
  readonly clientMs: number;
}

/** Chains by their ports, and the storage nodes of the devnet in this folder. @throws if one is not found */
function serversOf(directory: string, ports: readonly string[]): readonly number[] {
  const chains = ports.map((port) => processesNaming(`--port\0${port}\0`));
  const inFolder = new Set(processesNaming(directory));
  const nodes = processesNaming('run-storage-node').filter((pid) => inFolder.has(pid));
  const missing = chains.filter((found) => found.length === 0).length;
  if (missing > 0 || nodes.length === 0) {
    throw new Error(`${missing} chains without a process, ${nodes.length} storage nodes`);
  }
  return [...new Set([...chains.flat(), ...nodes])];
}

function addCpu(sum: number, pid: number): number {
  try {
    return sum + 1000 * processUsage(pid).cpuSeconds;
  } catch {
    return sum; // it ended while we looked
  }
}

function clientMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
