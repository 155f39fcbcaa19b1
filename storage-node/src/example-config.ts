import { renderExampleConfig } from '@cairn/node-runtime/config';
import { STORAGE_NODE_SCHEMA } from './config.ts';

/** The text of `cairn.example.toml`: every setting with its meaning, bounds and default. */
export function exampleConfig(): string {
  return renderExampleConfig(STORAGE_NODE_SCHEMA);
}
