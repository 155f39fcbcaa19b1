import { describeError, Fault, type FaultFacts, isRecord } from '@cairn/primitives';
import {
  EXIT,
  type ExitCode,
  type Outcome,
  type OutcomesByCode,
  type OutcomesByPrefix,
  outcome,
} from './exit.ts';
import { FAMILIES, NEXT_LIAR, OUTCOMES } from './outcomes.ts';
import { BLOB_FAMILIES, BLOB_OUTCOMES } from './outcomes-of-blobs.ts';

export { EXIT, type ExitCode } from './exit.ts';

const OF_CODE: OutcomesByCode = { ...OUTCOMES, ...BLOB_OUTCOMES };
const OF_FAMILY: OutcomesByPrefix = [...BLOB_FAMILIES, ...FAMILIES];

const UNKNOWN: Outcome = outcome(
  EXIT.failure,
  'Run it again with CAIRN_DEBUG=1 to see where it comes from.',
);

/** What the command line says about something that was thrown. */
export interface ErrorReport {
  readonly exit: ExitCode;
  /** The fault's code, the system's error code, or `INTERNAL`. */
  readonly code: string;
  readonly message: string;
  /** What to do next. */
  readonly next: string;
}

/** Exit code, words and advice for anything that was thrown. */
export function reportOf(error: unknown): ErrorReport {
  const code = codeOf(error);
  const { exit, next } = outcomeOf(error, code);
  return { exit, code, message: describeError(error), next };
}

function outcomeOf(error: unknown, code: string): Outcome {
  const facts: FaultFacts | undefined = error instanceof Fault ? error.facts : undefined;
  // A local file that is not there is "not found" like a stored one.
  if (code === 'DISK_IO' && facts !== undefined && 'errno' in facts) {
    const row = OF_CODE[String(facts.errno)];
    if (row !== undefined) return row;
  }
  // Nobody had it is one thing; somebody served what it is not, another.
  if (code === 'SDK_SEGMENT_UNAVAILABLE' && facts !== undefined && 'evidence' in facts) {
    const { evidence } = facts;
    if (Array.isArray(evidence) && evidence.length > 0) {
      return outcome(EXIT.verification, NEXT_LIAR);
    }
  }
  // What a service found wrong is told by its own code.
  if (code === 'CLI_REFUSED' && facts !== undefined && 'fault' in facts) {
    const row = OF_CODE[String(facts.fault)];
    if (row !== undefined) return row;
  }
  if (code === 'SDK_NOT_ENOUGH_HOLDERS' && facts !== undefined && hasOnlyFullDisks(facts)) {
    return outcome(EXIT.noSpace, 'Store on other nodes with --node URL.');
  }
  return OF_CODE[code] ?? OF_FAMILY.find(([prefix]) => code.startsWith(prefix))?.[1] ?? UNKNOWN;
}

/** Whether holders failed, and each of them for want of room. */
function hasOnlyFullDisks(facts: FaultFacts): boolean {
  const failures = 'failures' in facts && Array.isArray(facts.failures) ? facts.failures : [];
  return (
    failures.length > 0 && failures.every((one) => isRecord(one) && one['code'] === 'STORE_FULL')
  );
}

function codeOf(error: unknown): string {
  if (error instanceof Fault) return error.code;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'INTERNAL';
}
