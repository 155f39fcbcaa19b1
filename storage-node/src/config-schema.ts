import type { ConfigSchema } from '@cairn/node-runtime/config';
import type { LogLevel } from '@cairn/node-runtime/observe';
import {
  CACHED_FILE_EXPIRY_MS,
  MAX_CACHED_BYTES,
  MAX_CACHED_FILE_BYTES,
  MAX_CONCURRENT_WRITES,
  MAX_QUEUED_WRITES,
  MIB,
} from '@cairn/primitives';
import { SHARDS_SCHEMA, type ShardTable } from './chains/shards-config.ts';
import type { DutyFile } from './duty/config.ts';
import { DUTY_SCHEMA } from './duty/config-schema.ts';
import type { MiningFile } from './mining/config.ts';
import { MINING_SCHEMA } from './mining/config-schema.ts';
import { P2P_SCHEMA, type P2pSection } from './sync/sync-config.ts';

/** What a process of this package can be; one may be several at once. */
export type NodeRole = 'storage' | 'indexer';

/** A string setting with its description. */
const text = (description: string, fallback?: string): ConfigSchema => ({
  type: 'string',
  description,
  ...(fallback === undefined ? {} : { default: fallback }),
});

/** A whole-number setting with its description. */
const whole = (
  description: string,
  fallback: number,
  { unit, minimum = 0, maximum }: { unit?: string; minimum?: number; maximum?: number } = {},
): ConfigSchema => ({
  type: 'integer',
  description,
  default: fallback,
  minimum,
  ...(unit === undefined ? {} : { unit }),
  ...(maximum === undefined ? {} : { maximum }),
});

const PORT = { maximum: 65_535 };

