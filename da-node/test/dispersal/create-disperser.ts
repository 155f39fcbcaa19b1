import { MIB, noMetrics } from '@cairn/primitives';
import {
  createDispersal,
  type Dispersal,
  type DispersalParts,
  type DispersalSettings,
} from '../../src/disperser/create-dispersal.ts';
import type { DisperserPolicy } from '../../src/disperser/disperser.ts';

/** What a disperser of a test does how often, how long and how much. */
export interface DisperserSettings extends Omit<DispersalSettings, 'policy'> {
  readonly policy: Partial<DisperserPolicy>;
}

const POLICY: DisperserPolicy = {
  maxBlobs: 4096,
  maxBytes: 4096 * MIB,
  path: 'promise',
  archivesAll: false,
};

/** Settings of a disperser that is told nothing else. */
const DEFAULTS: Omit<DispersalSettings, 'policy'> = {
  retentionEpochs: 1,
  batch: { gatherMs: 100, maxBlobs: 128 },
  delivery: { timeoutMs: 30_000, attempts: 3, delayMs: 250, laggardMs: 2000 },
  votes: { timeoutMs: 5000, attempts: 3, delayMs: 250, laggardMs: 0 },
  backoff: { firstMs: 500, maxMs: 15_000 },
};

/** What of a disperser a test need not tell. */
type Usual = 'log' | 'readBack' | 'metrics';

/** What a disperser of a test is wired of. */
export type CreateDisperserOptions = Omit<DispersalParts, Usual> &
  Partial<Pick<DispersalParts, Usual>> & { readonly settings?: Partial<DisperserSettings> };

/** A disperser as nodes have it, with settings for tests. `open` it, then `run` it. */
export function createDisperser({ settings, ...parts }: CreateDisperserOptions): Dispersal {
  const { policy, ...rest } = settings ?? {};
  const readBack = async (): Promise<never> => Promise.reject(new Error('nothing is read back'));
  return createDispersal(
    { log: undefined, readBack, metrics: noMetrics(), ...parts },
    { ...DEFAULTS, ...rest, policy: { ...POLICY, ...policy } },
  );
}
