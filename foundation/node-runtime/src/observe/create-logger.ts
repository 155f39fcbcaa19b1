import type { Logger } from '@cairn/primitives';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { RepeatFilter } from './repeat-filter.ts';

/** The least important line that is written. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** How and where a program logs. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** Lines for people instead of JSON: time, level, sentence, fields. */
  readonly pretty?: boolean;
  /** `stdout` unless told; or anything that takes lines. */
  readonly destination?: 'stdout' | 'stderr' | { write(line: string): unknown };
  /**
   * The same sentence more often than this within ten seconds, from the logger and its children
   * together, is left out and counted in a field `repeated` of the next one written. 20 unless told;
   * 0 writes everything.
   */
  readonly maxRepeats?: number;
}

/** Field names whose values are never written, at the top of the fields or one level down. */
const SECRET_FIELDS = [
  'key',
  'keys',
  'secret',
  'password',
  'passphrase',
  'privateKey',
  'private_key',
  'mnemonic',
  'seed',
  'token',
  'authorization',
  'cookie',
];

/**
 * A logger that writes one JSON object a line.
 *
 * Values under `key`, `secret`, `password`, `privateKey`, `token` and their like become
 * `[redacted]`; errors under `error` are written with their code, facts and causes.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, pretty = false, destination = 'stdout', maxRepeats = 20 } = options;
  const sink: DestinationStream =
    typeof destination === 'string'
      ? pino.destination({ dest: destination === 'stdout' ? 1 : 2, sync: true })
      : { write: (line) => void destination.write(line) };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      redact: {
        paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map((name) => `*.${name}`)],
        censor: '[redacted]',
      },
      serializers: { error: describeForLog },
    },
    pretty ? { write: (line) => sink.write(prettyLine(line)) } : sink,
  );
  return wrap(logger, new RepeatFilter(maxRepeats));
}

function wrap(logger: PinoLogger, repeats: RepeatFilter): Logger {
  const writer =
    (level: 'error' | 'warn' | 'info' | 'debug'): Logger['info'] =>
    (fields, message) => {
      if (!logger.isLevelEnabled(level)) return;
      const repeated = repeats.admit(message);
      if (repeated === undefined) return;
      logger[level](repeated === 0 ? fields : { ...fields, repeated }, message);
    };
  return {
    error: writer('error'),
    warn: writer('warn'),
    info: writer('info'),
    debug: writer('debug'),
    child: (fields) => wrap(logger.child(fields), repeats),
  };
}

/** An error as plain values, with its causes, at most four deep. Stacks only where nothing named it. */
function describeForLog(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const facts: unknown = 'facts' in error ? error.facts : undefined;
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    ...(facts === undefined ? { code, stack: error.stack } : { facts }),
    ...(error.cause === undefined || depth >= 3
      ? {}
      : { cause: describeForLog(error.cause, depth + 1) }),
  };
}

/** `12:04:09.120 warn  sentence  name=value …` from a JSON line. */
function prettyLine(line: string): string {
  const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const shown = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  const clock = String(time).slice(11, 23);
  return `${[clock, String(level).padEnd(5), message, ...shown].join(' ')}\n`;
}
