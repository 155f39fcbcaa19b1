import { toHex } from '@cairn/primitives';
import type { ReadOptions } from './contract.ts';
import type { Mining } from './open-mining.ts';

/** A served report as the chain took it. */
export interface TakenReport {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Leaves. */
  readonly count: number;
  /** Rows that the draws asked for, and those of them that were served. */
  readonly drawn: number;
  readonly served: number;
  /** Served rows that were paid. */
  readonly claimed: number;
  /** Quorums between which the pool of its epoch is split. */
  readonly quorums: number;
}

/** Blobs whose fees are kept together. */
export interface FeePool {
  readonly epoch: number;
  readonly retentionEpochs: number;
  readonly suite: number;
}

/** Where fees are on their way to those who keep rows. */
export interface RewardState {
  /** First epoch whose pool is not fixed. */
  readonly nextEpoch: number;
  /** Wei in pools that are not fixed. */
  readonly scheduledWei: bigint;
  /** Wei for rows that are proven to be held. */
  readonly heldPotWei: bigint;
}

/** A period of the held lottery that was opened; period 0 stands for none. */
export interface OpenPeriod {
  readonly period: number;
  /** A drawn row wins where its hash is not above it. */
  readonly target: bigint;
  /** Prizes that were paid in it. */
  readonly prizes: number;
}

/** A quorum's report on an epoch; `undefined` where there is none. */
export async function readReport(
  { contract }: Mining,
  { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
  options: ReadOptions,
): Promise<TakenReport | undefined> {
  const report = (await contract.read('reportOf', [epoch, quorumId], options)).inner(0);
  const count = report.number('count');
  if (count === 0) return undefined;
  return {
    root: report.bytes('root'),
    count,
    drawn: report.number('drawn'),
    served: report.number('served'),
    claimed: report.number('claimed'),
    quorums: report.number('quorums'),
  };
}

/** Wei for rows served in an epoch whose pool is fixed, and what nobody has claimed of it. */
export async function readServedPool(
  { contract }: Mining,
  epoch: number,
  options: ReadOptions,
): Promise<{ readonly poolWei: bigint; readonly leftWei: bigint }> {
  return {
    poolWei: (await contract.read('servedPool', [epoch], options)).wide(0),
    leftWei: (await contract.read('servedLeft', [epoch], options)).wide(0),
  };
}

/** Where fees are now. */
export async function readRewardState(
  { contract }: Mining,
  options: ReadOptions,
): Promise<RewardState> {
  return {
    nextEpoch: (await contract.read('nextEpoch', [], options)).number(0),
    scheduledWei: (await contract.read('scheduled', [], options)).wide(0),
    heldPotWei: (await contract.read('heldPot', [], options)).wide(0),
  };
}

/** Fees of blobs of an epoch and suite that are kept for so many epochs, while they are with the entrance. */
export async function readFeePool(
  { entrance }: Mining,
  { epoch, retentionEpochs, suite }: FeePool,
  options: ReadOptions,
): Promise<bigint> {
  return (await entrance.contract.read('feePool', [epoch, retentionEpochs, suite], options)).wide(
    0,
  );
}

/** The period of the held lottery that pays now. */
export async function readOpenPeriod(
  { contract }: Mining,
  options: ReadOptions,
): Promise<OpenPeriod> {
  const period = (await contract.read('latestPeriod', [], options)).number(0);
  const opened = (await contract.read('periodOf', [period], options)).inner(0);
  return { period, target: opened.wide('target'), prizes: opened.number('prizes') };
}

/** Whether the arcs of a snapshot over so many rows can be proven. */
export async function readHasArcs(
  { contract }: Mining,
  { snapshotHash, rows }: { readonly snapshotHash: Uint8Array; readonly rows: number },
  options: ReadOptions,
): Promise<boolean> {
  const root = (await contract.read('arcsRoot', [toHex(snapshotHash), rows], options)).bytes(0);
  return root.some((byte) => byte !== 0);
}
