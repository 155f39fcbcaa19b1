/**
 * Adapters between this machine and the ports. Each lives behind its own entry, so that a program
 * loads only what it uses: `@cairn/node-runtime/files`, `/level`, `/http`, …; here are types only.
 */
export type { StorageFault } from './files/errors.ts';
export type { LevelFault } from './level/errors.ts';
