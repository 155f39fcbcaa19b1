import type { Address } from '@cairn/primitives';
import {
  AttestError,
  type RootStatement,
  type SignedRoot,
  type VerifiedRoot,
  verifySignedRoot,
} from './root-statement.ts';

/**
 * Two statements that cannot both be true: of one stream on one branch of one log, after the same entry,
 * by the same rules, with different roots. One of the signers replayed wrongly or lies; whoever replays
 * the log up to that entry finds out which.
 */
export interface RootContradiction {
  readonly left: SignedRoot;
  readonly right: SignedRoot;
}

/** Whose word counts, and how many must say the same. */
export interface RootTrust {
  /** Accounts of nodes. */
  readonly keys: readonly Address[];
  /** How many of them, at least 1. */
  readonly threshold: number;
}

/** What statements come to. */
export interface RootVerdict {
  /** Statements that agree, one for each account, most first; empty if nobody who counts said anything. */
  readonly agreeing: readonly VerifiedRoot[];
  /** Pairs that cannot both be true; one for each account that contradicts those that agree. */
  readonly contradictions: readonly RootContradiction[];
}

/** What two statements of a contradiction have in common. */
const SHARED: readonly (keyof RootStatement)[] = [
  'chainId',
  'flow',
  'domain',
  'stream',
  'sequence',
  'block',
];

/**
 * Judges statements about one stream at one entry: which of them agree, and which contradict those.
 * Statements of accounts that do not count are left out.
 */
export function judgeRoots(
  statements: readonly VerifiedRoot[],
  keys: readonly Address[],
): RootVerdict {
  const groups = new Map<string, Map<Address, VerifiedRoot>>();
  for (const signed of statements) {
    const { statement, signer } = signed;
    if (!keys.includes(signer)) continue;
    const name = [...SHARED, 'root' as const].map((field) => statement[field]).join();
    const group = groups.get(name) ?? new Map<Address, VerifiedRoot>();
    group.set(signer, signed);
    groups.set(name, group);
  }
  const [most, ...others] = [...groups.values()].toSorted((one, two) => two.size - one.size);
  const agreeing = [...(most?.values() ?? [])];
  const [left] = agreeing;
  if (left === undefined) return { agreeing, contradictions: [] };
  const contradictions = others
    .flatMap((group) => [...group.values()])
    .filter((right) => differingField(left, right) === 'root')
    .map((right) => ({ left, right }));
  return { agreeing, contradictions };
}

/**
 * Statements of enough accounts that agree; those that nobody signed are left out.
 *
 * @throws {AttestError} KV_STATEMENT_FEW
 */
export function requireAgreement(
  statements: readonly SignedRoot[],
  { keys, threshold }: RootTrust,
): readonly VerifiedRoot[] {
  const { agreeing } = judgeRoots(statements.flatMap(verifiedOf), keys);
  if (agreeing.length >= threshold && agreeing.length > 0) return agreeing;
  throw new AttestError(
    { code: 'KV_STATEMENT_FEW', agreeing: agreeing.length, needed: threshold },
    `${agreeing.length} of the ${keys.length} accounts that count agree on a root, ${threshold} are needed`,
  );
}

/**
 * Checks evidence, by whoever it is shown to: that both statements are signed, and cannot both be true.
 *
 * @returns the accounts, one of which is wrong; the same one twice if it contradicts itself
 * @throws {AttestError} KV_STATEMENT_SIGNER, KV_STATEMENT_NO_CONTRADICTION
 */
export function verifyContradiction({
  left,
  right,
}: RootContradiction): readonly [Address, Address] {
  const signers = [verifySignedRoot(left).signer, verifySignedRoot(right).signer] as const;
  const field = differingField(left, right);
  if (field === 'root') return signers;
  throw new AttestError(
    { code: 'KV_STATEMENT_NO_CONTRADICTION', field: field ?? 'none' },
    field === undefined
      ? 'both statements say the same'
      : `the statements are about different things: their ${field} is not the same`,
  );
}

/** The first field in which two statements differ, the root last. */
function differingField(left: SignedRoot, right: SignedRoot): keyof RootStatement | undefined {
  return [...SHARED, 'root' as const].find(
    (field) => left.statement[field] !== right.statement[field],
  );
}

function verifiedOf(signed: SignedRoot): readonly VerifiedRoot[] {
  try {
    return [verifySignedRoot(signed)];
  } catch (error) {
    if (error instanceof AttestError) return [];
    throw error;
  }
}
