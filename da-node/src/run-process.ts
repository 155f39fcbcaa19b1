import { parseArgs } from 'node:util';
import { runService, type ServiceProcess } from '@cairn/node-runtime/lifecycle';
import { createLogger } from '@cairn/node-runtime/observe';
import { describeError, isFault, type Json, stringifyJson } from '@cairn/primitives';
import { type DaNodeConfig, loadDaNodeConfig } from './config.ts';
import { type NodeParts, openParts } from './node-parts.ts';
import { type StartedRole, startRoles } from './roles.ts';
import { VERSION } from './version.ts';

/** Exit code for a command line or a configuration that cannot be used. */
const EXIT_USAGE = 2;

const USAGE = 'usage: main.js --config FILE\n';
/** Time beside `limits.drain_ms` in which loops end and stores close. */
const CLOSING_MS = 10_000;

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
  const { level, pretty } = config.log;
  const logger = createLogger({ level, pretty, destination: 'stderr' });
  await runService(
    async ({ signal, runner, opened }) => {
      try {
        const parts = await openParts({ config, logger, runner, opened }, { signal });
        const roles = await startRoles(parts, { signal });
        host.stdout.write(`${stringifyJson(readyLine(parts, roles))}\n`);
        return {
          // Doors first, so that nothing new begins while the loops end.
          stop: async () => {
            const doors = roles.flatMap((role) => [role.host, ...Object.values(role.doors ?? {})]);
            await Promise.all(doors.map((door) => door.stop()));
          },
        };
      } catch (error) {
        if (!signal.aborted) tell(error, host);
        throw error;
      }
    },
    { logger, drainMs: config.limits.drainMs + CLOSING_MS, process: host },
  );
  return 0;
}

async function configOf(
  args: readonly string[],
  host: NodeProcess,
): Promise<DaNodeConfig | undefined> {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } });
    if (values.config === undefined) {
      host.stderr.write(USAGE);
      return undefined;
    }
    return await loadDaNodeConfig({ file: values.config, env: host.env });
  } catch (error) {
    tell(error, host);
    return undefined;
  }
}

/** What scripts wait for: whose node it is and where each role listens. */
function readyLine({ account }: NodeParts, roles: readonly StartedRole[]): Json {
  return {
    event: 'ready',
    version: VERSION,
    pid: process.pid,
    account: account.address,
    ...Object.fromEntries(roles.map(({ role, host }) => [role, host.address.url])),
    ...Object.fromEntries(
      roles.flatMap(({ doors = {} }) =>
        Object.entries(doors).map(([name, { address }]) => [name, address]),
      ),
    ),
  };
}

function tell(error: unknown, { stderr }: Pick<NodeProcess, 'stderr'>): void {
  const code = isFault(error) ? `${error.code}: ` : '';
  stderr.write(`cairn da node: ${code}${describeError(error)}\n`);
}
