/** Facts of a log line: names and values that a machine can filter on. Never secrets or raw bytes. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes what a node does for its operator.
 *
 * `error`: a person must act; `warn`: it may come to that; `info`: rare, state of the node;
 * `debug`: the rest. The message is constant and lower case; what varies goes into the fields.
 */
export interface Logger {
  error(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** A logger that keeps nothing: for libraries whose caller wants silence. */
export function silentLogger(): Logger {
  const logger: Logger = {
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
    child: () => logger,
  };
  return logger;
}
