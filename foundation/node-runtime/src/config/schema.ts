/**
 * A configuration's schema: JSON Schema draft 7, of which a configuration uses this part. Objects
 * are sections; every one refuses unknown keys unless it says `additionalProperties: true`.
 */
export interface ConfigSchema {
  readonly type: 'object' | 'string' | 'integer' | 'number' | 'boolean' | 'array';
  /** A sentence for the operator; shown in the example file. */
  readonly description?: string;
  /** What holds if nobody says otherwise. */
  readonly default?: unknown;
  /** Of numbers, for people: `bytes`, `ms`, `wei per byte`, … */
  readonly unit?: string;
  /** Never shown in a fault, in a listing or as an example. */
  readonly secret?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly (string | number)[];
  readonly properties?: Readonly<Record<string, ConfigSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  /** Of lists. Tables (`[[name]]` in TOML) have settings with defaults of their own, and no sections. */
  readonly items?: ConfigSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A plain nested table, as TOML or JSON gives one. */
export interface ConfigTable {
  readonly [key: string]: unknown;
}

/** The schema at a path of keys; `undefined` where there is none. */
export function schemaAt(schema: ConfigSchema, path: readonly string[]): ConfigSchema | undefined {
  let current: ConfigSchema | undefined = schema;
  for (const key of path) {
    current =
      /^\d+$/.test(key) && current?.type === 'array' ? current.items : current?.properties?.[key];
  }
  return current;
}

/** The keys allowed in the section at `path`. */
export function keysAt(schema: ConfigSchema, path: readonly string[]): readonly string[] {
  return Object.keys(schemaAt(schema, path)?.properties ?? {});
}
