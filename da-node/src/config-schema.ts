import type { ConfigSchema } from '@cairn/node-runtime/config';
import type { LogLevel } from '@cairn/node-runtime/observe';
import { GIB, MIB } from '@cairn/primitives';
import { MAX_PROMISED_BATCH_BLOBS } from '@cairn/wire-protocol/da';
import { ORDER_PATHS, type OrderPath } from './disperser/blob-order.ts';
import type { PutStage } from './doors/op-stack/op-stack-doors.ts';

/** What a process of this package can be; one may be several at once. */
export type DaRole = 'signer' | 'disperser' | 'keeper' | 'relayer';

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

const host = text('Address to listen on.', '127.0.0.1');
const port = (fallback: number): ConfigSchema =>
  whole('Port to listen on; 0 takes a free one.', fallback, { maximum: 65_535 });

/** The schema of `cairn-da.toml`: what `cairn-da.example.toml` is made from. */
export const DA_NODE_SCHEMA: ConfigSchema = {
  type: 'object',
  description:
    'Configuration of a Cairn data-availability node. Every setting can also come from the environment, as CAIRN_SECTION__KEY. Settings that are commented out show their default.',
  required: ['node', 'chain', 'keys'],
  properties: {
    node: {
      type: 'object',
      description: 'What this process is and where it keeps its data.',
      required: ['roles', 'data_dir'],
      properties: {
        roles: {
          type: 'array',
          description:
            'What the process does: "signer" keeps rows and signs for them, "disperser" takes blobs and brings them to their quorums, "keeper" moves epochs on, "relayer" brings checkpoints of shards to the hub and its epochs to the shards.',
          items: { type: 'string', enum: ['signer', 'disperser', 'keeper', 'relayer'] },
          minItems: 1,
          maxItems: 4,
        },
        data_dir: {
          ...text(
            'Directory for everything the node keeps. It belongs to one process, one account and one chain.',
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
      description: 'The chain of the entrance, and of the hub unless [hub] names another.',
      required: ['rpc', 'entrance'],
      properties: {
        network: {
          ...text(
            'Takes chain id and finality from a named network where they are not set here; empty for none.',
            '',
          ),
          enum: ['', 'mainnet', 'testnet', 'devnet', 'minimal'],
        },
        rpc: { ...text('JSON-RPC endpoint of the chain.'), pattern: '^https?://.+$' },
        chain_id: whole(
          "Chain id; the node stops if the endpoint serves another. 0: the network's, or whichever is served.",
          0,
        ),
        entrance: {
          ...text('Address of the DA entrance contract; the hub is found through it.'),
          pattern: '^0x[0-9a-fA-F]{40}$',
        },
        start_block: whole("A block not after the creation of the network's contracts.", 0),
        finality: {
          ...text(
            'Blocks that must follow a block until it stays, or "tag" where the chain says so itself. Empty: the network\'s, or "tag".',
            '',
          ),
          pattern: '^(|tag|[0-9]{1,6})$',
        },
        poll_ms: whole('Time between looks at the chain.', 1000, { unit: 'ms', minimum: 10 }),
      },
    },
    hub: {
      type: 'object',
      description:
        'The chain of the hub, for a disperser of a consensus shard that is on another chain. Such a process has no other role: signers reach shards by [shards].',
      properties: {
        rpc: {
          ...text('JSON-RPC endpoint of that chain. Empty: that of the entrance.', ''),
          pattern: '^(https?://.+)?$',
        },
        start_block: whole("A block there not after the creation of the network's contracts.", 0),
        finality: {
          ...text('As chain.finality, of that chain. Empty: the same.', ''),
          pattern: '^(|tag|[0-9]{1,6})$',
        },
      },
    },
    keys: {
      type: 'object',
      description: 'Key files, which only their owner may read.',
      required: ['account'],
      properties: {
        account: {
          ...text(
            "The account of this process, as raw hex or a Web3 keystore: a signer's stake, a disperser's deposit, everyone's gas.",
          ),
          minLength: 1,
        },
        account_password: text('A file with the password, if that is a keystore.', ''),
        bls: text(
          'The key that a signer signs with, as raw hex or an EIP-2335 keystore. The signer role needs it. Never use one key in two places.',
          '',
        ),
        bls_password: text('A file with the password, if that is a keystore.', ''),
      },
    },
    signer: {
      type: 'object',
      description: 'The signer role.',
      properties: {
        host,
        port: port(3201),
        url: {
          ...text(
            "Address under which others reach the signer, registered on chain. Empty: the one it listens on. A multiaddress, such as /dns4/signer.example/tcp/3202, gets this node's peer id; such a signer is read over libp2p, and takes no more slices.",
            '',
          ),
          pattern: '^(https?://.{1,120}|/.{1,127})?$',
        },
        join: {
          type: 'boolean',
          description:
            'Whether the node bonds, takes the role and registers key and address by itself.',
          default: false,
        },
        bond_gwei: whole('The stake that is bonded then, at least.', 0, {
          unit: 'gwei',
        }),
        capacity_bytes: whole('Bytes of rows that are kept; more are refused.', 64 * GIB, {
          unit: 'bytes',
          minimum: MIB,
        }),
        reserve_bytes: whole(
          'Slices are turned away while the disk has less free than this.',
          256 * MIB,
          { unit: 'bytes' },
        ),
        memory_bytes: whole(
          'Memory for slices that arrive; those of the largest blobs take 320 MiB.',
          512 * MIB,
          { unit: 'bytes', minimum: 16 * MIB },
        ),
        keepers: {
          type: 'array',
          description:
            'Addresses of keepers that bring tickets to the chain, many in one transaction. A ticket that none brings in a third of its time is posted from the account.',
          default: [],
          items: { type: 'string', pattern: '^https?://[^\\s]{1,200}$' },
          maxItems: 8,
        },
        payer_bytes: whole(
          'Bytes of rows in one quorum of one payer whose promises are not charged yet, at most.',
          16 * GIB,
          { unit: 'bytes', minimum: MIB },
        ),
      },
    },
    disperser: {
      type: 'object',
      description: 'The disperser role.',
      properties: {
        host,
        port: port(3100),
        retention_epochs: whole('Epochs for which signers keep a blob.', 1, {
          minimum: 1,
          maximum: 65_535,
        }),
        max_blobs: whole('Blobs that are not final, at most.', 4096, { minimum: 1 }),
        max_bytes: whole('Bytes of their payloads, at most.', 4 * GIB, {
          unit: 'bytes',
          minimum: MIB,
        }),
        memory_bytes: whole(
          'Memory for blobs that are encoded; half as much again for payloads that arrive, and as much for those that are read back.',
          GIB,
          {
            unit: 'bytes',
            minimum: 16 * MIB,
          },
        ),
        threads: whole('Threads that encode; 0 takes one less than there are cores.', 0, {
          maximum: 256,
        }),
        gather_ms: whole(
          'Time between the beginnings of two batches of a quorum: blobs that come meanwhile share the next. With path = "chain", time that the first blob of a payment waits for others.',
          100,
          { unit: 'ms' },
        ),
        batch_blobs: whole('Blobs of a batch at most.', MAX_PROMISED_BATCH_BLOBS, {
          minimum: 1,
          maximum: MAX_PROMISED_BATCH_BLOBS,
        }),
        put_wait: {
          ...text(
            'How far a blob is when a rollup that put it has its answer: "dispersed" once its quorum has signed, "confirmed" once the chain has taken that, "final" once it stays. Doors whose certificates count by their confirmation wait for that at least.',
            'dispersed',
          ),
          enum: ['dispersed', 'confirmed', 'final'],
        },
        put_timeout_ms: whole(
          'Time for what a rollup puts to arrive and get so far; then it is told to fail over. Connections that are silent for 120 s are closed.',
          60_000,
          { unit: 'ms', minimum: 100, maximum: 110_000 },
        ),
        path: {
          ...text(
            'How blobs come to their quorums: "promise" to pay from the deposit when they are confirmed, or "chain", paid from the account first, at the cost of a final block. What a deposit does not cover, or an epoch has no slot for, is paid on chain in any case.',
            'promise',
          ),
          enum: [...ORDER_PATHS],
        },
        deposit_gwei: whole(
          'Deposit kept with the entrance: filled up from the account once it is below half of this. 0: somebody else sees to it.',
          0,
          { unit: 'gwei' },
        ),
        accounts: {
          type: 'array',
          description:
            'Who may post: "name:hash:bytes" with the SHA-256 of an API key in hex and the bytes it may post in a period. Empty: everybody.',
          default: [],
          items: { type: 'string', pattern: '^[\\w.-]{1,64}:[0-9a-f]{64}:[0-9]{1,15}$' },
          maxItems: 10_000,
        },
        account_period_ms: whole('The period of those budgets.', 86_400_000, {
          unit: 'ms',
          minimum: 1000,
        }),
        grpc: {
          type: 'object',
          description: "The disperser's door for 0G's clients: gRPC over HTTP/2 without TLS.",
          properties: { host, port: port(51_001) },
        },
        nitro: {
          type: 'object',
          description:
            "The disperser's door for Arbitrum nodes: JSON-RPC of an external provider of data availability.",
          properties: { host, port: port(9880) },
        },
      },
    },
    shards: {
      type: 'object',
      description:
        'Consensus shards beside the one of this chain, for signers and relayers: the hub names their chains and contracts, and this is how they are reached.',
      properties: {
        rpcs: {
          type: 'array',
          description:
            'JSON-RPC endpoints as "chain id=URL". A signer believes them about what it signs for: name your own nodes. The checkpoints of a shard without one are not signed here.',
          default: [],
          items: { type: 'string', pattern: '^[1-9][0-9]{0,15}=https?://[^\\s]{1,500}$' },
          maxItems: 4096,
        },
        blobs: {
          type: 'boolean',
          description:
            'Whether a signer keeps the blobs of these shards too and signs for them, with the same disk, the same log of what it signed and the same address.',
          default: true,
        },
        poll_ms: whole('Time between looks at the shards.', 2000, { unit: 'ms', minimum: 10 }),
      },
    },
    archive: {
      type: 'object',
      description:
        'Writing final blobs to the log, where they outlive their signers: those that are posted with ?archive=true, or all. Paid from the account. Needs an indexer or storage nodes.',
      properties: {
        indexer: {
          ...text('Address of an indexer, which says who keeps files.', ''),
          pattern: '^(https?://.+)?$',
        },
        nodes: {
          type: 'array',
          description: "Storage nodes to write to, instead of the indexer's.",
          default: [],
          items: { type: 'string', pattern: '^https?://.+$' },
          maxItems: 64,
        },
        flow: {
          ...text("Address of the log contract. Empty: the storage nodes'.", ''),
          pattern: '^(0x[0-9a-fA-F]{40})?$',
        },
        rpc: {
          ...text("JSON-RPC endpoint of the log's chain. Empty: that of the entrance.", ''),
          pattern: '^(https?://.+)?$',
        },
        replicas: whole('Full copies of each file.', 1, { minimum: 1, maximum: 64 }),
        all: {
          type: 'boolean',
          description: 'Whether every blob is written, asked for or not.',
          default: false,
        },
      },
    },
    keeper: {
      type: 'object',
      description: 'The keeper role.',
      properties: {
        host,
        port: port(3290),
        gather_ms: whole(
          'Time that a ticket waits for others, so that they share a transaction.',
          2000,
          { unit: 'ms', maximum: 60_000 },
        ),
      },
    },
    relayer: {
      type: 'object',
      description: 'The relayer role. Its account pays for gas on the hub and on every shard.',
      properties: {
        host,
        port: port(3291),
        poll_ms: whole('Time between two rounds.', 1000, { unit: 'ms', minimum: 10 }),
        spread_ms: whole(
          'Time over which the relayers of a network take turns: each waits for a part of it that follows from its account and the task, so that all but one find the work done. 0 where there is no other.',
          4000,
          { unit: 'ms', maximum: 600_000 },
        ),
        order_ms: whole(
          'Time between two roots of the order that a mirror is told, beside the one in each epoch.',
          60_000,
          { unit: 'ms' },
        ),
      },
    },
    p2p: {
      type: 'object',
      description:
        'libp2p. With it a signer gives rows to peers as well, and signers that registered a multiaddress can be read.',
      properties: {
        enabled: { type: 'boolean', description: 'Whether libp2p is in use.', default: false },
        listen: {
          type: 'array',
          description:
            'Multiaddresses that a signer listens on, TCP or WebSocket (/ip4/0.0.0.0/tcp/3203/ws). Its key is kept in p2p.key in the data directory.',
          default: ['/ip4/127.0.0.1/tcp/3202'],
          items: { type: 'string', pattern: '^/[^\\s]{1,120}$' },
          maxItems: 8,
        },
      },
    },
    limits: {
      type: 'object',
      description: 'Bounds on what a listener takes on at once.',
      properties: {
        max_connections: whole('Connections; more are closed as they come.', 4096, { minimum: 1 }),
        drain_ms: whole('Time for running requests to end when the node stops.', 10_000, {
          unit: 'ms',
        }),
      },
    },
  },
};

/** The file as the schema lets it through: names as they are written in it. */
export interface ConfigFile {
  readonly node: { readonly roles: readonly DaRole[]; readonly data_dir: string };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly chain: {
    readonly network: '' | 'mainnet' | 'testnet' | 'devnet' | 'minimal';
    readonly rpc: string;
    readonly chain_id: number;
    readonly entrance: string;
    readonly start_block: number;
    readonly finality: string;
    readonly poll_ms: number;
  };
  readonly hub: { readonly rpc: string; readonly start_block: number; readonly finality: string };
  readonly keys: {
    readonly account: string;
    readonly account_password: string;
    readonly bls: string;
    readonly bls_password: string;
  };
  readonly signer: {
    readonly host: string;
    readonly port: number;
    readonly url: string;
    readonly join: boolean;
    readonly bond_gwei: number;
    readonly capacity_bytes: number;
    readonly reserve_bytes: number;
    readonly memory_bytes: number;
    readonly payer_bytes: number;
    readonly keepers: readonly string[];
  };
  readonly disperser: {
    readonly host: string;
    readonly port: number;
    readonly retention_epochs: number;
    readonly max_blobs: number;
    readonly max_bytes: number;
    readonly memory_bytes: number;
    readonly threads: number;
    readonly gather_ms: number;
    readonly batch_blobs: number;
    readonly put_wait: PutStage;
    readonly put_timeout_ms: number;
    readonly path: OrderPath;
    readonly deposit_gwei: number;
    readonly accounts: readonly string[];
    readonly account_period_ms: number;
    readonly grpc: { readonly host: string; readonly port: number };
    readonly nitro: { readonly host: string; readonly port: number };
  };
  readonly shards: {
    readonly rpcs: readonly string[];
    readonly blobs: boolean;
    readonly poll_ms: number;
  };
  readonly archive: {
    readonly indexer: string;
    readonly nodes: readonly string[];
    readonly flow: string;
    readonly rpc: string;
    readonly replicas: number;
    readonly all: boolean;
  };
  readonly p2p: { readonly enabled: boolean; readonly listen: readonly string[] };
  readonly keeper: { readonly host: string; readonly port: number; readonly gather_ms: number };
  readonly relayer: {
    readonly host: string;
    readonly port: number;
    readonly poll_ms: number;
    readonly spread_ms: number;
    readonly order_ms: number;
  };
  readonly limits: { readonly max_connections: number; readonly drain_ms: number };
}
