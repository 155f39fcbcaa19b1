import type { LogLevel } from '@cairn/node-runtime/observe';
import type { LogFields, Logger } from '@cairn/primitives';

const IMPORTANCE: Readonly<Record<LogLevel, number>> = {
  silent: 0,
  error: 1,
  warn: 2,
  info: 3,
  debug: 4,
};

/** A logger whose level can change while the node runs. */
export interface AdjustableLogger {
  readonly logger: Logger;
  /** The least important line that is written now. */
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
}

/** Puts an adjustable threshold, for all children too, before a logger that writes everything. */
export function adjustableLogger(inner: Logger, initial: LogLevel): AdjustableLogger {
  let level = initial;
  const wrap = (logger: Logger): Logger => {
    const at =
      (own: Exclude<LogLevel, 'silent'>) =>
      (fields: LogFields, message: string): void => {
        if (IMPORTANCE[own] <= IMPORTANCE[level]) logger[own](fields, message);
      };
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      child: (fields) => wrap(logger.child(fields)),
    };
  };
  return {
    logger: wrap(inner),
    get level() {
      return level;
    },
    setLevel: (next) => {
      level = next;
    },
  };
}

/** Whether `text` names a level. */
export function isLogLevel(text: unknown): text is LogLevel {
  return typeof text === 'string' && Object.hasOwn(IMPORTANCE, text);
}
