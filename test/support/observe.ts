import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '@cairn/primitives';
import { repositoryRoot } from '../architecture/house.ts';

/** Where alerts and the dashboard lie. */
export const OBSERVE: string = join(repositoryRoot, 'deploy', 'observe');

/** An expression of a rule or a panel, and where it stands. */
export interface Expression {
  readonly where: string;
  readonly text: string;
}

/** Every expression of the dashboard, with the dashboard's variables replaced by values. */
export function dashboardExpressions(): readonly Expression[] {
  const dashboard: unknown = JSON.parse(readFileSync(join(OBSERVE, 'grafana-cairn.json'), 'utf8'));
  const panels =
    isRecord(dashboard) && Array.isArray(dashboard['panels']) ? dashboard['panels'] : [];
  const found: Expression[] = [];
  for (const panel of panels) {
    if (!isRecord(panel) || !Array.isArray(panel['targets'])) continue;
    for (const target of panel['targets']) {
      if (!isRecord(target)) continue;
      const text = String(target['expr'])
        .replaceAll('$__rate_interval', '5m')
        .replaceAll('$instance', '.*');
      found.push({ where: `panel "${String(panel['title'])}"`, text });
    }
  }
  return found;
}

/** Every expression of the alerts. */
export function alertExpressions(): readonly Expression[] {
  const found: Expression[] = [];
  const text = readFileSync(join(OBSERVE, 'alerts.yml'), 'utf8');
  for (const rule of text.split('- alert: ').slice(1)) {
    const [name = ''] = rule.split('\n');
    const [, body = ''] = /expr: *\|?([\s\S]*?)\n {8}(?:for|labels):/.exec(rule) ?? [];
    found.push({ where: `alert ${name}`, text: body.trim() });
  }
  return found;
}

/** A measure that an expression names, with the labels that it matches or groups by. */
export interface NamedMeasure {
  readonly where: string;
  readonly name: string;
  readonly labels: readonly string[];
}

const MEASURE = /\b((?:cairn|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g;

/** Measures that expressions name. */
export function measuresIn(expressions: readonly Expression[]): readonly NamedMeasure[] {
  return expressions.flatMap(({ where, text }) =>
    [...text.matchAll(MEASURE)].map(([, name = '', matchers = '']) => ({
      where,
      name,
      labels: [...matchers.matchAll(/(\w+) *(?:=|!)/g)].map(([, label = '']) => label),
    })),
  );
}

/** What Prometheus adds to everything it takes. */
const ADDED_LABELS = new Set(['job', 'instance']);

/** What pages of measures lack of what is named, in sentences. */
export function missingFrom(
  pages: readonly string[],
  named: readonly NamedMeasure[],
): readonly string[] {
  const text = pages.join('\n');
  const missing: string[] = [];
  for (const { where, name, labels } of named) {
    const base = name.replace(/_(?:bucket|count|sum)$/, '');
    if (!new RegExp(`^# TYPE (?:${name}|${base}) `, 'm').test(text)) {
      missing.push(`${where}: no node prints ${name}`);
      continue;
    }
    const samples = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? `, 'gm'))];
    for (const label of labels) {
      if (ADDED_LABELS.has(label) || samples.length === 0) continue;
      const isThere = samples.some(([, given = '']) => new RegExp(`\\b${label}="`).test(given));
      if (!isThere) missing.push(`${where}: ${name} has no label ${label}`);
    }
  }
  return missing;
}
