/**
 * What the official contracts and ours have in common, as human-readable fragments: the generated
 * ABIs describe ours alone, and these must fit both.
 */
export const NUM_SUBMISSIONS = 'function numSubmissions() view returns (uint256)';
export const FLOW_ROOT_BY_SEQUENCE =
  'function getFlowRootByTxSeq(uint256 index) view returns (bytes32)';
export const MARKET = 'function market() view returns (address)';
export const TREE = 'function tree() view returns (uint256 currentLength, uint256 unstagedHeight)';
export const PRICE_PER_SECTOR = 'function pricePerSector() view returns (uint256)';

const SUBMISSION_DATA =
  '(uint256 length, bytes tags, (bytes32 root, uint256 height)[] nodes)' as const;
export const SUBMIT: string = `function submit((${SUBMISSION_DATA} data, address submitter) submission) payable returns (uint256 index, bytes32 digest, uint256 startIndex, uint256 length)`;
export const BATCH_SUBMIT: string = `function batchSubmit((${SUBMISSION_DATA} data, address submitter)[] submissions) payable returns (uint256[] indexes, bytes32[] digests, uint256[] startIndexes, uint256[] lengths)`;
/** The older generation: no submitter. */
export const OLD_SUBMIT: string = `function submit(${SUBMISSION_DATA} submission) payable returns (uint256 index, bytes32 digest, uint256 startIndex, uint256 length)`;

/** Ours only: records appended to the log's history, and their root. */
export const LOG_ROOT = 'function logRoot() view returns (bytes32)';

/** Errors of the official flow and its libraries, for reading reverts. */
export const OFFICIAL_ERRORS: readonly string[] = [
  'error NotEnoughFee(uint256 price, uint256 amount, uint256 paid)',
  'error InvalidSubmission()',
  'error EnforcedPause()',
  'error ExpectedPause()',
  'error InvalidInitialization()',
  'error NotInitializing()',
  'error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)',
  'error AccessControlBadConfirmation()',
];
