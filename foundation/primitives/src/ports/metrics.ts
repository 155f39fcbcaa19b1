/** A number that only grows. */
export interface Counter {
  add(amount?: number, labels?: Readonly<Record<string, string>>): void;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Readonly<Record<string, string>>): void;
}

/** A spread of observations, in seconds or bytes. */
export interface Histogram {
  observe(value: number, labels?: Readonly<Record<string, string>>): void;
}

/** What a measure is called: `cairn_<area>_<what>_<unit>[_total]`, base units, few labels. */
export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  /** At most ten values a label; never a root, a peer or an address. */
  readonly labels?: readonly string[];
}

/** Where a package registers its measures, once, in its `metrics.ts`. */
export interface Metrics {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec): Gauge;
  histogram(spec: MetricSpec & { readonly buckets: readonly number[] }): Histogram;
}

/** Measures that go nowhere: for libraries and tests that do not look. */
export function noMetrics(): Metrics {
  return {
    counter: () => ({ add: () => undefined }),
    gauge: () => ({ set: () => undefined }),
    histogram: () => ({ observe: () => undefined }),
  };
}

/**
 * A view of `metrics` whose measures carry `labels` besides their own, so that several of a kind in one
 * process share their names. Everybody who registers one of these names has to carry labels of the same names.
 */
export function labelledMetrics(
  metrics: Metrics,
  labels: Readonly<Record<string, string>>,
): Metrics {
  const named = <Spec extends MetricSpec>(spec: Spec): Spec => ({
    ...spec,
    labels: [...(spec.labels ?? []), ...Object.keys(labels)],
  });
  return {
    counter: (spec) => {
      const counter = metrics.counter(named(spec));
      return { add: (amount, own) => counter.add(amount, { ...own, ...labels }) };
    },
    gauge: (spec) => {
      const gauge = metrics.gauge(named(spec));
      return { set: (value, own) => gauge.set(value, { ...own, ...labels }) };
    },
    histogram: (spec) => {
      const histogram = metrics.histogram(named(spec));
      return { observe: (value, own) => histogram.observe(value, { ...own, ...labels }) };
    },
  };
}
