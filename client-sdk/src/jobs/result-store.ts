import type { FileSource } from '@cairn/log-layer';

/** A result under way to the log. */
export interface WantedResult {
  /** The same for the same result, in later runs too: letters, digits and dashes. */
  readonly name: string;
  /** Its length. */
  readonly bytes: number;
  /** Makes it; not called where an earlier run left it whole. */
  readonly make: () => AsyncIterable<Uint8Array>;
}

/** A result that is whole. Close it when it is stored. */
export interface HeldResult extends FileSource {
  /** Names these bytes across runs, so that an upload goes on where it was. */
  readonly resumeKey?: string;
  close(): Promise<void>;
}

/** Where results wait until the log has them. */
export interface ResultStore {
  /** A result, whole: left by an earlier run or made now. @throws {JobError} JOB_BAD_INPUT if it has another length; what making it throws */
  hold(result: WantedResult, options: { readonly signal: AbortSignal }): Promise<HeldResult>;
  /** Forgets a result. */
  drop(name: string): Promise<void>;
}
