import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { formatBytes } from '@cairn/primitives';

/** One measured figure beside its peer's. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  /** Median of `samples`. */
  readonly ours: number;
  readonly peerName: string | null;
  readonly peer: number | null;
  /** Ours by the peer's. */
  readonly ratio: number | null;
  /** What the issue asks: `>= 30 x`, `<= 256 MiB`; empty if nothing. */
  readonly goal: string;
  readonly met: boolean | null;
  readonly samples: readonly number[];
}

/** A whole run of one suite. */
export interface Report {
  readonly suite: string;
  readonly machine: string;
  readonly rows: readonly Row[];
}

/** The middle of the samples; the mean of the two middle ones for an even count. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The row, told on stderr as soon as it is there: a suite takes minutes. */
function announced(row: Row): Row {
  const peer = row.ratio === null ? '' : `, ${row.ratio.toFixed(2)} x ${row.peerName}`;
  process.stderr.write(`${row.name}: ${row.ours.toPrecision(4)} ${row.unit}${peer}\n`);
  return row;
}

/** A row where more is better and the goal is a multiple of the peer. */
export function versusPeer(
  name: string,
  unit: string,
  samples: readonly number[],
  peerName: string,
  peerSamples: readonly number[],
  atLeast: number | undefined,
): Row {
  const ours = median(samples);
  const peer = peerSamples.length === 0 ? null : median(peerSamples);
  const ratio = peer === null ? null : ours / peer;
  return announced({
    name,
    unit,
    ours,
    peerName,
    peer,
    ratio,
    goal: atLeast === undefined ? '' : `>= ${atLeast} x`,
    met: atLeast === undefined || ratio === null ? null : ratio >= atLeast,
    samples,
  });
}

/** A row where less is better and the goal is a bound in the row's own unit. */
export function versusBound(
  name: string,
  unit: string,
  samples: readonly number[],
  atMost?: number,
): Row {
  const ours = median(samples);
  return announced({
    name,
    unit,
    ours,
    peerName: null,
    peer: null,
    ratio: null,
    goal: atMost === undefined ? '' : `<= ${atMost} ${unit}`,
    met: atMost === undefined ? null : ours <= atMost,
    samples,
  });
}

/** A row where less is better, beside a figure that stands written and is not run: its name says whose. */
export function versusFigure(
  name: string,
  unit: string,
  samples: readonly number[],
  peerName: string,
  figure: number,
  goal: { readonly atMostTimes?: number; readonly atMost?: number } = {},
): Row {
  const { atMostTimes, atMost } = goal;
  const ours = median(samples);
  const ratio = ours / figure;
  const most = atMost ?? (atMostTimes === undefined ? undefined : atMostTimes * figure);
  const times = atMostTimes === undefined ? '' : `<= ${atMostTimes} x`;
  return announced({
    name,
    unit,
    ours,
    peerName,
    peer: figure,
    ratio,
    goal: atMost === undefined ? times : `<= ${atMost} ${unit}`,
    met: most === undefined ? null : ours <= most,
    samples,
  });
}

/** A row where more is better and the goal is a bound in the row's own unit. */
export function versusFloor(
  name: string,
  unit: string,
  samples: readonly number[],
  atLeast?: number,
): Row {
  const ours = median(samples);
  return announced({
    name,
    unit,
    ours,
    peerName: null,
    peer: null,
    ratio: null,
    goal: atLeast === undefined ? '' : `>= ${atLeast} ${unit}`,
    met: atLeast === undefined ? null : ours >= atLeast,
    samples,
  });
}

/** The machine in a line: what a figure means nothing without. */
export function machineLine(): string {
  const [cpu] = cpus();
  const load = execFileSync('cat', ['/proc/loadavg'], { encoding: 'utf8' }).split(' ')[0];
  return `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, ${formatBytes(totalmem())}, Node ${process.version}, load ${load}`;
}

/** The report as a table for people. */
export function reportTable({ suite, machine, rows }: Report): string {
  const number = (value: number | null): string =>
    value === null ? '-' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    number(row.ours),
    row.peerName ?? '-',
    number(row.peer),
    row.ratio === null ? '-' : `${number(row.ratio)} x`,
    row.goal || '-',
    row.met === null ? '-' : row.met ? 'met' : 'MISSED',
  ]);
  const header = ['what', 'unit', 'ours', 'peer', 'peer figure', 'ratio', 'goal', ''];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [`suite ${suite} on ${machine}`, line(header), ...cells.map(line), ''].join('\n');
}
