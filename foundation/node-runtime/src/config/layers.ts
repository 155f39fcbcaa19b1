import { isRecord } from '@cairn/primitives';
import type { ConfigProblem, ConfigSource } from './errors.ts';
import { type ConfigSchema, type ConfigTable, keysAt, schemaAt } from './schema.ts';
import { suggestionFor } from './suggest.ts';

/** A value with the source that set it. */
export interface LayeredConfig {
  readonly values: Record<string, unknown>;
  /** By path, such as `storage.capacityBytes`. */
  readonly sources: Map<string, ConfigSource>;
}

/** The defaults a schema states, as nested tables; every section is there, empty or not. */
export function schemaDefaults(schema: ConfigSchema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default !== undefined) values[key] = structuredClone(property.default);
    else if (property.type === 'object') values[key] = schemaDefaults(property);
  }
  return values;
}

/**
 * Lays what is there over the defaults of each table in a list of tables (`[[name]]` in TOML); tables are made
 * anew, lists of anything else are left alone.
 */
export function fillTables(schema: ConfigSchema, values: Record<string, unknown>): void {
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const value = values[key];
    const { items } = property;
    if (property.type === 'object' && isRecord(value)) {
      fillTables(property, value);
    } else if (items?.type === 'object' && Array.isArray(value)) {
      values[key] = value.map((table: unknown) =>
        isRecord(table) ? { ...schemaDefaults(items), ...table } : table,
      );
    }
  }
}

/** Lays `table` over what is there, section by section; lists are replaced whole. */
export function overlay(
  { values, sources }: LayeredConfig,
  table: ConfigTable,
  source: ConfigSource,
): void {
  overlayAt(values, sources, { table, source, path: [] });
}

function overlayAt(
  values: Record<string, unknown>,
  sources: Map<string, ConfigSource>,
  {
    table,
    source,
    path,
  }: { readonly table: ConfigTable; readonly source: ConfigSource; readonly path: string[] },
): void {
  for (const [key, value] of Object.entries(table)) {
    if (value === undefined) continue;
    if (key === '__proto__') continue; // reported as unknown by the caller's check, never followed
    const here = [...path, key];
    if (isRecord(value) && !(value instanceof Date)) {
      const held = Object.hasOwn(values, key) ? values[key] : undefined;
      const section: Record<string, unknown> = isRecord(held) ? { ...held } : {};
      values[key] = section;
      if (Object.keys(value).length === 0) sources.set(here.join('.'), source);
      overlayAt(section, sources, { table: value, source, path: here });
    } else {
      values[key] = value;
      sources.set(here.join('.'), source);
    }
  }
}

/** Longest name of an environment variable that is looked at. */
const MAX_ENV_NAME = 200;

/**
 * The table that environment variables spell: `CAIRN_STORAGE__CAPACITY_BYTES` is
 * `storage.capacityBytes`. Text becomes what the schema says: numbers, booleans, lists by commas.
 *
 * A variable with the prefix but without `__` is left to others, such as `CAIRN_DIR`, unless it
 * names a key of the top.
 */
export function tableFromEnvironment(
  schema: ConfigSchema,
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
): { readonly table: ConfigTable; readonly problems: readonly ConfigProblem[] } {
  const table: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (text === undefined || !name.startsWith(prefix) || name.length > MAX_ENV_NAME) continue;
    const segments = name.slice(prefix.length).split('__');
    const path = resolvePath(schema, segments);
    if (path.unknown !== undefined) {
      if (segments.length < 2) continue;
      const known = keysAt(schema, path.found).map(environmentName);
      const spelt = `${prefix}${[...path.found.map(environmentName), ''].join('__')}`;
      problems.push({
        path: name,
        problem: 'no such setting',
        hint: suggestionFor(path.unknown, known, (key) => `${spelt}${key}`),
        source: 'environment',
      });
      continue;
    }
    assign(table, path.found, fromText(text, schemaAt(schema, path.found)));
  }
  return { table, problems };
}

/** `CAPACITY_BYTES` for `capacityBytes`. */
export function environmentName(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

function resolvePath(
  schema: ConfigSchema,
  segments: readonly string[],
): { readonly found: string[]; readonly unknown: string | undefined } {
  const found: string[] = [];
  for (const segment of segments) {
    const key = keysAt(schema, found).find((candidate) => environmentName(candidate) === segment);
    if (key === undefined) return { found, unknown: segment };
    found.push(key);
  }
  return { found, unknown: undefined };
}

function assign(table: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let section = table;
  for (const key of path.slice(0, -1)) {
    const held = section[key];
    const next: Record<string, unknown> = isRecord(held) ? { ...held } : {};
    section[key] = next;
    section = next;
  }
  const last = path.at(-1);
  if (last !== undefined) section[last] = value;
}

/** Text as the schema's type; what does not parse stays text, for the check to refuse. */
function fromText(text: string, schema: ConfigSchema | undefined): unknown {
  switch (schema?.type) {
    case 'integer':
    case 'number': {
      const plain = text.trim().replaceAll('_', '');
      return plain !== '' && Number.isFinite(Number(plain)) ? Number(plain) : text;
    }
    case 'boolean':
      return text === 'true' || text === '1'
        ? true
        : text === 'false' || text === '0'
          ? false
          : text;
    case 'array':
      return text.trim() === ''
        ? []
        : text.split(',').map((item) => fromText(item.trim(), schema.items));
    case 'string':
    case 'object':
    case undefined:
      return text;
  }
}
