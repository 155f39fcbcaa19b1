import { BLOBS_PATH } from '@cairn/wire-protocol/da';
import { cairnJson } from '../../support/cli.ts';
import { contentBytes } from '../../support/content.ts';
import { type Network, rpc, startNetwork } from '../../support/network.ts';
import { processUsage } from '../measured-run.ts';
import { type Row, versusBound, versusFloor, versusPeer } from '../report.ts';
import { codecRates } from './codec-rate.ts';

const KIB = 1024;
const FRAME_BYTES = 128 * KIB;
/** The first puts of a process also compile its code, which a batcher's months do not notice. */
const WARM_UP = 40;
const PUTS = 40;
const CONFIRMED_PUTS = 5;
const LARGE_BYTES = 8 * KIB * KIB;
/** Nodes compile for the first dozens of blobs what they go on with for months: a quarter of their CPU time. */
const LARGE_WARM_UP = 40;
const LARGE_BLOBS = 40;
/** Large blobs under way at once. */
const TOGETHER = 2;
const MB = 1e6;
/** Time in which a network without blobs is watched: what it does anyway is not a put's. */
const IDLE_MS = 5000;

/** Of the network's goals, in the units of its rows. */
const GOALS = { p50: 150, p95: 400, kilobytes: 800, codecShare: 0.35 } as const;

/** A network of processes and the doors that blobs are put through. */
interface DaNetwork {
  readonly network: Network;
  readonly url: string;
  readonly disperser: number;
  readonly signers: readonly number[];
  /** Different at each call. */
  next(bytes: number): Uint8Array;
}

/** Blobs through a devnet of four signers, a process each, put one after another and in a stream. */
export async function networkRows(): Promise<Row[]> {
  const network = await startNetwork(['--storage', '0/1', '--da', '4']);
  try {
    const da = await daOf(network);
    return [...(await frameRows(da)), ...(await streamRows(da)), ...(await confirmedRows(da))];
  } finally {
    await network.stop();
  }
}

async function daOf(network: Network): Promise<DaNetwork> {
  const status = await cairnJson(['devnet', 'status', '--dir', network.directory]);
  const processes = status['processes'] as { name: string; pid: number }[];
  const pidsOf = (start: string): number[] =>
    processes.filter(({ name }) => name.startsWith(start)).map(({ pid }) => pid);
  const [disperser] = pidsOf('disperser');
  const url = network.endpoints.da?.rest;
  if (disperser === undefined || url === undefined) throw new Error('there is no disperser');
  let seed = Date.now() % 100_000;
  const next = (bytes: number): Uint8Array => {
    seed += 1;
    return contentBytes(bytes, seed);
  };
  return { network, url, disperser, signers: pidsOf('signer-'), next };
}

const restPath = (stage: string): string => `${BLOBS_PATH}?wait=${stage}&timeout=120`;
const OP_PATH = '/put';

