import { type ChildProcess, fork } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Clock, DeadlineError, withDeadline } from '@cairn/primitives';
import type { RemoteProcess } from './remote-device.ts';

/** Characters of what the process complained of that are kept. */
const COMPLAINT_CHARACTERS = 2048;
/** How long an end in order may take. */
const END_TIMEOUT_MS = 5000;

/** What a process is started with. */
export interface ForkOptions {
  /** Added to this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly onMessage: (message: unknown) => void;
  /** Called once, with a sentence that has the last of what the process complained of. */
  readonly onGone: (reason: string) => void;
}

/** A process that serves its GPU. It does not keep this one alive unless it is busy. */
export function forkGpuChild({ env, clock, onMessage, onGone }: ForkOptions): RemoteProcess {
  const module = new URL(`./gpu-child${endingOf(import.meta.url)}`, import.meta.url);
  const child = fork(fileURLToPath(module), [], {
    env: { ...process.env, ...env },
    execArgv: flagsFor(module),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const gone = endOf(child, onGone);
  child.on('message', onMessage);
  let isEnding = false;
  const setBusy = (isBusy: boolean): void => {
    const name = isBusy || isEnding ? 'ref' : 'unref';
    child[name]();
    child.channel?.[name]();
    if (child.stderr instanceof Socket) child.stderr[name](); // the end is told once it is read
  };
  setBusy(false);
  return {
    send: (request) => {
      // Failures also come as the process's end.
      child.send(request, () => undefined);
    },
    setBusy,
    end: async () => {
      isEnding = true;
      setBusy(true);
      if (child.connected) child.disconnect();
      await endedBy(gone, child, clock);
    },
  };
}

/** A process, as far as its end goes. */
type EndingProcess = EventEmitter & Pick<ChildProcess, 'pid' | 'stderr'>;

/** Resolves at a process's end. `onGone` hears of what comes first, a failure or the end. */
export function endOf(child: EndingProcess, onGone: ForkOptions['onGone']): Promise<void> {
  const complaints = complaintsOf(child);
  let isTold = false;
  const tell = (reason: string): void => {
    if (!isTold) onGone(reason);
    isTold = true;
  };
  return new Promise((resolve) => {
    // Not `close`: it does not come to who disconnected.
    child.once('exit', (code: number | null, signal: NodeJS.Signals | null) => {
      void complaints.whole.then(() => {
        tell(`its process ended with ${signal ?? `code ${code}`}${complaints.text()}`);
        resolve();
      });
    });
    child.once('error', (error: Error) => {
      tell(`its process failed: ${error.message}`);
      if (child.pid === undefined) resolve(); // never started: nothing else will come
    });
  });
}

/** Waits for the end, and brings it about if it does not come. */
async function endedBy(
  gone: Promise<void>,
  child: ChildProcess,
  clock: Pick<Clock, 'sleep'>,
): Promise<void> {
  const { signal } = new AbortController();
  try {
    await withDeadline('ending the GPU process', END_TIMEOUT_MS, () => gone, { clock, signal });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    child.kill('SIGKILL');
    await gone;
  }
}

/** What a process wrote last to its standard error. */
interface Complaints {
  /** Resolves once there will be no more. */
  readonly whole: Promise<void>;
  /** To follow a sentence; empty if there are none. */
  readonly text: () => string;
}

function complaintsOf({ stderr }: Pick<ChildProcess, 'stderr'>): Complaints {
  let tail = '';
  const whole = new Promise<void>((resolve) => {
    if (stderr === null) resolve();
    else stderr.once('close', resolve);
  });
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-COMPLAINT_CHARACTERS);
  });
  return { whole, text: () => (tail.trim() === '' ? '' : `: ${tail.trim()}`) };
}

function endingOf(url: string): string {
  return url.endsWith('.ts') ? '.ts' : '.js';
}

/** Flags that let a process run the module: from source it takes a loader on Node 20, and the condition. */
function flagsFor(module: URL): string[] {
  if (!module.pathname.endsWith('.ts')) return [];
  const runsTypeScript = Boolean(Reflect.get(process.features, 'typescript')); // Node 22.18 and later
  const loader = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return ['--conditions=@cairn/source', ...(runsTypeScript ? [] : ['--import', loader()])];
}
