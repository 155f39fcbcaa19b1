import { stringify as stringifyToml } from 'smol-toml';
import type { ConfigSchema } from './schema.ts';

/**
 * A commented TOML file that says everything a schema allows: what each setting is, its unit, its
 * bounds, and its default, commented out. Settings without a default that must be set stand with
 * an empty value.
 *
 * The same schema gives the same text, so a committed example can be compared with it.
 */
export function renderExampleConfig(schema: ConfigSchema): string {
  const lines: string[] = [];
  if (schema.description !== undefined) lines.push(...comment(schema.description), '');
  renderSection(schema, [], lines);
  return `${lines.join('\n').trimEnd()}\n`;
}

function renderSection(schema: ConfigSchema, path: readonly string[], lines: string[]): void {
  const properties = Object.entries(schema.properties ?? {});
  for (const [key, property] of properties) {
    if (property.type === 'object' || property.items?.type === 'object') continue;
    lines.push(...comment(property.description ?? key));
    const facts = factsOf(property);
    if (facts !== '') lines.push(`# ${facts}`);
    lines.push(setting(key, property, schema.required?.includes(key) ?? false), '');
  }
  for (const [key, property] of properties) {
    const here = [...path, key];
    if (property.items?.type === 'object') renderTables(property, property.items, here, lines);
    if (property.type !== 'object') continue;
    if (property.description !== undefined) lines.push(...comment(property.description));
    lines.push(`[${here.join('.')}]`, '');
    renderSection(property, here, lines);
  }
}

/** A list of tables: one of them, commented out whole, since a list may have none. */
function renderTables(
  property: ConfigSchema,
  items: ConfigSchema,
  path: readonly string[],
  lines: string[],
): void {
  lines.push(...comment(property.description ?? path.join('.')));
  const facts = factsOf(property);
  if (facts !== '') lines.push(`# ${facts}`);
  lines.push(`# [[${path.join('.')}]]`, '');
  for (const [key, item] of Object.entries(items.properties ?? {})) {
    lines.push(...comment(item.description ?? key));
    const bounds = factsOf(item);
    if (bounds !== '') lines.push(`# ${bounds}`);
    lines.push(`# ${setting(key, item, true).replace(/^# /, '')}`, '');
  }
}

function setting(key: string, property: ConfigSchema, isRequired: boolean): string {
  if (property.default !== undefined && property.secret !== true) {
    return `# ${assignment(key, property.default)}`;
  }
  return isRequired ? `${key} = ${emptyOf(property)}` : `# ${key} = ${emptyOf(property)}`;
}

function assignment(key: string, value: unknown): string {
  return stringifyToml({ [key]: value }).trimEnd();
}

function emptyOf({ type }: ConfigSchema): string {
  switch (type) {
    case 'integer':
    case 'number':
      return '0';
    case 'boolean':
      return 'false';
    case 'array':
      return '[]';
    case 'string':
    case 'object':
      return '""';
  }
}

/** `bytes; 1 … 4096; one of: a, b`. */
function factsOf(schema: ConfigSchema): string {
  const { unit, minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  const facts: string[] = [];
  const bounds = (low: number | undefined, high: number | undefined, what: string): void => {
    if (low !== undefined && high !== undefined) facts.push(`${low} … ${high}${what}`);
    else if (low !== undefined) facts.push(`at least ${low}${what}`);
    else if (high !== undefined) facts.push(`at most ${high}${what}`);
  };
  if (unit !== undefined) facts.push(`unit: ${unit}`);
  bounds(minimum, maximum, '');
  bounds(minLength, maxLength, ' characters');
  bounds(minItems, maxItems, ' entries');
  if (pattern !== undefined) facts.push(`matches ${pattern}`);
  if (schema.enum !== undefined) facts.push(`one of: ${schema.enum.join(', ')}`);
  return facts.join('; ');
}

/** Columns of a comment line, the `# ` included. */
const COMMENT_WIDTH = 100;

function comment(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > COMMENT_WIDTH && line !== '#') {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  lines.push(line);
  return lines;
}
