import { Fault } from '@cairn/primitives';

/** What the main thread sends: one task. */
export interface TaskMessage {
  readonly id: number;
  readonly task: unknown;
}

/** What a thread sends back. */
export type ReplyMessage =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'unusable'; readonly error: SentError };

/** An error in the form that survives the way between threads: cloning drops a fault's facts. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly facts: { readonly code: string } | undefined;
}

/** What was thrown, ready to be sent. */
export function packError(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, facts: undefined };
  }
  // By shape: a worker's module may have been loaded with a copy of its own of the fault class.
  const facts: unknown = 'facts' in error ? error.facts : undefined;
  const { name, message, stack } = error;
  return { name, message, stack, facts: isFacts(facts) ? facts : undefined };
}

/** The error that was sent: a `Fault` with its facts if it was one. */
export function unpackError({ name, message, stack, facts }: SentError): Error {
  const error = facts === undefined ? new Error(message) : new Fault(facts, message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

function isFacts(value: unknown): value is { readonly code: string } {
  return (
    typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string'
  );
}
