import { mkdir } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { writeFileAtomic } from '@cairn/node-runtime/files';
import type { Clock } from '@cairn/primitives';
import { loopback } from './endpoints.ts';
import { awaitReady, type ManagedProcess, type Supervisor } from './supervise.ts';

/** What starting a node works with. */
export interface StartNodeDeps {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
}

/** A node to start. */
export interface NodePlan {
  /** Names its process, its log and its configuration file. */
  readonly name: string;
  /** Path of the program. */
  readonly program: string;
  /** TOML, written anew at every start. */
  readonly config: string;
  readonly configDirectory: string;
  /** Where it answers whether it is ready. */
  readonly port: number;
  /** Paths that have to say so besides `/health/ready`. */
  readonly alsoReady?: readonly string[];
}

/** On a machine with much other work a node loads for half a minute before it listens. */
export const READY_WITHIN_MS = 60_000;

/** Starts a node and waits until it serves. @throws {DevnetError} PROCESS_ENDED, PROCESS_NOT_READY */
export async function startNode(
  { supervisor, clock }: StartNodeDeps,
  { name, program, config, configDirectory, port, alsoReady = [] }: NodePlan,
  { signal }: { readonly signal: AbortSignal },
): Promise<ManagedProcess> {
  await mkdir(configDirectory, { recursive: true });
  const path = join(configDirectory, `${name}.toml`);
  await writeFileAtomic(path, `# Written anew at every start of the devnet.\n${config}`);
  const managed = await supervisor.run({
    name,
    command: process.execPath,
    args: [...process.execArgv, program, '--config', path],
  });
  const isReady = (asking: AbortSignal): Promise<boolean> =>
    answered(asking, async (limit) => {
      for (const path of ['/health/ready', ...alsoReady]) {
        if (!(await isOk(`${loopback(port)}${path}`, limit))) return false;
      }
      return true;
    });
  await awaitReady(managed, isReady, { clock, signal, timeoutMs: READY_WITHIN_MS });
  return managed;
}

/** Whether an address answers 200. Asked often while nobody listens: a fetch costs ten times as much. */
function isOk(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal, agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200);
    });
    request.once('error', reject);
  });
}

/** One question to a service that may not listen yet. @throws the signal's reason */
export async function answered(
  asking: AbortSignal,
  question: (limit: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await question(AbortSignal.any([asking, AbortSignal.timeout(2_000)]));
  } catch {
    asking.throwIfAborted();
    return false;
  }
}

/** A TOML basic string; its escapes are JSON's. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
