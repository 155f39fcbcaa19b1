/** Work on a storage node's data directory while no node runs on it: what `cairn db` does. */
export { countDatabase, type DatabaseCounts, databaseCountsJson } from './count.ts';
export { type OfflineStores, openOffline } from './open-offline.ts';
export { type RepairReport, repairDatabase } from './repair.ts';
export { restoreSnapshot } from './restore.ts';
export { type OfflineScrub, scrubDatabase } from './scrub-all.ts';
export { type SnapshotTotals, writeSnapshot } from './snapshot.ts';
