import type { ConfigSchema } from '@cairn/node-runtime/config';
import type { LogLevel } from '@cairn/node-runtime/observe';
import { MIB } from '@cairn/primitives';

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

const flag = (description: string, fallback: boolean): ConfigSchema => ({
  type: 'boolean',
  description,
  default: fallback,
});

const list = (description: string, pattern: string, maxItems: number): ConfigSchema => ({
  type: 'array',
  description,
  default: [],
  items: { type: 'string', pattern },
  maxItems,
});

const STREAM = '^(0x)?[0-9a-fA-F]{64}$';
const ADDRESS = '^0x[0-9a-fA-F]{40}$';

/** The schema of `kv.toml`: what `kv.example.toml` is made from. */
export const KV_NODE_SCHEMA: ConfigSchema = {
  type: 'object',
  description:
    'Configuration of a Cairn key-value node. Every setting can also come from the environment, as CAIRN_SECTION__KEY. Settings that are commented out show their default.',
  required: ['node', 'chain'],
  properties: {
    node: {
      type: 'object',
      description: 'Where the node keeps its data.',
      required: ['data_dir'],
      properties: {
        data_dir: {
          ...text(
            'Directory for everything the node keeps. It belongs to one process and one chain at a time.',
          ),
          minLength: 1,
        },
        reserve_bytes: whole(
          'Replay waits while the disk has less free than this; reads go on.',
          64 * MIB,
          { unit: 'bytes' },
        ),
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
        pretty: flag('Lines for people instead of JSON.', false),
      },
    },
    chain: {
      type: 'object',
      description: 'The chain whose log is replayed.',
      required: ['rpc', 'flow'],
      properties: {
        rpc: { ...text('JSON-RPC endpoint of the chain.'), pattern: '^https?://.+$' },
        chain_id: whole(
          'Chain id; the node stops if the endpoint serves another. 0 takes what is served, and then needs the endpoint to start.',
          0,
        ),
        flow: { ...text('Address of the log contract.'), pattern: ADDRESS },
        start_block: whole('First block that can hold log entries.', 0),
        confirmations: whole(
          'Blocks that must follow a block before its entries count. A reorganisation deeper than this is unwound.',
          1,
        ),
        poll_ms: whole('Time between looks at an idle chain.', 500, { unit: 'ms', minimum: 10 }),
        page_blocks: whole('Blocks of history read at once, at most.', 999, { minimum: 1 }),
        sender: {
          ...text(
            'Who is judged as the writer of an entry: "transaction", the account that signed, or "event", the submitter that the log contract names, which a caller chooses freely unless the contract checks it. Part of every state root.',
            'transaction',
          ),
          enum: ['transaction', 'event'],
        },
      },
    },
    storage: {
      type: 'object',
      description: 'Where files of the log are read. Every byte is proven against its root.',
      properties: {
        nodes: list('Storage nodes, by URL.', '^https?://', 1000),
        indexer: {
          ...text('An indexer that tells who keeps a file; empty for none.', ''),
          pattern: '^(https?://.*)?$',
        },
      },
    },
    streams: {
      type: 'object',
      description:
        'Which streams are replayed. What a stream holds depends on the others that are watched with it, so a change of the set is replayed from the first entry in the background, and then answers.',
      properties: {
        ids: list('Stream ids, 32 bytes of hex.', STREAM, 10_000),
        discover: flag(
          'Watches every stream that the log names, up to the limit. For small networks: any sender can make the node begin anew.',
          false,
        ),
        limit: whole('Streams watched, at most.', 1000, { minimum: 1, maximum: 10_000 }),
        open: flag(
          'Whether admin_addStream lets the accounts below add streams. Its signatures have no nonce and no expiry.',
          false,
        ),
        accounts: list('Accounts that may add streams; empty for any.', ADDRESS, 10_000),
      },
    },
    replay: {
      type: 'object',
      description: 'How the log is replayed.',
      properties: {
        missing: {
          ...text(
            'What to do about an entry whose file nobody serves: "block" waits for it, for ever; "skip" gives it up after a while, which makes everything after it this node\'s own opinion until the file appears.',
            'block',
          ),
          enum: ['block', 'skip'],
        },
        skip_after_s: whole('How long a file is waited for before it is given up.', 3600, {
          unit: 's',
          minimum: 1,
        }),
        max_holes: whole('Entries given up, at most; the next one is waited for.', 16),
        heal_every_s: whole('Time between two looks for files that were given up.', 300, {
          unit: 's',
          minimum: 1,
        }),
        prefetch_files: whole('Files fetched ahead of the one that is replayed.', 32, {
          minimum: 1,
          maximum: 1024,
        }),
        prefetch_bytes: whole('Bytes of them, at most.', 64 * MIB, { unit: 'bytes' }),
        memory_file_bytes: whole('Larger files pass through the disk.', 8 * MIB, {
          unit: 'bytes',
        }),
        cache_bytes: whole('Memory for files replayed lately, for reorganisations.', 64 * MIB, {
          unit: 'bytes',
        }),
      },
    },
    decrypt: {
      type: 'object',
      description:
        "Reading batches that are encrypted as a whole, in 0G's two formats and in Cairn's sealed one. What is decrypted is served to everybody who may ask this node. Part of every state root: nodes with other keys have other roots.",
      properties: {
        keys: list(
          'STREAM=FILE: a stream, and a file with 32 bytes as hex, readable by its owner only: the shared key, or the private key that batches are encrypted to. Several keys of a stream are tried in this order.',
          '^(0x)?[0-9a-fA-F]{64}=.+$',
          10_000,
        ),
      },
    },
    bootstrap: {
      type: 'object',
      description:
        'Beginning with a snapshot that lies in the log layer, instead of the first entry. It is taken if so many of these accounts vouch in it for the root of every stream, its entry is in this chain, and what it holds hashes to those roots, which is proven part by part before anything of a part is answered; else replay begins with the first entry. Versions before it cannot be read then.',
      properties: {
        file: {
          ...text('Root of the file, as `cairn kv snapshot` prints it; empty: none.', ''),
          pattern: '^(0x[0-9a-fA-F]{64})?$',
        },
        keys: list('Accounts of key-value nodes whose word about roots counts.', ADDRESS, 64),
        agree: whole('So many of them must say the same; 0: more than half.', 0, { maximum: 64 }),
        wait_s: whole('How long the file and its entry are waited for.', 120, {
          unit: 's',
          minimum: 1,
        }),
        vouch: flag(
          'Whether this node vouches for roots all the same, which it did not replay by itself.',
          false,
        ),
      },
    },
    attest: {
      type: 'object',
      description:
        'Vouching for state roots, for clients that believe this key: statements say the root of a stream after an entry. Nothing is vouched for that follows a file that was given up.',
      properties: {
        key: text(
          'File with the key that signs: raw hex or a Web3 keystore, readable by its owner only. It needs no coins; use it for nothing else. Empty: none.',
          '',
        ),
        key_password: text('A file with the password, if that is a keystore.', ''),
      },
    },
    http: {
      type: 'object',
      description: 'The public listener: JSON-RPC, health, measures.',
      properties: {
        host: text('Address to listen on.', '127.0.0.1'),
        port: whole('Port to listen on; 0 takes a free one.', 6789, { maximum: 65_535 }),
      },
    },
    limits: {
      type: 'object',
      description: 'Bounds on what the public listener takes on at once.',
      properties: {
        max_connections: whole('Connections; more are closed as they come.', 4096, { minimum: 1 }),
        concurrent_reads: whole('Calls answered at once.', 64, { minimum: 1 }),
        queued_reads: whole('Calls that may wait for their turn.', 4096),
        whole_value_bytes: whole(
          'The longest value that the official TypeScript client is given whole, since it cannot page.',
          16 * MIB,
          { unit: 'bytes', maximum: 20 * MIB },
        ),
        drain_ms: whole('Time for running requests to end when the node stops.', 5000, {
          unit: 'ms',
        }),
      },
    },
  },
};

