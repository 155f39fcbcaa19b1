import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DevnetError, devnetPaths } from '@cairn/devnet';
import { systemClock } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { devnetDirectory } from '../network-options.ts';
import { writeJson } from '../output.ts';

/** What `cairn devnet logs` takes. */
export interface DevnetLogsOptions {
  readonly dir?: string;
  readonly follow?: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

/** The part at the end of a log that is searched for its last lines. */
const TAIL_BYTES = 1_048_576;
const LOOK_EVERY_MS = 250;

/** Prints the last lines of the services' logs, and with `--follow` what comes after. */
export async function devnetLogs(
  service: string | undefined,
  options: DevnetLogsOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const directory = devnetDirectory(options, io);
  const paths = await logPaths(devnetPaths(directory).logs, directory, service);
  const follower = new LogFollower(io, {
    isJson: options.json === true,
    isNamed: paths.length > 1,
  });
  for (const path of paths) await follower.printTail(path, options.lines);
  const clock = systemClock();
  while (options.follow === true && !signal.aborted) {
    // Files offer no other way to learn that they grew that works on every system.
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    for (const path of paths) await follower.printNew(path);
  }
  return EXIT.ok;
}

async function logPaths(
  logs: string,
  directory: string,
  service: string | undefined,
): Promise<readonly string[]> {
  const names = await readdir(logs).catch(() => []);
  const known = names.filter((name) => name.endsWith('.log')).sort();
  if (known.length === 0) {
    throw new DevnetError(
      { code: 'DEVNET_NOT_RUNNING', directory },
      `there are no logs in ${directory}: no devnet runs there, or it was stopped in good order`,
    );
  }
  if (service === undefined) return known.map((name) => join(logs, name));
  if (!known.includes(`${service}.log`)) {
    const services = known.map((name) => basename(name, '.log'));
    throw new DevnetError(
      { code: 'SERVICE_UNKNOWN', name: service, known: services },
      `there is no log of "${service}", only of ${services.join(', ')}`,
    );
  }
  return [join(logs, `${service}.log`)];
}

class LogFollower {
  readonly #io: CommandIo;
  readonly #options: { readonly isJson: boolean; readonly isNamed: boolean };
  /** Up to where each log was printed. */
  readonly #printed = new Map<string, number>();

  constructor(io: CommandIo, options: { readonly isJson: boolean; readonly isNamed: boolean }) {
    this.#io = io;
    this.#options = options;
  }

  async printTail(path: string, lines: number): Promise<void> {
    const { size } = await stat(path);
    const text = await readPart(path, Math.max(0, size - TAIL_BYTES), size);
    this.#printed.set(path, size);
    const all = text.split('\n').filter((line) => line !== '');
    await this.#print(path, lines === 0 ? [] : all.slice(-lines));
  }

  async printNew(path: string): Promise<void> {
    const from = this.#printed.get(path) ?? 0;
    const size = (await stat(path).catch(() => undefined))?.size ?? from; // removed: the devnet stopped
    if (size <= from) return;
    const text = await readPart(path, from, Math.min(size, from + TAIL_BYTES));
    const whole = text.lastIndexOf('\n') + 1; // a line half written is printed when it is whole
    this.#printed.set(path, from + Buffer.byteLength(text.slice(0, whole)));
    await this.#print(path, text.slice(0, whole).split('\n').slice(0, -1));
  }

  async #print(path: string, lines: readonly string[]): Promise<void> {
    const service = basename(path, '.log');
    for (const line of lines) {
      if (this.#options.isJson) await writeJson(this.#io, { service, line });
      else await this.#io.writeOut(`${this.#options.isNamed ? `${service}: ` : ''}${line}\n`);
    }
  }
}

async function readPart(path: string, from: number, to: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
