/**
 * First topic of the flow's `Submit` event: keccak-256 of its signature with tuples written out.
 *
 * @see contracts/src/log/Flow.sol; equals the official flow's, in every generation
 */
export const SUBMIT_EVENT_TOPIC: `0x${string}` =
  '0x167ce04d2aa1981994d3a31695da0d785373335b1078cec239a1a3a2c7675555';

/**
 * Selector of `submit(Submission)` on the flow, the form that names a submitter.
 *
 * @see contracts/src/log/Flow.sol; equals the official flow's newest generation
 */
export const SUBMIT_SELECTOR: `0x${string}` = '0xbc8c11f8';

/**
 * Names under which the Directory holds the contracts: the camelCase name in ASCII, left-aligned in 32 bytes.
 * The keys are the names that `endpoints.json` uses.
 */
export const CONTRACT_NAMES = {
  flow: '0x666c6f7700000000000000000000000000000000000000000000000000000000',
  market: '0x6d61726b65740000000000000000000000000000000000000000000000000000',
  reward: '0x7265776172640000000000000000000000000000000000000000000000000000',
  poraMine: '0x706f72614d696e65000000000000000000000000000000000000000000000000',
} as const;

/** A contract that the Directory names. */
export type ContractName = keyof typeof CONTRACT_NAMES;

/**
 * Meaning of the number in the flow's `InvalidSubmission(uint8)`, by position.
 *
 * @see contracts/src/log/FlowTypes.sol, `SubmissionFault`
 */
export const SUBMISSION_FAULTS = [
  'zeroSubmitter',
  'noNodes',
  'heightTooLarge',
  'heightsNotDescending',
  'heightSpread',
  'lengthAboveNodes',
  'lengthBelowNodes',
] as const;

/** Why the flow refuses a submission. */
export type SubmissionFaultName = (typeof SUBMISSION_FAULTS)[number];

/**
 * Meaning of the first number that Sortition's `phase()` returns, by position.
 *
 * @see contracts/src/stake/SortitionTypes.sol, `Phase`
 */
export const EPOCH_PHASES = [
  'open',
  'closed',
  'tickets',
  'quiet',
  'seal',
  'sealed',
  'halted',
] as const;

/** Where a committee epoch is on its way. */
export type EpochPhase = (typeof EPOCH_PHASES)[number];

/**
 * Meaning of the number in the entrance's `PromiseVoid` event, by position.
 *
 * @see contracts/src/da/BlobTypes.sol, `VoidReason`
 */
export const VOID_REASONS = [
  'none',
  'otherQuorum',
  'badShape',
  'slotTaken',
  'feeAboveMax',
  'depositShort',
  'repeated',
] as const;

/** Why a leaf of a confirmed batch counts for nothing. */
export type VoidReasonName = (typeof VOID_REASONS)[number];
