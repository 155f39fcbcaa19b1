import type { HealthReport } from '@cairn/node-runtime/http';
import type { DiskGuard } from './disk-guard.ts';
import type { LogProgress } from './log-progress.ts';

/** What is told of a part such as mining: what it does, and what keeps it from going on. */
export interface PartHealth {
  readonly fact: string;
  readonly problems: readonly string[];
}

/** What is told of mining. */
export type MiningHealth = PartHealth;

/** A chain silent for longer is a reason not to be asked for new files. */
const MAX_SILENCE_MS = 60_000;

/**
 * Whether the node should be sent requests: the log is read up to the chain's head. A full disk, and what
 * keeps it from mining or from its duties, are told among the reasons and are none for a no: reads go on.
 */
export function readyReport(
  {
    progress,
    disk,
    mining,
    duties,
    fault,
  }: {
    readonly progress: Pick<LogProgress, 'current'>;
    readonly disk: Pick<DiskGuard, 'reason'>;
    readonly mining: { readonly health: PartHealth } | undefined;
    readonly duties: { readonly health: PartHealth } | undefined;
    /** Why the log is not followed, in a sentence. */
    readonly fault?: string | undefined;
  },
  { maxLagBlocks }: { readonly maxLagBlocks: number },
): HealthReport {
  const { head, lagBlocks, silentMs } = progress.current();
  const reasons: string[] = [];
  if (head === undefined || lagBlocks === undefined) {
    reasons.push('the chain has not told its newest block yet');
  } else if (lagBlocks > maxLagBlocks) {
    reasons.push(`the log is ${lagBlocks} blocks behind the chain, ${maxLagBlocks} are allowed`);
  }
  if (silentMs > MAX_SILENCE_MS) {
    reasons.push(`the chain has not answered for ${Math.round(silentMs / 1000)} s`);
  }
  if (fault !== undefined) reasons.push(fault);
  const ok = reasons.length === 0;
  if (disk.reason !== undefined) reasons.push(disk.reason);
  const facts: Record<string, string> = {};
  for (const [what, part] of Object.entries({ mining, duties })) {
    if (part === undefined) continue;
    const { fact, problems } = part.health;
    facts[what] = fact;
    reasons.push(...problems);
  }
  return Object.keys(facts).length === 0 ? { ok, reasons } : { ok, reasons, facts };
}

/** A chain as the health of the whole node tells of it. */
export interface ChainHealth {
  readonly name: string;
  readonly report: HealthReport;
  /** What it keeps and takes, in a sentence. */
  readonly sentence: string;
}

/**
 * The health of a node that keeps several chains. It is ready as long as one of them is: the others' clients have
 * nobody else at this address. Every chain is among the facts by name, what keeps one back among the reasons; the
 * health of one chain alone is told below its path.
 *
 * @param shared - a reason that every chain gives, such as a full disk: it is told once
 */
export function readyReportOfAll(
  chains: readonly ChainHealth[],
  shared: string | undefined,
): HealthReport {
  const reasons: string[] = [];
  const facts: Record<string, string> = {};
  for (const { name, report, sentence } of chains) {
    facts[name] = `${report.ok ? 'ready' : 'not ready'}, ${sentence}`;
    for (const [what, fact] of Object.entries(report.facts ?? {})) {
      facts[`${what} of ${name}`] = fact;
    }
    for (const reason of report.reasons) {
      if (reason !== shared) reasons.push(`${name}: ${reason}`);
    }
  }
  if (shared !== undefined) reasons.push(shared);
  return { ok: chains.some(({ report }) => report.ok), reasons, facts };
}
