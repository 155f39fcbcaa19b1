/** A disperser without chain, signers or disk, for those who integrate with its doors. */
export {
  createDevDisperser,
  type DevDisperser,
  type DevDisperserOptions,
} from './create-dev-disperser.ts';
export { DevError, type DevFault } from './errors.ts';
export {
  DELAYS,
  MAX_LATENCY_MS,
  parseSwitches,
  SWITCHES_OFF,
  type Switches,
  type SwitchState,
} from './switches.ts';
