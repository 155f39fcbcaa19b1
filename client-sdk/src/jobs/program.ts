import { keccak256, utf8Bytes } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';
import type { Client } from '../client.ts';

/** What a job cites, and who reads it: files of that chain, from whichever nodes keep them. */
export interface JobInput {
  readonly content: ContentReference;
  readonly client: Pick<Client, 'files'>;
}

/** A job whose inputs were looked at: it can be done, and the result will be that long. */
export interface PreparedJob {
  /** Bytes of the result, from 1. */
  readonly resultBytes: number;
  /**
   * The result from its first byte, made as it is read. The same inputs give the same bytes, on whatever machine and however
   * often: that is how anyone checks a result.
   */
  result(options: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array>;
}

/** What posters and workers agree a job's `program` to mean. No contract reads it. */
export interface JobProgram {
  /** With its version; `programId` of it is what a job carries. */
  readonly name: string;
  /**
   * Looks at the inputs, before a job is taken: little is read.
   *
   * @throws {JobError} JOB_BAD_INPUT for inputs that it cannot work with; what reading them throws
   */
  prepare(
    inputs: readonly JobInput[],
    options: { readonly signal: AbortSignal },
  ): Promise<PreparedJob>;
}

/** What names a program on the board, 32 bytes: keccak-256 of its name. */
export function programId(name: string): Uint8Array {
  return keccak256(utf8Bytes(name));
}
