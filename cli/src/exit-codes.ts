import { describeError, Fault, type FaultFacts, isRecord } from '@cairn/primitives';

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
interface Outcome {
  readonly exit: ExitCode;
  readonly next: string;
}

const outcome = (exit: ExitCode, next: string): Outcome => ({ exit, next });

const NEXT_KEY_FORM =
  'A key file holds 32 bytes as hex, or a Web3 v3 keystore: see `cairn key new --help`.';
const NEXT_KEY =
  'Name a key with --key-file or CAIRN_KEY_FILE; `cairn key new FILE` makes one; a devnet brings its own.';
const NEXT_AGAIN = 'Try again; what is already paid or stored is not done twice.';
const NEXT_LIAR =
  'The bytes were refused because they are not what the root names. Ask other nodes with --node URL.';
const NEXT_OTHER_ROWS =
  'These rows are not of that commitment; others may be: `cairn codec verify` tells which.';
const NEXT_HOLDERS = 'Its signers may be away: try again later; they keep it until it expires.';
const NEXT_CERTIFICATE = 'Do not take it: its quorum never signed this, or not enough of it did.';
const NEXT_SPACE = 'Free some space, or store on another disk, and run the command again.';

/** Codes with an exit code or advice of their own. */
const CODES: Readonly<Record<string, Outcome>> = {
  CLI_USAGE: outcome(EXIT.usage, 'Add --help to the command to see what it takes.'),
  CLI_NO_NETWORK: outcome(
    EXIT.usage,
    'Start a network with `cairn devnet up`, or name one with --endpoints FILE, --dir D or --indexer URL.',
  ),
  CLI_ENDPOINTS_INVALID: outcome(
    EXIT.usage,
    'Name another file with --endpoints, or start the devnet that writes it.',
  ),
  CLI_NO_KEY: outcome(EXIT.auth, NEXT_KEY),
  CLI_KEY_INVALID: outcome(EXIT.auth, NEXT_KEY_FORM),
  CLI_PASSWORD_MISSING: outcome(
    EXIT.auth,
    'Type it when a terminal asks for it, or give --password-file FILE.',
  ),
  CLI_NOT_FOUND: outcome(
    EXIT.notFound,
    'Check the root; if the file was stored just now, wait for a moment and try again.',
  ),
  CLI_OUTPUT_EXISTS: outcome(
    EXIT.failure,
    'Add --force to replace it, or write elsewhere with -o.',
  ),
  CLI_FOLDER_NOT_EMPTY: outcome(EXIT.failure, 'Name a new or an empty directory with --out.'),
  CLI_MISMATCH: outcome(
    EXIT.verification,
    'These are different bytes; `cairn file get` brings the others.',
  ),
  CLI_DIFFERENT: outcome(EXIT.verification, 'Store the directory again to have its present state.'),
  CLI_UNHEALTHY: outcome(EXIT.failure, 'See the advice beside each failed check.'),
  CLI_UNREACHABLE: outcome(
    EXIT.failure,
    'Check the address and that the node runs; for a devnet: `cairn devnet status`.',
  ),
  CLI_SOURCE_SHORT: outcome(EXIT.failure, 'Run it again once nothing writes to the file.'),
  CLI_BLOB_RECORD: outcome(
    EXIT.failure,
    'Name a folder that `cairn codec encode` finished; an interrupted one has no record.',
  ),
  CLI_BLOB_DAMAGED: outcome(
    EXIT.verification,
    'If enough rows are left, `cairn codec decode` brings the file; encode it again then.',
  ),
  CLI_BLOB_UNAVAILABLE: outcome(EXIT.timeout, 'Bring more rows of the same commitment together.'),
  CLI_BLOB_NULL: outcome(
    EXIT.verification,
    'Whoever made the commitment committed to no payload: no other rows of it will give one.',
  ),
  CLI_NO_BLOBS: outcome(
    EXIT.usage,
    'Start a devnet with signers (--da 4), or name the place with --rest, --rpc and --entrance.',
  ),
  CLI_REFUSED: outcome(
    EXIT.failure,
    'See why, and try again; `cairn da status ID` tells how far it is.',
  ),
  CLI_BLOB_ON_ITS_WAY: outcome(
    EXIT.timeout,
    'The disperser goes on with it: ask `cairn da status ID`, or wait longer with --timeout.',
  ),
  CLI_EPOCH_FILE: outcome(EXIT.usage, 'Name a file that `cairn da quorum --out FILE` wrote.'),
  CLI_NO_COMMITTEE: outcome(EXIT.timeout, 'Signers draw the first committee: wait for a moment.'),
  BLOB_NOT_TAKEN: outcome(
    EXIT.notFound,
    'Check the id, and that this disperser took it; others do not know of it.',
  ),
  BLOB_NOT_DISPERSED: outcome(
    EXIT.timeout,
    'Its quorum has not signed yet: ask `cairn da status ID` and try again.',
  ),
  BLOB_ABSENT: outcome(EXIT.notFound, NEXT_HOLDERS),
  BLOB_UNAVAILABLE: outcome(EXIT.timeout, NEXT_HOLDERS),
  BLOB_EMPTY: outcome(EXIT.usage, 'A blob has at least one byte.'),
  BLOB_TOO_LARGE: outcome(EXIT.usage, 'Cut the file; each part is a blob of its own.'),
  DISPERSAL_QUEUE_FULL: outcome(EXIT.failure, 'Try again when those that wait are done.'),
  ACCOUNT_UNKNOWN: outcome(EXIT.auth, 'This disperser takes blobs of its own accounts only.'),
  ACCOUNT_BUDGET: outcome(EXIT.failure, 'The account has used up its bytes of this period.'),
  CERTIFICATE_TOO_OLD: outcome(
    EXIT.verification,
    'By itself it counts until shortly after its epoch; without --epoch-file the chain is asked whether it was in time.',
  ),
  TRUST_EPOCH_UNKNOWN: outcome(
    EXIT.usage,
    'The epoch file is of another epoch: see `cairn da quorum --epoch N --out FILE`.',
  ),
  DA_EPOCH_UNKNOWN: outcome(EXIT.notFound, 'That epoch is not sealed yet, or never was.'),
  SNAPSHOT_UNKNOWN: outcome(EXIT.verification, NEXT_CERTIFICATE),
  MEMBERS_NOT_OF_SNAPSHOT: outcome(EXIT.verification, NEXT_CERTIFICATE),
  MEMBER_INDEX: outcome(EXIT.verification, NEXT_CERTIFICATE),
  NON_SIGNER_PROOF: outcome(EXIT.verification, NEXT_CERTIFICATE),
  WEIGHT_TOO_LOW: outcome(EXIT.verification, NEXT_CERTIFICATE),
  SIGNATURE_WRONG: outcome(EXIT.verification, NEXT_CERTIFICATE),
  TOO_FEW_ROWS: outcome(EXIT.timeout, 'Bring more rows of the same commitment together.'),
  PARITY: outcome(
    EXIT.verification,
    'The rows are not of one codeword, so none were written: encode with --codec reference.',
  ),
  ROW_PATH: outcome(EXIT.verification, NEXT_OTHER_ROWS),
  ROW_COMBINATION: outcome(EXIT.verification, NEXT_OTHER_ROWS),
  DEVICE_ABSENT: outcome(EXIT.failure, 'Leave the codec to --codec auto, or name another one.'),
  DEVICE_FULL: outcome(EXIT.failure, 'Try again once it has room; --codec wasm needs no device.'),
  DEVICE_LOST: outcome(EXIT.failure, 'Run it again; --codec wasm needs no device.'),
  PAYLOAD_TOO_LARGE: outcome(EXIT.usage, 'Cut the file; each part is a blob of its own.'),
  CLI_INTERRUPTED: outcome(EXIT.interrupted, 'Nothing is lost; run the command again.'),
  SDK_OPTION: outcome(EXIT.usage, 'Name what is missing: --indexer, --node, --rpc or --endpoints.'),
  SDK_EMPTY_FILE: outcome(EXIT.failure, 'The file is empty; give one with at least one byte.'),
  FILE_EMPTY: outcome(EXIT.failure, 'The file is empty; give one with at least one byte.'),
  SDK_NO_PAYER: outcome(EXIT.auth, NEXT_KEY),
  SDK_DECLINED: outcome(EXIT.ok, 'Nothing was paid.'),
  SDK_NOT_ENOUGH_HOLDERS: outcome(
    EXIT.failure,
    'Ask for fewer --replicas, or name more nodes with --node URL.',
  ),
  SDK_WRONG_NETWORK: outcome(
    EXIT.usage,
    'Nodes, indexer and chain must be of one network: take them all from one --endpoints file.',
  ),
  SDK_NOT_FINAL: outcome(
    EXIT.timeout,
    'It is paid; run the same command again with --resume, or wait longer with --timeout.',
  ),
  SDK_SOURCE_CHANGED: outcome(EXIT.failure, 'Run it again once nothing writes to the file.'),
  SDK_FILE_NOT_FOUND: outcome(
    EXIT.notFound,
    'Check the root; if the file was stored just now, wait for a moment and try again.',
  ),
  SDK_SEGMENT_UNAVAILABLE: outcome(
    EXIT.timeout,
    'Its holders may be away: try again later, or ask others with --node URL.',
  ),
  SDK_SIZE_DISPUTED: outcome(EXIT.verification, 'Give --rpc URL: the chain knows the length.'),
  SDK_RANGE: outcome(EXIT.usage, '`cairn file stat ROOT` shows how long the file is.'),
  SDK_KEY_FORM: outcome(EXIT.auth, NEXT_KEY_FORM),
  SDK_KEY_MISSING: outcome(EXIT.auth, 'Add --decrypt FILE with the key it was encrypted with.'),
  SDK_WRONG_KEY: outcome(EXIT.auth, 'Give the key it was encrypted for: --decrypt FILE.'),
  SDK_NOT_ENCRYPTED: outcome(EXIT.usage, 'Leave --decrypt out to read it as it is.'),
  SDK_SEAL_BROKEN: outcome(
    EXIT.verification,
    'Whoever stored the file must store it again: what is stored is not what was sealed.',
  ),
  SDK_PATH_NOT_FOUND: outcome(EXIT.notFound, '`cairn file ls ROOT` lists what is there.'),
  SDK_PATH_KIND: outcome(EXIT.usage, '`cairn file ls ROOT` tells files from directories.'),
  SDK_PATH_UNSAFE: outcome(
    EXIT.verification,
    'Nothing was written outside the output directory; do not trust this directory.',
  ),
  SDK_PATH_EXISTS: outcome(
    EXIT.failure,
    'Write elsewhere with -o, or move away what is there; a directory needs a new or an empty one.',
  ),
  SDK_JOURNAL: outcome(EXIT.failure, 'Finish that upload with the version that began it.'),
  QUEUE_FULL: outcome(EXIT.failure, `Too much waits already. ${NEXT_AGAIN}`),
  DEADLINE_PASSED: outcome(EXIT.timeout, NEXT_AGAIN),
  TRANSPORT_TIMEOUT: outcome(EXIT.timeout, NEXT_AGAIN),
  TRANSPORT_UNREACHABLE: outcome(
    EXIT.failure,
    'Check the address and that the node runs; for a devnet: `cairn devnet status`.',
  ),
  CHAIN_UNREACHABLE: outcome(
    EXIT.failure,
    'Check --rpc and that the chain runs; for a devnet: `cairn devnet status`.',
  ),
  TX_INSUFFICIENT_FUNDS: outcome(
    EXIT.failure,
    'Send coins to that account, or pay from another with --key-file FILE.',
  ),
  TX_FATE_UNKNOWN: outcome(
    EXIT.failure,
    'Ask the chain about those transactions before paying anew; another --rpc may know them.',
  ),
  CHAIN_WRONG_ID: outcome(EXIT.usage, 'Name the RPC address of the right chain with --rpc.'),
  CHAIN_NO_CONTRACT: outcome(
    EXIT.usage,
    'Name the network this chain belongs to; a devnet started anew has other contracts.',
  ),
  NODE_DISK_FULL: outcome(EXIT.noSpace, 'Store on other nodes with --node URL.'),
  STORE_FULL: outcome(EXIT.noSpace, 'Store on other nodes with --node URL.'),
  DISK_FULL: outcome(EXIT.noSpace, NEXT_SPACE),
  ENOSPC: outcome(EXIT.noSpace, NEXT_SPACE),
  EDQUOT: outcome(EXIT.noSpace, NEXT_SPACE),
  ENOENT: outcome(EXIT.notFound, 'Check the path.'),
  EISDIR: outcome(EXIT.usage, 'Name a file, not a directory.'),
  ENOTDIR: outcome(EXIT.usage, 'Name a directory.'),
  EACCES: outcome(EXIT.auth, 'Check who may read and write that path.'),
  EPERM: outcome(EXIT.auth, 'Check who may read and write that path.'),
  KEY_FILE_EXISTS: outcome(EXIT.failure, 'Keys are never overwritten: choose another name.'),
  UNAUTHORIZED: outcome(EXIT.auth, 'Check the token.'),
  DIRECTORY_LOCKED: outcome(
    EXIT.failure,
    'Stop that process first, or use another directory (--dir).',
  ),
  TOPOLOGY_INVALID: outcome(EXIT.usage, 'Write for instance --storage 0/1,0/2,1/2 --da 4.'),
  PORT_IN_USE: outcome(
    EXIT.failure,
    'Choose other ports with --base-port P, or any free ones with --port 0.',
  ),
  PORT_OUT_OF_RANGE: outcome(EXIT.usage, 'Choose a lower --base-port.'),
  ANVIL_MISSING: outcome(
    EXIT.failure,
    'Run `npm install` again without leaving optional packages out.',
  ),
  DEVNET_RUNNING: outcome(
    EXIT.failure,
    'Use it, stop it with `cairn devnet down`, or start another with --dir D --port 0.',
  ),
  DEVNET_KEPT: outcome(
    EXIT.failure,
    'Go on with it by adding --keep, or remove it with `cairn devnet reset`.',
  ),
  NO_COMMITTEE: outcome(
    EXIT.timeout,
    'The machine may be busy: try again; `cairn devnet logs` shows what its signers wrote.',
  ),
  CHAIN_REFUSED: outcome(EXIT.failure, '`cairn devnet logs chain` shows what the chain wrote.'),
  DEVNET_NOT_RUNNING: outcome(EXIT.notFound, 'Start one with `cairn devnet up`.'),
  DEVNET_NOT_STOPPED: outcome(EXIT.failure, 'Look at these processes and end them by hand.'),
  DEVNET_START_FAILED: outcome(EXIT.failure, '`cairn devnet logs` shows what its services wrote.'),
  PROCESS_ENDED: outcome(EXIT.failure, '`cairn devnet logs` shows what its services wrote.'),
  PROCESS_NOT_READY: outcome(
    EXIT.timeout,
    'The machine may be busy: try again; `cairn devnet logs` shows what its services wrote.',
  ),
  SERVICE_UNKNOWN: outcome(EXIT.usage, 'Name one of those.'),
};