/** The file as the schema lets it through: names as they are written in it. */
export interface ConfigFile {
  readonly node: { readonly data_dir: string; readonly reserve_bytes: number };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly chain: {
    readonly rpc: string;
    readonly chain_id: number;
    readonly flow: string;
    readonly start_block: number;
    readonly confirmations: number;
    readonly poll_ms: number;
    readonly page_blocks: number;
    readonly sender: 'transaction' | 'event';
  };
  readonly storage: { readonly nodes: readonly string[]; readonly indexer: string };
  readonly streams: {
    readonly ids: readonly string[];
    readonly discover: boolean;
    readonly limit: number;
    readonly open: boolean;
    readonly accounts: readonly string[];
  };
  readonly replay: {
    readonly missing: 'block' | 'skip';
    readonly skip_after_s: number;
    readonly max_holes: number;
    readonly heal_every_s: number;
    readonly prefetch_files: number;
    readonly prefetch_bytes: number;
    readonly memory_file_bytes: number;
    readonly cache_bytes: number;
  };
  readonly decrypt: { readonly keys: readonly string[] };
  readonly bootstrap: {
    readonly file: string;
    readonly keys: readonly string[];
    readonly agree: number;
    readonly wait_s: number;
    readonly vouch: boolean;
  };
  readonly attest: { readonly key: string; readonly key_password: string };
  readonly http: { readonly host: string; readonly port: number };
  readonly limits: {
    readonly max_connections: number;
    readonly concurrent_reads: number;
    readonly queued_reads: number;
    readonly whole_value_bytes: number;
    readonly drain_ms: number;
  };
}
