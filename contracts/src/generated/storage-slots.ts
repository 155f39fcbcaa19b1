// Generated from the contracts by "node contracts/scripts/build.mjs". Do not edit: change a source and run it.

/** Storage slots of src/stake/Sortition.sol. */
export const sortitionSlots = {
  headerHash: 7,
  snapshotHashes: 9,
} as const;

/** Storage slots of src/da/DAEntrance.sol. */
export const daEntranceSlots = {
  batches: 51,
  voids: 52,
} as const;
