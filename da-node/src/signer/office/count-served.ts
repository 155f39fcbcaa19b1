import type { Committee, ServedEntry } from '@cairn/attestation';
import { type Address, parseAddress } from '@cairn/primitives';
import type { AuditSheet } from '@cairn/wire-protocol/da';
import { type AuditRules, auditorsOf } from './audit-rules.ts';
import type { DrawnRow } from './draw-rows.ts';

/** The holder of a report's first leaf, which is the total. */
const NOBODY: Address = parseAddress(`0x${'00'.repeat(20)}`);

/** What a report is counted from. */
export interface CountedPlace {
  readonly committee: Pick<Committee, 'members'>;
  /** Audited rows of all periods of the epoch. */
  readonly rows: readonly DrawnRow[];
}

/**
 * How holders did: a drawn row was served if enough of its auditors got it. The same for everyone who
 * has the same sheets.
 *
 * @returns the total first, then holders by address; `undefined` where no row was drawn
 */
export function countServed(
  { committee, rows }: CountedPlace,
  sheets: Iterable<Pick<AuditSheet, 'auditor' | 'rows'>>,
  rules: AuditRules,
): readonly ServedEntry[] | undefined {
  const receipts = new Map<string, Set<Address>>();
  for (const { auditor, rows: got } of sheets) {
    for (const row of got) {
      const name = nameOf(row);
      const givers = receipts.get(name) ?? new Set();
      givers.add(auditor);
      receipts.set(name, givers);
    }
  }
  const holders = new Map<Address, { drawn: number; served: number }>();
  const total = { drawn: 0, served: 0 };
  for (const drawn of rows) {
    const asked = auditorsOf(drawn.line, committee.members, drawn.holder, rules);
    const givers = receipts.get(nameOf(drawn));
    const given = asked.auditors.filter((auditor) => givers?.has(auditor) === true).length;
    const count = holders.get(drawn.holder) ?? { drawn: 0, served: 0 };
    for (const sum of [count, total]) {
      sum.drawn += 1;
      if (given >= asked.receipts && given > 0) sum.served += 1;
    }
    holders.set(drawn.holder, count);
  }
  if (total.drawn === 0) return undefined;
  const entries = [...holders].map(([holder, count]) => ({ holder, ...count }));
  entries.sort((left, right) => (left.holder < right.holder ? -1 : 1));
  return [{ holder: NOBODY, ...total }, ...entries];
}

/** Whether any holder did worse in `entries` than in `other`. */
export function isLower(entries: readonly ServedEntry[], other: readonly ServedEntry[]): boolean {
  const served = new Map(entries.map((entry) => [entry.holder, entry.served]));
  return other.some((entry) => (served.get(entry.holder) ?? 0) < entry.served);
}

function nameOf({ period, leaf, row }: Pick<DrawnRow, 'period' | 'leaf' | 'row'>): string {
  return `${period}/${Buffer.from(leaf).toString('latin1')}/${row}`;
}
