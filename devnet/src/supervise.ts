import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@cairn/primitives';
import { STOP_GRACE_MS } from './end-processes.ts';
import { DevnetError } from './errors.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';
import { programPath } from './program-path.ts';

/** A program to run. */
export interface ProcessPlan {
  /** Names its log, `<name>.log`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs. */
export interface ManagedProcess {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly logPath: string;
  /** How it ended, such as `exit code 1` or `signal SIGKILL`, once it has. */
  readonly ended: Promise<string>;
  /** Whether it has not ended yet. */
  isRunning(): boolean;
  /** SIGTERM, then SIGKILL after the grace; resolves when the process is gone. */
  stop(): Promise<void>;
  /** Sends a signal and returns; for faults that tests make. */
  signal(signal: NodeJS.Signals): void;
}

/**
 * Runs the processes of a devnet: starts them, keeps their output in files, stops them in reverse,
 * and sees to it that a guardian ends them when this process dies without doing so.
 *
 * Every child leads a process group of its own, so that Ctrl-C in a terminal reaches this process
 * alone and the order of stopping stays ours.
 */
export class Supervisor {
  readonly #logDirectory: string;
  readonly #clock: Clock;
  readonly #running: ManagedProcess[] = [];
  #guardian: ChildProcess | undefined;

  constructor({ clock }: { readonly clock: Clock }, { logDirectory }: { logDirectory: string }) {
    this.#clock = clock;
    this.#logDirectory = logDirectory;
  }

  /**
   * Starts the guardian, which removes `leftovers` in this order if this process dies.
   *
   * @returns who the guardian is
   * @throws what the system throws when it cannot start a process
   */
  async start(leftovers: readonly string[]): Promise<ProcessIdentity> {
    await mkdir(this.#logDirectory, { recursive: true });
    const program = programPath('guardian');
    this.#guardian = spawn(process.execPath, [...process.execArgv, program], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    await spawned(this.#guardian, 'guardian');
    this.#guardian.stdin?.on('error', () => undefined); // it died; nothing is lost but the guard
    this.#tellGuardian(leftovers.map((path) => `remove ${path}`));
    const { pid = 0 } = this.#guardian;
    return identityOf(pid) ?? { pid, startedAt: 'ended at once' };
  }

  /** Starts a program. @throws what the system throws when it cannot */
  async run({ name, command, args, env }: ProcessPlan): Promise<ManagedProcess> {
    const logPath = join(this.#logDirectory, `${name}.log`);
    const log = openSync(logPath, 'a');
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        stdio: ['ignore', log, log],
        detached: true,
        env: { ...ownEnvironment(), ...env },
      });
    } finally {
      closeSync(log);
    }
    const identity = child.pid === undefined ? undefined : identityOf(child.pid);
    if (identity !== undefined) {
      this.#tellGuardian([`watch ${identity.pid} ${identity.startedAt}`]);
    }
    await spawned(child, name);
    const managed = manage(child, {
      name,
      logPath,
      identity: identity ?? { pid: child.pid ?? 0, startedAt: 'ended at once' },
      clock: this.#clock,
    });
    this.#running.push(managed);
    return managed;
  }

  /** Takes a process that was stopped on purpose off the list. */
  forget(ended: ManagedProcess): void {
    const at = this.#running.indexOf(ended);
    if (at >= 0) this.#running.splice(at, 1);
  }

  /** Stops everything, last started first, and sends the guardian home. */
  async stop(): Promise<void> {
    for (const managed of this.#running.splice(0).reverse()) await managed.stop();
    const guardian = this.#guardian;
    this.#guardian = undefined;
    if (guardian === undefined || guardian.exitCode !== null || guardian.signalCode !== null)
      return;
    const gone = new Promise<void>((resolve) => guardian.once('exit', () => resolve()));
    guardian.stdin?.end('dismiss\n');
    await gone;
  }

  #tellGuardian(lines: readonly string[]): void {
    if (lines.length > 0) this.#guardian?.stdin?.write(`${lines.join('\n')}\n`);
  }
}

/**
 * Waits until `isReady` says yes, asking every few milliseconds, while the process lives.
 *
 * @throws {DevnetError} PROCESS_ENDED, PROCESS_NOT_READY; the signal's reason
 */
export async function awaitReady(
  managed: ManagedProcess,
  isReady: (signal: AbortSignal) => Promise<boolean>,
  {
    clock,
    signal,
    timeoutMs,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const until = clock.monotonic() + timeoutMs;
  const over = new AbortController();
  const stopAsking = AbortSignal.any([signal, over.signal]);
  const asking = (async (): Promise<'ready' | 'late'> => {
    for (let delayMs = 20; ; delayMs = Math.min(delayMs * 1.5, 150)) {
      if (await isReady(stopAsking)) return 'ready';
      if (clock.monotonic() >= until) return 'late';
      await clock.sleep(delayMs, stopAsking);
    }
  })();
  const ending = managed.ended.then((exit) => ({ exit }));
  try {
    const outcome = await Promise.race([asking, ending]);
    if (outcome === 'ready') return;
    if (outcome === 'late') {
      throw new DevnetError(
        { code: 'PROCESS_NOT_READY', name: managed.name, timeoutMs, log: managed.logPath },
        `${managed.name} was not ready after ${timeoutMs} ms; its log is ${managed.logPath}`,
      );
    }
    throw endedFault(managed, outcome.exit, await lastWords(managed.logPath));
  } finally {
    over.abort(new Error('no longer waited for'));
    await asking.catch(() => undefined);
  }
}

function endedFault(
  { name, logPath: log }: ManagedProcess,
  exit: string,
  words: string,
): DevnetError {
  return new DevnetError(
    { code: 'PROCESS_ENDED', name, exit, log },
    `${name} ended by itself (${exit}); its log ${log} ends with: ${words}`,
  );
}

/** The first of the last lines of a log that is no JSON, else the last: what a person reads first. */
async function lastWords(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.trim().split('\n').slice(-5);
  return (lines.find((line) => !line.startsWith('{')) ?? lines.at(-1) ?? '').slice(0, 300);
}

function manage(
  child: ChildProcess,
  facts: {
    readonly name: string;
    readonly logPath: string;
    readonly identity: ProcessIdentity;
    readonly clock: Clock;
  },
): ManagedProcess {
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const exitText = (): string =>
    child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
  const ended = isRunning()
    ? new Promise<string>((resolve) => child.once('exit', () => resolve(exitText())))
    : Promise.resolve(exitText());
  return {
    name: facts.name,
    identity: facts.identity,
    logPath: facts.logPath,
    ended,
    isRunning,
    signal: (signal) => {
      child.kill(signal);
    },
    stop: async () => {
      if (!isRunning()) return;
      const inTime = new AbortController();
      child.kill('SIGTERM');
      const killing = facts.clock
        .sleep(STOP_GRACE_MS, inTime.signal)
        .then(() => child.kill('SIGKILL'))
        .catch(() => undefined); // it stopped in time
      await ended;
      inTime.abort();
      await killing;
    },
  };
}

/** This process's environment without settings meant for one node of the user's: all would take them. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('CAIRN_')),
  );
}

function spawned(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`${name} did not start`, { cause: error })));
  });
}
