/** The facts of a fault: a stable code and what was measured when it happened. */
export interface FaultFacts {
  readonly code: string;
}

/**
 * Something that went wrong in a way the thrower foresaw.
 *
 * Codes are API and never change meaning; the message is one sentence for people and is never
 * matched. Subclass it once per area with a union of facts:
 * `class CodecError extends Fault<CodecFault> {}`.
 */
export class Fault<F extends FaultFacts = FaultFacts> extends Error {
  /** What happened, machine-readable: `facts.code` plus the numbers. */
  readonly facts: F;

  constructor(facts: F, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.facts = facts;
    this.name = new.target.name;
  }

  /** The stable code of the fault. */
  get code(): F['code'] {
    return this.facts.code;
  }
}

/** Whether `error` is a fault, and, if `code` is given, that very one. */
export function isFault(error: unknown, code?: string): error is Fault {
  return error instanceof Fault && (code === undefined || error.facts.code === code);
}

/** One sentence for people about anything that was thrown, with its causes, at most four deep. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current !== undefined && current !== null; depth += 1) {
    const text = current instanceof Error ? current.message : String(current);
    if (text.length > 0 && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ') || 'unknown error';
}
