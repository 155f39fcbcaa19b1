import type { MetricSpec, Metrics } from '@cairn/primitives';
import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

/** A registry of measures and its text form. */
export interface MetricsRegistry {
  readonly metrics: Metrics;
  /** Everything measured, in the Prometheus text format. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Gauges of the library whose names end in `_total`, which only counters may. */
const MISNAMED = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/**
 * Measures with a registry of their own, so that several nodes can live in one process.
 *
 * Asking again for a name gives the measure made before.
 *
 * @param processMetrics - whether CPU, memory and event loop are measured too; yes unless told
 */
export function createMetrics({
  processMetrics = true,
}: {
  readonly processMetrics?: boolean;
} = {}): MetricsRegistry {
  const registry = new Registry();
  if (processMetrics) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  const metrics: Metrics = {
    counter: (spec) => {
      const counter = existing(registry, spec, PromCounter) ?? new PromCounter(settings(spec));
      return { add: (amount = 1, labels = {}) => counter.inc(labels, amount) };
    },
    gauge: (spec) => {
      const gauge = existing(registry, spec, PromGauge) ?? new PromGauge(settings(spec));
      return { set: (value, labels = {}) => gauge.set(labels, value) };
    },
    histogram: (spec) => {
      const histogram =
        existing(registry, spec, PromHistogram) ??
        new PromHistogram({ ...settings(spec), buckets: [...spec.buckets] });
      return { observe: (value, labels = {}) => histogram.observe(labels, value) };
    },
  };
  const settings = ({ name, help, labels = [] }: MetricSpec): MetricSettings => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    metrics,
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

interface MetricSettings {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

function existing<Metric>(
  registry: Registry,
  { name }: MetricSpec,
  kind: new (...args: never[]) => Metric,
): Metric | undefined {
  const found = registry.getSingleMetric(name);
  if (found === undefined) return undefined;
  if (found instanceof kind) return found;
  throw new Error(`the measure ${name} exists already as another kind`);
}
