import { Fault } from '@cairn/primitives';

export type CliFault =
  /** The command line does not make sense. */
  | { readonly code: 'CLI_USAGE'; readonly what: string }
  /** No network was named and no devnet runs where one is looked for. */
  | { readonly code: 'CLI_NO_NETWORK'; readonly looked: string }
  | { readonly code: 'CLI_NO_KV_NODE'; readonly network: string }
  | { readonly code: 'CLI_NO_VALUE'; readonly stream: string; readonly key: string }
  | { readonly code: 'CLI_ENDPOINTS_INVALID'; readonly path: string }
  /** A payment or a decryption needs a key and none was given. */
  | { readonly code: 'CLI_NO_KEY'; readonly purpose: string }
  | { readonly code: 'CLI_KEY_INVALID'; readonly path: string; readonly expected: string }
  | { readonly code: 'CLI_PASSWORD_MISSING'; readonly path: string }
  | { readonly code: 'CLI_NOT_FOUND'; readonly what: string; readonly network: string }
  | { readonly code: 'CLI_OUTPUT_EXISTS'; readonly path: string }
  /** A directory that has to be a new or an empty one. */
  | { readonly code: 'CLI_FOLDER_NOT_EMPTY'; readonly path: string }
  | { readonly code: 'CLI_MISMATCH'; readonly expected: string; readonly actual: string }
  | { readonly code: 'CLI_DIFFERENT'; readonly changes: number }
  | { readonly code: 'CLI_UNHEALTHY'; readonly failed: readonly string[] }
  | { readonly code: 'CLI_UNREACHABLE'; readonly url: string }
  /** A file ends before the length it had. */
  | {
      readonly code: 'CLI_SOURCE_SHORT';
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** A folder of rows without a record of what they are. */
  | { readonly code: 'CLI_BLOB_RECORD'; readonly path: string }
  | {
      readonly code: 'CLI_BLOB_DAMAGED';
      readonly goodRows: number;
      readonly rows: number;
      readonly dataRows: number;
    }
  | { readonly code: 'CLI_BLOB_UNAVAILABLE'; readonly have: number; readonly need: number }
  /** Signers gave fewer rows of a blob than make it up. */
  | { readonly code: 'CLI_BLOB_UNSERVED'; readonly have: number; readonly need: number }
  /** Neither a disperser nor the chain tells what a blob's quorum signed. */
  | { readonly code: 'CLI_BLOB_UNTOLD'; readonly id: string }
  | { readonly code: 'CLI_BLOB_NULL'; readonly commitment: string }
  /** No committee signed an order that has the file, in the time that was waited. */
  | { readonly code: 'CLI_NOT_ORDERED'; readonly root: string; readonly waitedMs: number }
  /** The network has no such service or contract. */
  | { readonly code: 'CLI_NO_BLOBS'; readonly what: string; readonly network: string }
  /** A service answered with a fault of its own, or with a status alone. */
  | {
      readonly code: 'CLI_REFUSED';
      readonly url: string;
      readonly status: number;
      readonly fault: string;
    }
  /** A blob did not get as far as it was waited for. */
  | {
      readonly code: 'CLI_BLOB_ON_ITS_WAY';
      readonly id: string;
      readonly stage: string;
      readonly wanted: string;
    }
  | { readonly code: 'CLI_EPOCH_FILE'; readonly path: string; readonly problem: string }
  /** The network has no order of checkpoints. */
  | { readonly code: 'CLI_NO_ORDER'; readonly network: string }
  | { readonly code: 'CLI_HANDOVER_FILE'; readonly path: string; readonly problem: string }
  /** No signer that was asked has the signature by which an epoch was handed over. */
  | { readonly code: 'CLI_NO_HANDOVER'; readonly epoch: number; readonly asked: number }
  /** The network names no governor of stake. */
  | { readonly code: 'CLI_NO_GOVERNOR'; readonly network: string }
  /** The order has no such shard, or none with files. */
  | { readonly code: 'CLI_NO_SHARD'; readonly shardId: number | undefined }
  /** Not a proof of a file's place. */
  | { readonly code: 'CLI_PROOF_FILE'; readonly path: string; readonly problem: string }
  /** A proof whose place no trusted root shows. */
  | {
      readonly code: 'CLI_PLACE_UNTRUSTED';
      readonly globalIndex: number;
      readonly reasons: readonly string[];
    }
  /** No epoch is sealed yet. */
  | { readonly code: 'CLI_NO_COMMITTEE'; readonly epoch: number }
  /** The node that runs on a data directory has no admin socket where one is looked for. */
  | { readonly code: 'CLI_NO_ADMIN'; readonly socket: string }
  /** Ctrl-C or SIGTERM. */
  | { readonly code: 'CLI_INTERRUPTED'; readonly signal: string };

/** Something the command line itself found wrong. */
export class CliError extends Fault<CliFault> {}

/** The fault for a command line that does not make sense; `text` says what to write instead. */
export function usageError(what: string, text: string): CliError {
  return new CliError({ code: 'CLI_USAGE', what }, text);
}

/** The fault for an output whose name is taken. */
export function outputExists(path: string): CliError {
  return new CliError({ code: 'CLI_OUTPUT_EXISTS', path }, `${path} exists already`);
}

/** The fault for a command that was told to stop. */
export function interrupted(signal: string): CliError {
  return new CliError({ code: 'CLI_INTERRUPTED', signal }, `interrupted by ${signal}`);
}
