import { Fault } from '@cairn/primitives';

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Where, such as `storage.capacityBytes`; empty for the whole. */
  readonly path: string;
  /** What is wrong, with the value where it is no secret. */
  readonly problem: string;
  /** What to do about it, if anything can be said. */
  readonly hint: string | undefined;
  /** Which source said it. */
  readonly source: ConfigSource | undefined;
}

/** Where a value comes from. */
export type ConfigSource = 'default' | 'file' | 'environment' | 'flag';

export type ConfigFault = {
  readonly code: 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];
};

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Fault<ConfigFault> {}

/** The fault that reports `problems`, one line each. */
export function configInvalid(problems: readonly ConfigProblem[]): ConfigError {
  const lines = problems.map(({ path, problem, hint, source }) => {
    const origin = source === undefined || source === 'default' ? '' : ` (from ${source})`;
    return `  ${path === '' ? '' : `${path}: `}${problem}${origin}${hint === undefined ? '' : `; ${hint}`}`;
  });
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new ConfigError(
    { code: 'CONFIG_INVALID', problems },
    `the configuration has ${count}:\n${lines.join('\n')}`,
  );
}