/** The schema of `cairn.toml`: what `cairn.example.toml` is made from. */
export const STORAGE_NODE_SCHEMA: ConfigSchema = {
  type: 'object',
  description:
    'Configuration of a Cairn storage node. Every setting can also come from the environment, as CAIRN_SECTION__KEY. Settings that are commented out show their default.',
  required: ['node'],
  properties: {
    node: {
      type: 'object',
      description: 'What this process is and where it keeps its data.',
      required: ['data_dir'],
      properties: {
        roles: {
          type: 'array',
          description:
            'What the process does: "storage" keeps segments, "indexer" tells clients who keeps what.',
          default: ['storage'],
          items: { type: 'string', enum: ['storage', 'indexer'] },
          minItems: 1,
          maxItems: 2,
        },
        data_dir: {
          ...text(
            'Directory for everything the node keeps. It belongs to one process, and to one first chain, at a time.',
          ),
          minLength: 1,
        },
      },
    },
    log: {
      type: 'object',
      description: 'Log lines, on standard error.',
      properties: {
        level: {
          ...text('The least important line that is written.', 'info'),
          enum: ['error', 'warn', 'info', 'debug', 'silent'],
        },
        pretty: {
          type: 'boolean',
          description: 'Lines for people instead of JSON.',
          default: false,
        },
      },
    },
    chain: {
      type: 'object',
      description: 'The chain whose log is kept; the first one where there are more.',
      properties: {
        rpc: {
          ...text('JSON-RPC endpoint of the chain. The storage role needs it.', ''),
          pattern: '^(https?://.*)?$',
        },
        chain_id: whole(
          'Chain id; the node stops if the endpoint serves another. 0 takes what is served, and then needs the endpoint to start.',
          0,
        ),
        flow: text('Address of the log contract. The storage role needs it.', ''),
        start_block: whole('First block that can hold log entries.', 0),
        confirmations: whole(
          'Blocks that must follow a block before its entries count. A reorganisation deeper than this is unwound.',
          1,
        ),
        poll_ms: whole('Time between looks at an idle chain.', 500, { unit: 'ms', minimum: 10 }),
        page_blocks: whole('Blocks of history read at once, at most.', 999, { minimum: 1 }),
      },
    },
    shards: SHARDS_SCHEMA,
    storage: {
      type: 'object',
      description: 'What the storage role keeps.',
      properties: {
        shard: {
          ...text(
            'The segments a new data directory keeps: id/count. 0/1 keeps all; the count is a power of two. Once data is there, `cairn db migrate --shard` changes it.',
            '0/1',
          ),
          pattern: '^[0-9]+/[0-9]+$',
        },
        reserve_bytes: whole(
          'Uploads are turned away while the disk has less free than this.',
          256 * MIB,
          { unit: 'bytes' },
        ),
        max_bytes: whole(
          'The most the node takes on its disk for all chains together, index and sealed copies included. At nine tenths of it one half of the shard, chosen by chance, is given up, of the chain that takes most; at all of it uploads are turned away. 0: no bound.',
          0,
          { unit: 'bytes' },
        ),
        prune_expired: {
          ...text(
            'How long after nobody pays for a file any more it is given up, in days: "30d". Empty: never. By the time and the renewals of the reward contract; files of duties stay.',
            '',
          ),
          pattern: '^([1-9][0-9]{0,3}d)?$',
        },
        cached_bytes: whole(
          'Memory for segments whose file the chain has not announced yet.',
          MAX_CACHED_BYTES,
          { unit: 'bytes' },
        ),
        cached_file_bytes: whole(
          'The largest file whose segments may wait so.',
          MAX_CACHED_FILE_BYTES,
          { unit: 'bytes' },
        ),
        cache_expiry_ms: whole(
          'How long they wait after the last new one.',
          CACHED_FILE_EXPIRY_MS,
          { unit: 'ms', minimum: 1 },
        ),
        read_cache_bytes: whole('Memory for segments read lately.', 32 * MIB, { unit: 'bytes' }),
        ready_lag_blocks: whole(
          '/health/ready says no while the log is further behind the chain than this, confirmations not counted.',
          10,
        ),
      },
    },
    scrub: {
      type: 'object',
      description:
        'Hashing of everything stored anew, in the background: rot is found, taken out of service and fetched again.',
      properties: {
        enabled: {
          type: 'boolean',
          description: 'Whether passes begin by themselves.',
          default: true,
        },
        period_s: whole(
          'From the beginning of a pass to that of the next; a pass that takes longer is followed at once.',
          14 * 86_400,
          { unit: 's', minimum: 1 },
        ),
        bytes_per_second: whole('Read and hashed a second, at most.', 32 * MIB, {
          unit: 'bytes',
          minimum: 65_536,
        }),
        duty_percent: whole('Share of the time that a pass works, at most.', 20, {
          unit: '%',
          minimum: 1,
          maximum: 100,
        }),
      },
    },
    mining: MINING_SCHEMA,
    duty: DUTY_SCHEMA,
    http: {
      type: 'object',
      description: 'The public listener of the storage role: JSON-RPC, binary doors, health.',
      properties: {
        host: text('Address to listen on.', '127.0.0.1'),
        port: whole('Port to listen on; 0 takes a free one.', 5678, PORT),
      },
    },
    admin: {
      type: 'object',
      description: 'The admin door: a unix socket for the owner of the process, never a port.',
      properties: {
        enabled: { type: 'boolean', description: 'Whether there is one.', default: true },
        socket: text('Path of the socket; empty: admin.sock in the data directory.', ''),
      },
    },
    p2p: P2P_SCHEMA,
    indexer: {
      type: 'object',
      description: 'The indexer role.',
      properties: {
        host: text('Address to listen on.', '127.0.0.1'),
        port: whole('Port to listen on; 0 takes a free one.', 12_345, PORT),
        trusted: {
          type: 'array',
          description: 'Storage nodes that clients are sent to.',
          default: [],
          items: { type: 'string', pattern: '^https?://' },
          maxItems: 1000,
        },
      },
    },
    limits: {
      type: 'object',
      description: 'Bounds on what the public listener takes on at once.',
      properties: {
        max_connections: whole('Connections; more are closed as they come.', 8192, { minimum: 1 }),
        body_budget_bytes: whole(
          'Memory for request bodies; senders wait on their socket for a share.',
          48 * MIB,
          { unit: 'bytes', minimum: MIB },
        ),
        concurrent_writes: whole(
          'Segments verified and stored at once, of each chain.',
          MAX_CONCURRENT_WRITES,
          {
            minimum: 1,
          },
        ),
        queued_writes: whole('Uploads that may wait for their turn.', MAX_QUEUED_WRITES),
        concurrent_reads: whole('Segments read and verified at once, of each chain.', 32, {
          minimum: 1,
        }),
        drain_ms: whole('Time for running requests to end when the node stops.', 10_000, {
          unit: 'ms',
        }),
      },
    },
  },
};

/** The file as the schema lets it through: names as they are written in it. */
export interface ConfigFile {
  readonly node: { readonly roles: readonly NodeRole[]; readonly data_dir: string };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly chain: {
    readonly rpc: string;
    readonly chain_id: number;
    readonly flow: string;
    readonly start_block: number;
    readonly confirmations: number;
    readonly poll_ms: number;
    readonly page_blocks: number;
  };
  readonly shards: readonly ShardTable[];
  readonly storage: {
    readonly shard: string;
    readonly reserve_bytes: number;
    readonly max_bytes: number;
    readonly prune_expired: string;
    readonly cached_bytes: number;
    readonly cached_file_bytes: number;
    readonly cache_expiry_ms: number;
    readonly read_cache_bytes: number;
    readonly ready_lag_blocks: number;
  };
  readonly scrub: {
    readonly enabled: boolean;
    readonly period_s: number;
    readonly bytes_per_second: number;
    readonly duty_percent: number;
  };
  readonly mining: MiningFile;
  readonly duty: DutyFile;
  readonly http: { readonly host: string; readonly port: number };
  readonly admin: { readonly enabled: boolean; readonly socket: string };
  readonly p2p: P2pSection;
  readonly indexer: {
    readonly host: string;
    readonly port: number;
    readonly trusted: readonly string[];
  };
  readonly limits: {
    readonly max_connections: number;
    readonly body_budget_bytes: number;
    readonly concurrent_writes: number;
    readonly queued_writes: number;
    readonly concurrent_reads: number;
    readonly drain_ms: number;
  };
}
