import { parseArgs } from 'node:util';
import { runService } from '@cairn/node-runtime/lifecycle';
import { createLogger } from '@cairn/node-runtime/observe';
import { describeError, isFault, type Json, stringifyJson } from '@cairn/primitives';
import { adjustableLogger } from './adjustable-logger.ts';
import { loadStorageNodeConfig, type StorageNodeConfig } from './config.ts';
import { type StartedRole, startRoles } from './roles.ts';
import { VERSION } from './version.ts';

/** Exit code for a command line or a configuration that cannot be used. */
const EXIT_USAGE = 2;

const USAGE = 'usage: main.js --config FILE\n';

/**
 * Runs a node until it is told to stop: `--config FILE`, then the roles that the file names. Once
 * it is up, the end of the node is the end of the process.
 *
 * Standard output gets one line once all roles take requests, `{"event":"ready", …}`; logs go to
 * standard error. What keeps the node from starting is told there in one sentence, with its code.
 * Exit codes: 0 after a stop, 1 for a failure, 2 for wrong arguments or configuration, 130 for a
 * second signal.
 *
 * @param env - where `CAIRN_SECTION__KEY` settings come from
 * @returns the exit code
 */
export async function runProcess(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const config = await configOf(args, env);
  if (config === undefined) return EXIT_USAGE;
  const inner = createLogger({
    level: 'debug',
    pretty: config.log.pretty,
    destination: 'stderr',
  });
  const log = adjustableLogger(inner, config.log.level);
  await runService(
    async (service) => {
      try {
        const shutdown = (): void => void process.kill(process.pid, 'SIGTERM');
        const roles = await startRoles({ config, log, service, shutdown });
        process.stdout.write(`${stringifyJson(readyLine(roles))}\n`);
      } catch (error) {
        if (!service.signal.aborted) tell(error);
        throw error;
      }
      return { stop: async () => undefined };
    },
    { logger: log.logger, drainMs: config.limits.drainMs + 10_000 },
  );
  return 0;
}

async function configOf(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<StorageNodeConfig | undefined> {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } });
    if (values.config === undefined) {
      process.stderr.write(USAGE);
      return undefined;
    }
    return await loadStorageNodeConfig({ file: values.config, env });
  } catch (error) {
    tell(error);
    return undefined;
  }
}

/** What scripts wait for: where each role listens. */
function readyLine(roles: readonly StartedRole[]): Json {
  const storage = roles.find(({ role }) => role === 'storage');
  const indexer = roles.find(({ role }) => role === 'indexer');
  return {
    event: 'ready',
    version: VERSION,
    pid: process.pid,
    http: (storage ?? indexer)?.url,
    ...(storage?.storage?.address.adminSocket === undefined
      ? {}
      : { admin: storage.storage.address.adminSocket }),
    ...(indexer === undefined ? {} : { indexer: indexer.url }),
  };
}

function tell(error: unknown): void {
  const code = isFault(error) ? `${error.code}: ` : '';
  process.stderr.write(`cairn storage node: ${code}${describeError(error)}\n`);
}
