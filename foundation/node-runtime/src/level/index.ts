/** Ordered indexes on disk, on LevelDB. */

export { checkLevelFiles, type LevelDamage } from './check-level-files.ts';
export { LevelError, type LevelFault } from './errors.ts';
export { type LevelStore, type LevelStoreOptions, openLevelStore } from './open-level-store.ts';
