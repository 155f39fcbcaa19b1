import { availableParallelism } from 'node:os';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { createWorkerPool, siblingModule } from '@cairn/node-runtime/workers';
import type { Client } from '../client.ts';
import { type ClientOptions, createClient as createBrowserClient } from '../create-client.ts';
import { fileJournal } from './file-journal.ts';

/** Threads that hash a large file at most: more wait for the disk. */
const MAX_THREADS = 8;

/** Cores that can hash while another one reads and sends. */
function spareCores(): number {
  const cores = availableParallelism();
  return cores <= 2 ? 0 : Math.min(cores - 1, MAX_THREADS);
}

/** How a client on Node reaches its network. */
export interface NodeClientOptions extends ClientOptions {
  /**
   * Directory whose files let an upload be run again after a crash without paying or hashing
   * twice. Private: with `sealed-to` and `zg-ecies` it can hold what decrypts a file under way.
   */
  readonly journalDirectory?: string;
  /**
   * Threads that hash large files: one less than there are cores, at most 8, unless told; none on
   * machines of two cores or less, where they cost more in hand-overs than they win.
   */
  readonly threads?: number;
}

/**
 * Connects to a network from Node: kept connections, hashing on threads, a journal on disk.
 *
 * @throws {SdkError} SDK_OPTION
 */
export function createClient(options: NodeClientOptions): Client {
  const { journalDirectory, threads = spareCores() } = options;
  const transport = options.transport ?? createNodeTransport();
  const pool =
    options.pool ??
    (threads === 0
      ? undefined
      : createWorkerPool({
          module: siblingModule('./hash-worker', import.meta.url),
          size: threads,
        }));
  const journal =
    options.journal ?? (journalDirectory === undefined ? undefined : fileJournal(journalDirectory));
  const client = createBrowserClient({
    ...options,
    transport,
    ...(pool === undefined ? {} : { pool }),
    ...(journal === undefined ? {} : { journal }),
  });
  return {
    files: client.files,
    kv: client.kv,
    async close() {
      await client.close();
      if (options.transport === undefined) await transport.close();
      if (options.pool === undefined) await pool?.close();
    },
  };
}
