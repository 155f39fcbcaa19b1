import { describeError, isRecord } from '@cairn/primitives';
import { Ajv, type ErrorObject } from 'ajv';
import { parse as parseToml } from 'smol-toml';
import { readFileIfPresent } from '../files/atomic-file.ts';
import { type ConfigProblem, type ConfigSource, configInvalid } from './errors.ts';
import {
  fillTables,
  type LayeredConfig,
  overlay,
  schemaDefaults,
  tableFromEnvironment,
} from './layers.ts';
import { type ConfigSchema, type ConfigTable, keysAt, schemaAt } from './schema.ts';
import { suggestionFor } from './suggest.ts';

/** A value that cannot be changed, nor anything in it. */
export type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** Where a configuration comes from, weakest first. */
export interface LoadConfigOptions {
  readonly schema: ConfigSchema;
  /** Over the schema's own defaults: what a network or a devnet presets. */
  readonly defaults?: ConfigTable;
  /** A TOML file. It must exist unless `fileIsOptional`. */
  readonly file?: string;
  readonly fileIsOptional?: boolean;
  /** `process.env`, or none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `CAIRN_` unless told: `CAIRN_SECTION__KEY_NAME` sets `section.keyName`. */
  readonly envPrefix?: string;
  /** From flags. Fields that are `undefined` say nothing. */
  readonly overrides?: ConfigTable;
}

/** A configuration and where each of its values comes from. */
export interface LoadedConfig<T> {
  readonly config: Frozen<T>;
  /** By path, such as `storage.capacityBytes`. */
  readonly sources: ReadonlyMap<string, ConfigSource>;
}

/**
 * Reads, checks and freezes a configuration: default, then file, then environment, then flags.
 *
 * `T` is the interface written by hand beside the schema; the schema decides.
 *
 * @throws {ConfigError} CONFIG_INVALID with every problem of every source together
 */
export async function loadConfig<T>(options: LoadConfigOptions): Promise<LoadedConfig<T>> {
  const { schema, defaults = {}, env = {}, envPrefix = 'CAIRN_', overrides = {} } = options;
  const layered: LayeredConfig = { values: {}, sources: new Map() };
  const problems: ConfigProblem[] = [];
  overlay(layered, schemaDefaults(schema), 'default');
  overlay(layered, defaults, 'default');
  overlay(layered, await readTable(options, problems), 'file');
  const fromEnvironment = tableFromEnvironment(schema, env, envPrefix);
  problems.push(...fromEnvironment.problems);
  overlay(layered, fromEnvironment.table, 'environment');
  overlay(layered, overrides, 'flag');
  fillTables(schema, layered.values);
  problems.push(...check(schema, layered));
  if (problems.length > 0) throw configInvalid(problems);
  // The schema, checked just above, is what says that these values are a T.
  return { config: deepFreeze(layered.values) as Frozen<T>, sources: layered.sources };
}

async function readTable(
  { file, fileIsOptional = false }: LoadConfigOptions,
  problems: ConfigProblem[],
): Promise<ConfigTable> {
  if (file === undefined) return {};
  const refuse = (problem: string, hint: string | undefined): ConfigTable => {
    problems.push({ path: '', problem, hint, source: 'file' });
    return {};
  };
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readFileIfPresent(file);
  } catch (error) {
    return refuse(describeError(error), undefined);
  }
  if (bytes === undefined) {
    return fileIsOptional ? {} : refuse(`there is no file ${file}`, 'write one or leave it out');
  }
  try {
    return parseToml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = describeError(error).split('\n')[0] ?? '';
    return refuse(`${file} is not TOML: ${reason}`, undefined);
  }
}

function check(schema: ConfigSchema, { values, sources }: LayeredConfig): ConfigProblem[] {
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    verbose: true,
    // Of the right form by its type; to compile what checks that took a tenth of a node's start.
    validateSchema: false,
    meta: false,
  });
  const validate = ajv.compile(closed(schema));
  if (validate(values)) return [];
  return (validate.errors ?? []).map((error) => problemOf(schema, error, sources));
}

/** The schema with every section that does not say otherwise refusing unknown keys. */
function closed(schema: ConfigSchema): ConfigSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(schema.type === 'object' && schema.additionalProperties === undefined
      ? { additionalProperties: false }
      : {}),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, property]) => [key, closed(property)]),
          ),
        }),
    ...(items === undefined ? {} : { items: closed(items) }),
  };
}

function problemOf(
  schema: ConfigSchema,
  { keyword, instancePath, params, message, data }: ErrorObject,
  sources: ReadonlyMap<string, ConfigSource>,
): ConfigProblem {
  const section = instancePath.split('/').slice(1).map(unescapePointer);
  if (keyword === 'additionalProperties') {
    const unknown = String(params['additionalProperty']);
    const path = [...section, unknown].join('.');
    const show = (key: string): string => [...section, key].join('.');
    return {
      path,
      problem: 'no such setting',
      hint: suggestionFor(unknown, keysAt(schema, section), show),
      source: sourceOf(path, sources),
    };
  }
  if (keyword === 'required') {
    const missing = [...section, String(params['missingProperty'])];
    return {
      path: missing.join('.'),
      problem: 'must be set',
      hint: schemaAt(schema, missing)?.description,
      source: undefined,
    };
  }
  const path = section.join('.');
  const isSecret = schemaAt(schema, section)?.secret === true;
  const allowed: unknown = params['allowedValues'];
  const rule = Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : message;
  const unit = schemaAt(schema, section)?.unit;
  return {
    path,
    problem: `${rule ?? 'is not allowed'}${unit === undefined ? '' : ` (${unit})`}${isSecret ? '' : `, not ${shown(data)}`}`,
    hint:
      Array.isArray(allowed) && typeof data === 'string'
        ? suggestionFor(data, allowed.map(String))
        : undefined,
    source: sourceOf(path, sources),
  };
}

/** The source of a setting, or of the first thing set inside it. */
function sourceOf(
  path: string,
  sources: ReadonlyMap<string, ConfigSource>,
): ConfigSource | undefined {
  const exact = sources.get(path);
  if (exact !== undefined) return exact;
  for (const [candidate, source] of sources) {
    if (candidate.startsWith(`${path}.`) || path.startsWith(`${candidate}.`)) return source;
  }
  return undefined;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function deepFreeze(value: unknown): unknown {
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else if (isRecord(value)) for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
