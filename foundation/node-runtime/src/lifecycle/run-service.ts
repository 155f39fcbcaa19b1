import { type Clock, describeError, type Logger, systemClock } from '@cairn/primitives';
import { growHeapFreely } from './grow-heap.ts';
import { Runner } from './runner.ts';

/** What a service's start is given. */
export interface ServiceContext {
  /** Aborts when the service is asked to stop, during its start too. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Where background loops go: they are stopped before the parts, newest first, are closed. */
  readonly runner: Runner;
  /** Notes something opened, so that it is closed if a later step of the start fails. */
  opened(name: string, close: () => Promise<void>): void;
}

/** A service that is up. */
export interface RunningService {
  /** Called first when the service stops; parts noted by `opened` follow, newest first. */
  stop(): Promise<void>;
}

/** How a service is run. */
export interface ServiceOptions {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Time to stop in before the process ends anyway; 30,000 ms unless told. */
  readonly drainMs?: number;
  /** The process; tests put their own here. */
  readonly process?: ServiceProcess;
}

/** What of a process a service uses. */
export interface ServiceProcess {
  on(event: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void): unknown;
  on(
    event: 'unhandledRejection' | 'uncaughtException',
    listener: (error: unknown) => void,
  ): unknown;
  off(event: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void): unknown;
  off(
    event: 'unhandledRejection' | 'uncaughtException',
    listener: (error: unknown) => void,
  ): unknown;
  exit(code: number): unknown;
}

const EXIT_FAILED = 1;
const EXIT_INTERRUPTED = 130;

/**
 * Runs a service until it is told to stop, then ends the process.
 *
 * SIGTERM, SIGINT and SIGHUP begin a stop of at most `drainMs` and exit 0; a second signal exits
 * 130 at once, but for SIGHUP, which a closed terminal sends more than once. A start that fails, a fatal loop, an exception or a rejection nobody handled is logged,
 * closes what was opened and exits 1.
 */
export async function runService(
  start: (context: ServiceContext) => Promise<RunningService>,
  options: ServiceOptions,
): Promise<void> {
  const { logger, clock = systemClock(), drainMs = 30_000 } = options;
  const host = options.process ?? nodeProcess();
  if (host === process) growHeapFreely(); // the process is the service's own
  const stopping = new AbortController();
  const runner = new Runner({ clock, logger });
  const parts: Part[] = [];
  let exitCode = 0;

  const requestStop = (): void => {
    if (stopping.signal.aborted) {
      host.exit(EXIT_INTERRUPTED);
      return;
    }
    logger.info({}, 'stopping');
    stopping.abort(new Error('the service was asked to stop'));
  };
  const onHangup = (): void => {
    if (!stopping.signal.aborted) requestStop();
  };
  const onBug = (error: unknown): void => {
    logger.error({ error }, 'an error was not handled');
    exitCode = EXIT_FAILED;
    if (!stopping.signal.aborted) stopping.abort(error);
  };
  host.on('SIGTERM', requestStop);
  host.on('SIGINT', requestStop);
  host.on('SIGHUP', onHangup);
  host.on('unhandledRejection', onBug);
  host.on('uncaughtException', onBug);
  runner.failed.catch(onBug);

  const live = async (): Promise<true> => {
    try {
      const service = await start({
        signal: stopping.signal,
        logger,
        runner,
        opened: (name, close) => parts.push({ name, close }),
      });
      parts.push({ name: 'service', close: () => service.stop() });
      await aborted(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) {
        logger.error({ error }, 'the service did not start');
        exitCode = EXIT_FAILED;
        stopping.abort(error);
      }
    }
    await closeAll(runner, parts, logger);
    return true;
  };
  const finished = new AbortController();
  const deadline = aborted(stopping.signal)
    .then(() => clock.sleep(drainMs, finished.signal))
    .then(
      () => false,
      () => true,
    );
  const inTime = await Promise.race([live(), deadline]);
  finished.abort();
  if (!inTime) {
    logger.error({ drainMs }, 'the service did not stop in time');
    exitCode = EXIT_FAILED;
  }
  host.off('SIGTERM', requestStop);
  host.off('SIGINT', requestStop);
  host.off('SIGHUP', onHangup);
  host.off('unhandledRejection', onBug);
  host.off('uncaughtException', onBug);
  host.exit(exitCode);
}

interface Part {
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** Closes the service, the loops, then the parts newest first. A failure does not keep the others open. */
async function closeAll(runner: Runner, parts: readonly Part[], logger: Logger): Promise<void> {
  const loops: Part = { name: 'loops', close: () => runner.stop() };
  const [service, rest] =
    parts.at(-1)?.name === 'service' ? [parts.slice(-1), parts.slice(0, -1)] : [[], parts];
  for (const { name, close } of [...service, loops, ...[...rest].reverse()]) {
    try {
      await close();
    } catch (error) {
      logger.warn({ part: name, reason: describeError(error) }, 'a part did not close');
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function nodeProcess(): ServiceProcess {
  return process;
}
