import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DevnetError, devnetPaths } from '@cairn/devnet/control';
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
/** `\n` */
const LINE_END = 0x0a;

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

/** Up to where a log was printed. */
interface Printed {
  /** Which file had the log's name. */
  readonly inode: number;
  readonly offset: number;
}

class LogFollower {
  readonly #io: CommandIo;
  readonly #options: { readonly isJson: boolean; readonly isNamed: boolean };
  readonly #printed = new Map<string, Printed>();

  constructor(io: CommandIo, options: { readonly isJson: boolean; readonly isNamed: boolean }) {
    this.#io = io;
    this.#options = options;
  }

  async printTail(path: string, lines: number): Promise<void> {
    const { size, ino: inode } = await stat(path);
    const bytes = await readPart(path, Math.max(0, size - TAIL_BYTES), size);
    this.#printed.set(path, { inode, offset: size });
    const all = bytes
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    await this.#print(path, lines === 0 ? [] : all.slice(-lines));
  }

  async printNew(path: string): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return; // removed: the devnet stopped
    const { size, ino: inode } = found;
    const printed = this.#printed.get(path);
    // Another file, or a shorter one: the devnet was started anew.
    const from = printed?.inode === inode && printed.offset <= size ? printed.offset : 0;
    if (size === from) return;
    const bytes = await readPart(path, from, Math.min(size, from + TAIL_BYTES));
    // A line half written is printed when it is whole, one that is longer than this in parts.
    const length = bytes.lastIndexOf(LINE_END) + 1 || (bytes.length < TAIL_BYTES ? 0 : TAIL_BYTES);
    this.#printed.set(path, { inode, offset: from + length });
    if (length === 0) return;
    const text = bytes.toString('utf8', 0, length);
    await this.#print(path, text.replace(/\n$/, '').split('\n'));
  }

  async #print(path: string, lines: readonly string[]): Promise<void> {
    const service = basename(path, '.log');
    for (const line of lines) {
      if (this.#options.isJson) await writeJson(this.#io, { service, line });
      else await this.#io.writeOut(`${this.#options.isNamed ? `${service}: ` : ''}${line}\n`);
    }
  }
}

async function readPart(path: string, from: number, to: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
