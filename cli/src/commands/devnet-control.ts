import {
  type DevnetStatus,
  resetDevnet,
  devnetStatus as statusOf,
  stopDevnet,
} from '@cairn/devnet/control';
import { formatEndpoints } from '@cairn/wire-protocol';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { devnetDirectory } from '../network-options.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** What the commands that look after a devnet take. */
export interface DevnetControlOptions {
  readonly dir?: string;
  readonly json?: boolean;
}

/** Stops the devnet of a directory, wherever it was started. */
export async function devnetDown(
  options: DevnetControlOptions,
  { io }: CommandContext,
): Promise<number> {
  const directory = devnetDirectory(options, io);
  const wasRunning = await stopDevnet(directory);
  if (options.json === true) await writeJson(io, { directory, stopped: wasRunning });
  else io.writeErr(wasRunning ? `stopped ${directory}\n` : `nothing runs in ${directory}\n`);
  return EXIT.ok;
}

/** Stops the devnet of a directory and removes what it kept. */
export async function devnetReset(
  options: DevnetControlOptions,
  { io }: CommandContext,
): Promise<number> {
  const directory = devnetDirectory(options, io);
  const wasRunning = await resetDevnet(directory);
  if (options.json === true) await writeJson(io, { directory, stopped: wasRunning });
  else io.writeErr(`${wasRunning ? 'stopped and removed' : 'removed'} what was in ${directory}\n`);
  return EXIT.ok;
}

/** Says what runs in a devnet directory. Exit code 3 if nothing does. */
export async function devnetStatus(
  options: DevnetControlOptions,
  { io }: CommandContext,
): Promise<number> {
  const directory = devnetDirectory(options, io);
  const status = await statusOf(directory);
  if (options.json === true) await printJson(status, io);
  else if (status.state === 'stopped') {
    io.writeErr(`nothing runs in ${directory}; start it with: cairn devnet up\n`);
  } else {
    await writeLine(
      io,
      formatTable(
        ['SERVICE', 'STATE', 'PID', 'WHERE'],
        status.processes.map(({ name, state, pid, url }) => [name, state, pid, url]),
      ),
    );
    io.writeErr(`${status.state} in ${directory}, owned by process ${status.pid}\n`);
  }
  if (status.state === 'stopped') return EXIT.notFound;
  return status.processes.every(({ state }) => state === 'running') ? EXIT.ok : EXIT.failure;
}

function printJson(
  { directory, state, pid, processes, endpoints }: DevnetStatus,
  io: CommandContext['io'],
): Promise<void> {
  const shape = {
    directory,
    state,
    ...(pid === undefined ? {} : { pid }),
    processes,
    ...(endpoints === undefined ? {} : { endpoints: JSON.parse(formatEndpoints(endpoints)) }),
  };
  return io.writeOut(`${JSON.stringify(shape)}\n`);
}
