/** Configuration: one schema, four sources, all problems told together. */
export { ConfigError, type ConfigFault, type ConfigProblem, type ConfigSource } from './errors.ts';
export { environmentName } from './layers.ts';
export {
  type Frozen,
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
} from './load-config.ts';
export { renderExampleConfig } from './render-example.ts';
export type { ConfigSchema, ConfigTable } from './schema.ts';
