import { parseArgs } from 'node:util';
import { runService, type ServiceProcess } from '@cairn/node-runtime/lifecycle';
import { createLogger } from '@cairn/node-runtime/observe';
import { describeError, isFault, type Json, stringifyJson } from '@cairn/primitives';
import { adjustableLogger } from './adjustable-logger.ts';
import { loadStorageNodeConfig, type StorageNodeConfig } from './config.ts';
import { type StartedRole, startRoles } from './roles.ts';
import { VERSION } from './version.ts';

/** Exit code for a command line or a configuration that cannot be used. */
const EXIT_USAGE = 2;

const USAGE = 'usage: main.js --config FILE\n';

/** The process that a node runs in; tests put their own here. */
export interface NodeProcess extends ServiceProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a node until it is told to stop: `--config FILE`, then the roles that the file names. Once
 * it is up, the end of the node is the end of the process.
 *
 * Standard output gets one line once all roles take requests, `{"event":"ready", …}`; logs go to
 * standard error. What keeps the node from starting is told there in one sentence, with its code.
 * Exit codes: 0 after a stop, 1 for a failure, 2 for wrong arguments or configuration, 130 for a
 * second signal.
 *
 * @param host - settings come from its environment too, as `CAIRN_SECTION__KEY`
 * @returns the exit code
 */
export async function runProcess(args: readonly string[], host: NodeProcess): Promise<number> {
  const config = await configOf(args, host);
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
        host.stdout.write(`${stringifyJson(readyLine(roles))}\n`);
      } catch (error) {
        if (!service.signal.aborted) tell(error, host);
        throw error;
      }
      return { stop: async () => undefined };
    },
    { logger: log.logger, drainMs: config.limits.drainMs + 10_000, process: host },
  );
  return 0;
}

async function configOf(
  args: readonly string[],
  host: NodeProcess,
): Promise<StorageNodeConfig | undefined> {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } });
    if (values.config === undefined) {
      host.stderr.write(USAGE);
      return undefined;
    }
    return await loadStorageNodeConfig({ file: values.config, env: host.env });
  } catch (error) {
    tell(error, host);
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

function tell(error: unknown, { stderr }: Pick<NodeProcess, 'stderr'>): void {
  const code = isFault(error) ? `${error.code}: ` : '';
  stderr.write(`cairn storage node: ${code}${describeError(error)}\n`);
}
