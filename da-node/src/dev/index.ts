/** A disperser without chain, signers or disk, for those who integrate with its doors. */
export { createDevDisperser, type DevDisperser } from './create-dev-disperser.ts';
export type { DevAddresses } from './dev-doors.ts';
export type { DevDisperserOptions } from './dev-options.ts';
export { DevError, type DevFault } from './errors.ts';
export {
  DELAYS,
  MAX_LATENCY_MS,
  parseSwitches,
  SWITCHES_OFF,
  type Switches,
  type SwitchState,
} from './switches.ts';
