/** What the process's exit code says. Scripts rely on it. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  verification: 4,
  timeout: 5,
  auth: 6,
  noSpace: 7,
  interrupted: 130,
} as const;

/** One of the exit codes above. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An exit code and what a person can do next. */
export interface Outcome {
  readonly exit: ExitCode;
  readonly next: string;
}

/** Outcomes by the code of a fault. */
export type OutcomesByCode = Readonly<Record<string, Outcome>>;

/** Outcomes of families of codes by prefix, the first that fits. */
export type OutcomesByPrefix = readonly (readonly [prefix: string, outcome: Outcome])[];

/** What a fault means to scripts and to people. */
export function outcome(exit: ExitCode, next: string): Outcome {
  return { exit, next };
}
