import { parseArgs } from 'node:util';
import { runService, type ServiceProcess } from '@cairn/node-runtime/lifecycle';
import { createLogger } from '@cairn/node-runtime/observe';
import { abortable, describeError, isFault, stringifyJson } from '@cairn/primitives';
import { type KvNodeConfig, loadKvNodeConfig } from './config.ts';
import { createKvNode } from './create-kv-node.ts';
import { VERSION } from './version.ts';

/** Exit code for a command line or a configuration that cannot be used. */
const EXIT_USAGE = 2;
/** Beyond the listener's own time to drain. */
const STOP_MARGIN_MS = 10_000;

const USAGE = 'usage: main.js --config FILE\n';

/** The process that a node runs in; tests put their own here. */
export interface NodeProcess extends ServiceProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a key-value node until it is told to stop: `--config FILE`. Once it is up, the end of the
 * node is the end of the process.
 *
 * Standard output gets one line once requests are taken, `{"event":"ready", …}`; logs go to standard
 * error. Exit codes: 0 after a stop, 1 for a failure, 2 for wrong arguments or configuration, 130
 * for a second signal.
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
    async (service) => {
      const node = createKvNode({ config, logger });
      try {
        service.opened('key-value node', () => node.stop());
        await node.start({ signal: service.signal });
      } catch (error) {
        if (!service.signal.aborted) tell(error, host);
        throw error;
      }
      service.runner.run('key-value node', (signal) => abortable(node.failed, signal));
      const ready = { event: 'ready', version: VERSION, pid: process.pid, http: node.url };
      host.stdout.write(`${stringifyJson(ready)}\n`);
      return { stop: async () => undefined };
    },
    { logger, drainMs: config.limits.drainMs + STOP_MARGIN_MS, process: host },
  );
  return 0;
}

async function configOf(
  args: readonly string[],
  host: NodeProcess,
): Promise<KvNodeConfig | undefined> {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string' } } });
    if (values.config === undefined) {
      host.stderr.write(USAGE);
      return undefined;
    }
    return await loadKvNodeConfig({ file: values.config, env: host.env });
  } catch (error) {
    tell(error, host);
    return undefined;
  }
}

function tell(error: unknown, { stderr }: Pick<NodeProcess, 'stderr'>): void {
  const code = isFault(error) ? `${error.code}: ` : '';
  stderr.write(`cairn key-value node: ${code}${describeError(error)}\n`);
}
