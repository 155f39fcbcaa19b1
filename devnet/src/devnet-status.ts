import { resolve } from 'node:path';
import type { Endpoints } from '@cairn/wire-protocol';
import { readDevnetEndpoints } from './endpoints.ts';
import { isAlive } from './process-identity.ts';
import { devnetPaths, isOwnerAlive, readRunRecord } from './run-file.ts';

/** A process of a devnet and whether it is there. */
export interface ProcessStatus {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly state: 'running' | 'ended';
  readonly log: string;
}

/** What runs in a devnet directory. */
export interface DevnetStatus {
  readonly directory: string;
  readonly state: 'ready' | 'starting' | 'stopped';
  /** The process that owns the devnet, while it lives. */
  readonly pid?: number;
  /** Chain, storage nodes and indexer, in the order they were started. */
  readonly processes: readonly ProcessStatus[];
  readonly endpoints?: Endpoints;
}

/** What runs in `directory`, by its run file and by looking whether those processes live. */
export async function devnetStatus(directory: string): Promise<DevnetStatus> {
  const paths = devnetPaths(resolve(directory));
  const record = await readRunRecord(paths.run);
  if (record === undefined || !isOwnerAlive(record)) {
    return { directory: paths.directory, state: 'stopped', processes: [] };
  }
  const endpoints = await readDevnetEndpoints(directory);
  return {
    directory: paths.directory,
    state: record.state,
    pid: record.owner.pid,
    processes: record.processes.map((process) => ({
      name: process.name,
      url: process.url,
      pid: process.pid,
      state: isAlive(process) ? 'running' : 'ended',
      log: `${paths.logs}/${process.name}.log`,
    })),
    ...(endpoints === undefined ? {} : { endpoints }),
  };
}
