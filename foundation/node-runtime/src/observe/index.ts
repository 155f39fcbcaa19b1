/** What a node tells its operator: log lines, measures and how late its event loop runs. */
export { createLogger, type LoggerOptions, type LogLevel } from './create-logger.ts';
export { createMetrics, type MetricsRegistry } from './create-metrics.ts';
export { type EventLoopWatch, watchEventLoop } from './event-loop-watch.ts';