/** Families of codes by prefix, for codes that are not above. */
const FAMILIES: readonly (readonly [prefix: string, outcome: Outcome])[] = [
  ['SLICE_', outcome(EXIT.verification, NEXT_OTHER_ROWS)],
  ['CERTIFICATE_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['MESSAGE_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['BLS_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['PATH_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['SAMPLE_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['PROOF_', outcome(EXIT.verification, NEXT_LIAR)],
  ['KEY_', outcome(EXIT.auth, NEXT_KEY)],
  ['KEYSTORE_', outcome(EXIT.auth, 'Check the password and the file.')],
  ['ID_', outcome(EXIT.usage, 'A root is 0x and 64 hex digits, as `cairn file put` prints it.')],
  ['CONFIG_', outcome(EXIT.usage, 'Correct the configuration file.')],
  ['NODE_CONFIG', outcome(EXIT.usage, 'Correct the configuration file.')],
  ['SHARD_', outcome(EXIT.usage, 'Write shards as id/count, for instance 0/2.')],
  ['TRANSPORT_', outcome(EXIT.failure, NEXT_AGAIN)],
  ['TX_', outcome(EXIT.failure, 'The payment was not made; see why, and run the command again.')],
  ['CHAIN_', outcome(EXIT.failure, 'Check --rpc and that the chain answers.')],
];

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
    const row = CODES[String(facts.errno)];
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
    const row = CODES[String(facts.fault)];
    if (row !== undefined) return row;
  }
  if (code === 'SDK_NOT_ENOUGH_HOLDERS' && facts !== undefined && hasOnlyFullDisks(facts)) {
    return outcome(EXIT.noSpace, 'Store on other nodes with --node URL.');
  }
  return CODES[code] ?? FAMILIES.find(([prefix]) => code.startsWith(prefix))?.[1] ?? UNKNOWN;
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