/** Milliseconds from the first byte sent to the answer. @throws unless it says yes */
async function putMs({ url }: DaNetwork, path: string, payload: Uint8Array): Promise<number> {
  const started = performance.now();
  const reply = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(payload),
  });
  const body = await reply.text();
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${body.slice(0, 300)}`);
  return performance.now() - started;
}

/** CPU seconds a second of processes that have nothing to do but follow the chain. */
async function idleShare(pids: readonly number[]): Promise<number> {
  const before = cpuSeconds(pids);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return (cpuSeconds(pids) - before) / (IDLE_MS / 1000);
}

const cpuSeconds = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + processUsage(pid).cpuSeconds, 0);

/** A batcher that sends a frame once the one before is certified. */
async function frameRows(da: DaNetwork): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [door, path] of [
    ['OP Stack', OP_PATH],
    ['REST', restPath('dispersed')],
  ] as const) {
    for (let put = 0; put < WARM_UP; put += 1) await putMs(da, path, da.next(FRAME_BYTES));
    const parties = [[da.disperser], da.signers].map((pids) => ({
      pids,
      before: cpuSeconds(pids),
    }));
    const started = performance.now();
    const samples: number[] = [];
    for (let put = 0; put < PUTS; put += 1) {
      samples.push(await putMs(da, path, da.next(FRAME_BYTES)));
    }
    const wallSeconds = (performance.now() - started) / 1000;
    const used = parties.map(({ pids, before }) => cpuSeconds(pids) - before);
    const perPut: number[] = [];
    for (const [at, { pids }] of parties.entries()) {
      const idleSeconds = (await idleShare(pids)) * wallSeconds;
      perPut.push((((used[at] ?? Number.NaN) - idleSeconds) / PUTS) * 1000);
    }
    const [disperser = Number.NaN, signers = Number.NaN] = perPut;
    const what = `put to dispersed, 128 KiB, ${door}, 4 signers`;
    const rates = samples.map((ms) => FRAME_BYTES / ms);
    rows.push(
      versusBound(`${what}, wall, p50`, 'ms', samples, GOALS.p50),
      versusBound(`${what}, wall, p95`, 'ms', [quantile(samples, 0.95)], GOALS.p95),
      versusFloor(`${what}, frame after frame, wall`, 'KB/s', rates, GOALS.kilobytes),
      versusBound(`${what}, disperser`, 'CPU-ms', [disperser]),
      versusBound(`${what}, all signers`, 'CPU-ms', [signers]),
    );
  }
  return rows;
}

/** What a network sustains, beside the codec alone on the same cores. */
async function streamRows(da: DaNetwork): Promise<Row[]> {
  const rates = [...(await codecRates(LARGE_BYTES))];
  // Before there are large blobs, whose rows are drawn and audited for as long as they live: that is their cost.
  const idle = [await idleShare([da.disperser]), await idleShare(da.signers)] as const;
  await stream(da, LARGE_WARM_UP);
  const before = [cpuSeconds([da.disperser]), cpuSeconds(da.signers)] as const;
  const started = performance.now();
  await stream(da, LARGE_BLOBS);
  const wallSeconds = (performance.now() - started) / 1000;
  const used = [
    cpuSeconds([da.disperser]) - before[0],
    cpuSeconds(da.signers) - before[1],
  ] as const;
  const disperser = used[0] - idle[0] * wallSeconds;
  const signers = used[1] - idle[1] * wallSeconds;
  rates.push(...(await codecRates(LARGE_BYTES)));
  const megabytes = (LARGE_BYTES * LARGE_BLOBS) / MB;
  const peer = 'our codec alone, encode and commit';
  const versus = (who: string, seconds: number, goal?: number): Row => {
    const name = `8 MiB blobs to dispersed, 4 signers, ${who}`;
    return versusPeer(name, 'MB/CPU-s', [megabytes / seconds], peer, rates, goal);
  };
  return [
    versus('disperser and signers', disperser + signers, GOALS.codecShare),
    versus('disperser', disperser),
    versus('all signers', signers),
    versusFloor('8 MiB blobs to dispersed, 4 signers, wall', 'MB/s', [megabytes / wallSeconds]),
  ];
}

/** Puts so many large blobs, some of them at once. */
async function stream(da: DaNetwork, blobs: number): Promise<void> {
  let left = blobs;
  const put = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await putMs(da, restPath('dispersed'), da.next(LARGE_BYTES));
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, put));
}

/**
 * Waits until an epoch has just begun: with blocks of 12 s the epochs of a devnet, a minute each, do not
 * follow each other.
 */
async function untilNextEpoch(da: DaNetwork): Promise<void> {
  const epochNow = async (): Promise<number> => {
    const reply = await fetch(`${da.url}${restPath('dispersed')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(da.next(32)),
    });
    return ((await reply.json()) as { readonly epoch: number }).epoch;
  };
  const first = await epochNow();
  while ((await epochNow()) === first) await new Promise((resolve) => setTimeout(resolve, 1000));
}

/** Blocks at each transaction and each second, then each second only, then each twelve seconds. */
async function confirmedRows(da: DaNetwork): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [blocks, seconds, puts] of [
    ['automine', undefined, CONFIRMED_PUTS],
    ['blocks of 1 s', 1, CONFIRMED_PUTS],
    ['blocks of 12 s', 12, 2],
  ] as const) {
    if (seconds === 12) await untilNextEpoch(da);
    if (seconds !== undefined) await rpc(da.network.chainRpc, 'evm_setIntervalMining', [seconds]);
    const samples: number[] = [];
    for (let put = 0; put < puts; put += 1) {
      samples.push(await putMs(da, restPath('confirmed'), da.next(FRAME_BYTES)));
    }
    rows.push(versusBound(`put to confirmed, 128 KiB, ${blocks}, wall`, 'ms', samples));
  }
  return rows;
}

/** The sample that this part of the others does not exceed. */
function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((left, right) => left - right);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}
