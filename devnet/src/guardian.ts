/**
 * The process that outlives a devnet killed with SIGKILL, and cleans up after it.
 *
 * Its standard input is a pipe from the devnet. Lines: `watch <pid> <startedAt>`, `remove <path>`,
 * `dismiss`. When the pipe closes without `dismiss`, every watched process that is still the same
 * one is ended, last first, and the paths are removed.
 */
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { systemClock } from '@cairn/primitives';
import { endProcesses } from './end-processes.ts';
import type { ProcessIdentity } from './process-identity.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const watched: ProcessIdentity[] = [];
const leftovers: string[] = [];
let dismissed = false;

for await (const line of createInterface({ input: process.stdin })) {
  const [word = '', ...rest] = line.split(' ');
  if (word === 'watch') watched.push({ pid: Number(rest[0]), startedAt: rest.slice(1).join(' ') });
  else if (word === 'remove') leftovers.push(rest.join(' '));
  else if (word === 'dismiss') dismissed = true;
}

if (!dismissed) {
  await endProcesses(watched, { clock: systemClock() });
  for (const path of leftovers) await rm(path, { force: true, recursive: true });
}
process.exit(0);
