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
