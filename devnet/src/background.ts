import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isRecord } from '@cairn/primitives';
import { DevnetError } from './errors.ts';
import type { PortChoice } from './ports.ts';
import { programPath } from './program-path.ts';
import { devnetPaths } from './run-file.ts';
import type { Topology } from './topology.ts';

/** What a devnet in the background is told. */
export interface BackgroundOptions {
  readonly directory: string;
  readonly topology: Topology;
  readonly ports: PortChoice;
  readonly isKept: boolean;
}

/** How long the background process may take before its silence counts as a failure. */
const READY_WITHIN_MS = 240_000;

/**
 * Starts a devnet in a process of its own that outlives this one, and waits until it is ready.
 *
 * @returns milliseconds it took to be ready
 * @throws {DevnetError} DEVNET_START_FAILED with the background's own words
 */
export async function startDetached(
  options: BackgroundOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<{ readonly readyAfterMs: number; readonly pid: number }> {
  const paths = devnetPaths(resolve(options.directory));
  await mkdir(paths.logs, { recursive: true });
  const logPath = join(paths.logs, 'devnet.log');
  const log = openSync(logPath, 'a');
  const program = programPath('background-main');
  const child = spawn(process.execPath, [...process.execArgv, program], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  try {
    const message = await new Promise<unknown>((onMessage, reject) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)]);
      limit.addEventListener('abort', () => reject(limit.reason), { once: true });
      child.once('message', onMessage);
      child.once('error', reject);
      child.once('exit', () => reject(new Error('it ended without a word')));
      child.send({ ...options, directory: paths.directory });
    });
    if (!isRecord(message) || typeof message['readyAfterMs'] !== 'number') {
      throw failed(paths.directory, textOf(message));
    }
    return { readyAfterMs: message['readyAfterMs'], pid: child.pid ?? 0 };
  } catch (error) {
    child.kill('SIGTERM'); // it stops what it started
    if (signal.aborted || error instanceof DevnetError) throw error;
    throw failed(paths.directory, await lastWords(logPath), error);
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function failed(directory: string, reason: string, cause?: unknown): DevnetError {
  return new DevnetError(
    { code: 'DEVNET_START_FAILED', directory, reason },
    `the devnet in ${directory} did not start: ${reason}`,
    { cause },
  );
}

function textOf(message: unknown): string {
  return isRecord(message) && typeof message['failed'] === 'string' ? message['failed'] : 'unknown';
}

async function lastWords(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join(' ').slice(-500);
}
