import { EXIT, type OutcomesByCode, type OutcomesByPrefix, outcome } from './exit.ts';

const NEXT_KEY_FORM =
  'A key file holds 32 bytes as hex, or a Web3 v3 keystore: see `cairn key new --help`.';
const NEXT_KEY =
  'Name a key with --key-file or CAIRN_KEY_FILE; `cairn key new FILE` makes one; a devnet brings its own.';
const NEXT_AGAIN = 'Try again; what is already paid or stored is not done twice.';
/** Somebody served what it is not. */
export const NEXT_LIAR =
  'The bytes were refused because they are not what the root names. Ask other nodes with --node URL.';
const NEXT_SPACE = 'Free some space, or store on another disk, and run the command again.';

/** What faults of files, nodes, chains, keys and this machine mean. */
export const OUTCOMES: OutcomesByCode = {
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
  CLI_NO_KV_NODE: outcome(EXIT.usage, 'Name one with --kv URL.'),
  CLI_NO_VALUE: outcome(EXIT.notFound, '`cairn kv scan` lists the keys there are.'),
  SDK_KV_NODE: outcome(EXIT.failure, 'Check --kv and that the node answers.'),
  SDK_KV_CONFLICT: outcome(EXIT.failure, 'Nothing was changed: read again, and write again.'),
  SDK_KV_REFUSED: outcome(EXIT.auth, 'Nothing was changed; ask an administrator of the stream.'),
  SDK_KV_NOT_WATCHED: outcome(EXIT.failure, 'Ask a node that has the stream: --kv URL.'),
  SDK_KV_UNATTESTED: outcome(
    EXIT.failure,
    'Too few nodes vouch for a root: name more with --kv, or fewer with --agree.',
  ),
  SDK_KV_CONTRADICTION: outcome(EXIT.verification, NEXT_LIAR),
  SDK_KV_UNPROVEN: outcome(EXIT.verification, NEXT_LIAR),
  SDK_KV_UNDECIDED: outcome(
    EXIT.timeout,
    'It is stored and paid for; the node’s /health/ready says what it waits for.',
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
  CLI_NO_ADMIN: outcome(EXIT.failure, 'Name its socket with --socket, or stop the node first.'),
  DB_NOT_FOUND: outcome(EXIT.notFound, 'Name the data_dir of the node with --data-dir.'),
  DB_EXISTS: outcome(EXIT.failure, 'Name a new or an empty directory.'),
  DB_DAMAGED: outcome(EXIT.verification, '`cairn db repair --from URL` fetches what is damaged.'),
  SNAPSHOT_DAMAGED: outcome(
    EXIT.verification,
    'Take another copy of the snapshot, or another one.',
  ),
  SHARD_MOVING: outcome(EXIT.failure, 'Ask again when that is done.'),
  CLI_SOURCE_SHORT: outcome(EXIT.failure, 'Run it again once nothing writes to the file.'),
  CLI_INTERRUPTED: outcome(EXIT.interrupted, 'Nothing is lost; run the command again.'),
  SDK_OPTION: outcome(EXIT.usage, 'Name what is missing: --indexer, --node, --rpc or --endpoints.'),
  SDK_REFERENCE: outcome(EXIT.verification, 'Ask whoever made the reference for another one.'),
  SDK_SAFETENSORS: outcome(EXIT.verification, 'Read the file as it is: leave --tensor out.'),
  SDK_EMPTY_FILE: outcome(EXIT.failure, 'The file is empty; give one with at least one byte.'),
  FILE_EMPTY: outcome(EXIT.failure, 'The file is empty; give one with at least one byte.'),
  SDK_NO_PAYER: outcome(EXIT.auth, NEXT_KEY),
  SDK_DECLINED: outcome(EXIT.ok, 'Nothing was paid.'),
  SDK_NOT_ENOUGH_HOLDERS: outcome(
    EXIT.failure,
    'Ask for fewer --replicas, or name more nodes with --node URL.',
  ),
  SDK_NO_SHARD: outcome(
    EXIT.failure,
    '`cairn chain shards` tells how the shards do; name one with --consensus-shard N.',
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
  POSSESSION_OTHER_LOG: outcome(
    EXIT.failure,
    'What was remembered of the log was dropped; run the command again.',
  ),
  POSSESSION_REFUSED: outcome(
    EXIT.failure,
    '`cairn duty list` shows how things are; the same command goes on where it was.',
  ),
  POSSESSION_NOT_OWN: outcome(EXIT.failure, 'Name the provider’s key with --key-file.'),
  POSSESSION_TOO_EARLY: outcome(EXIT.failure, 'Run the command again after that block.'),
  POSSESSION_NOT_FREE: outcome(
    EXIT.failure,
    '`cairn duty list` shows what stake answers for; `cairn duty close` and `release` free it.',
  ),
  POSSESSION_NO_DUTY: outcome(EXIT.notFound, '`cairn duty open` prints a duty’s number.'),
  SERVICE_UNKNOWN: outcome(EXIT.usage, 'Name one of those.'),
};

/** Families of such codes. */
export const FAMILIES: OutcomesByPrefix = [
  ['PROOF_', outcome(EXIT.verification, NEXT_LIAR)],
  ['KEY_', outcome(EXIT.auth, NEXT_KEY)],
  ['KEYSTORE_', outcome(EXIT.auth, 'Check the password and the file.')],
  ['ID_', outcome(EXIT.usage, 'A root is 0x and 64 hex digits, as `cairn file put` prints it.')],
  ['CONFIG_', outcome(EXIT.usage, 'Correct the configuration file.')],
  ['NODE_CONFIG', outcome(EXIT.usage, 'Correct the configuration file.')],
  ['SHARD_', outcome(EXIT.usage, 'Write shards as id/count, for instance 0/2.')],
  ['TRANSPORT_', outcome(EXIT.failure, NEXT_AGAIN)],
  ['GOVERNANCE_', outcome(EXIT.failure, '`cairn chain proposals ID` shows where it stands.')],
  ['POSSESSION_', outcome(EXIT.failure, 'Check the duty and its files, and run it again.')],
  ['TX_', outcome(EXIT.failure, 'The payment was not made; see why, and run the command again.')],
  ['CHAIN_', outcome(EXIT.failure, 'Check --rpc and that the chain answers.')],
];
