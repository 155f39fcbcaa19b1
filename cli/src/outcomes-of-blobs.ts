import { EXIT, type OutcomesByCode, type OutcomesByPrefix, outcome } from './exit.ts';
import { NEXT_PROOF, PLACE_OUTCOMES } from './outcomes-of-places.ts';

const NEXT_OTHER_ROWS =
  'These rows are not of that commitment; others may be: `cairn codec verify` tells which.';
const NEXT_HOLDERS = 'Its signers may be away: try again later; they keep it until it expires.';
const NEXT_CERTIFICATE = 'Do not take it: its quorum never signed this, or not enough of it did.';
const NEXT_ANCHOR =
  'Begin anew from what you trust: --epoch-file FILE or --trusted-block HASH, and another --checkpoint.';
const NEXT_DIVIDED =
  'Publish the evidence, and take no epoch until it is known which one is right.';
const NEXT_OTHER_CHAIN =
  'The endpoint may be on another chain, or lie: compare with others by --rpc and --witness.';

/** What faults of blobs, rows, certificates and epochs mean. */
export const BLOB_OUTCOMES: OutcomesByCode = {
  ...PLACE_OUTCOMES,
  CLI_BLOB_RECORD: outcome(
    EXIT.failure,
    'Name a folder that `cairn codec encode` finished; an interrupted one has no record.',
  ),
  CLI_BLOB_DAMAGED: outcome(
    EXIT.verification,
    'If enough rows are left, `cairn codec decode` brings the file; encode it again then.',
  ),
  CLI_BLOB_UNAVAILABLE: outcome(EXIT.timeout, 'Bring more rows of the same commitment together.'),
  CLI_BLOB_UNSERVED: outcome(EXIT.timeout, NEXT_HOLDERS),
  CLI_BLOB_UNTOLD: outcome(
    EXIT.notFound,
    'Name the blob by its commitment, or give what its quorum signed with --certificate FILE.',
  ),
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
  ARCHIVE_NOT_KEPT: outcome(
    EXIT.failure,
    'Post it without --archive and store the file with `cairn file put`, or ask another disperser.',
  ),
  ARCHIVE_UNAVAILABLE: outcome(
    EXIT.timeout,
    'Its quorum has dropped it, and no storage node gives the file now: try again.',
  ),
  ARCHIVE_MISMATCH: outcome(
    EXIT.verification,
    'The disperser notes another file for it: `cairn file get ROOT` shows which.',
  ),
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
  TRUST_EXPIRED: outcome(EXIT.verification, NEXT_ANCHOR),
  TRUST_STORED: outcome(EXIT.verification, NEXT_ANCHOR),
  TRUST_STOPPED: outcome(EXIT.verification, NEXT_DIVIDED),
  TRUST_CONFLICT: outcome(EXIT.verification, NEXT_DIVIDED),
  TRUST_CHAIN_DIFFERS: outcome(EXIT.verification, NEXT_OTHER_CHAIN),
  TRUST_WITNESS_DIFFERS: outcome(EXIT.verification, NEXT_OTHER_CHAIN),
  TRUST_IN_FUTURE: outcome(EXIT.timeout, 'Wait until it begins, or set this machine’s clock.'),
  CHAIN_BAD_PROOF: outcome(EXIT.verification, NEXT_OTHER_CHAIN),
  CHAIN_BLOCK_UNKNOWN: outcome(
    EXIT.notFound,
    'Name a block of this chain that the endpoint still knows, or another endpoint with --rpc.',
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
};

/** Families of such codes. */
export const BLOB_FAMILIES: OutcomesByPrefix = [
  ['SLICE_', outcome(EXIT.verification, NEXT_OTHER_ROWS)],
  ['CERTIFICATE_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['MESSAGE_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['BLS_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['PATH_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['SAMPLE_', outcome(EXIT.verification, NEXT_CERTIFICATE)],
  ['CONTENT_', outcome(EXIT.verification, NEXT_PROOF)],
];
