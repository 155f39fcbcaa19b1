import type { Json } from '@cairn/primitives';
import {
  internalRpcError,
  type ShardConfig,
  serverRpcError,
  zgShardConfigOf,
} from '@cairn/wire-protocol';
import type { EntryFinder } from '../entry-finder.ts';
import type { Sync } from '../sync/create-sync.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';

/** What the admin methods ask of the network of peers. */
export type AdminSync = Pick<Sync, 'self' | 'addresses' | 'peers' | 'book' | 'fetchSoon'>;

/** What the admin methods act on. */
export interface ZgAdminDeps {
  readonly finder: EntryFinder;
  readonly shard: () => ShardConfig;
  /** Address under which clients reach the node. */
  readonly host: string;
  readonly isSynced: () => boolean;
  /** The measures in the Prometheus text format. */
  readonly renderMetrics: () => Promise<string>;
  /** The node's part in the network of peers; `undefined` while it takes none. */
  readonly sync: () => AdminSync | undefined;
  /** Begins an orderly stop and returns at once. */
  readonly shutdown: () => void;
}

/**
 * The admin_* methods of 0G nodes, on the admin socket only. Without a network of peers what is about
 * them is empty, and what would start a transfer between them is refused.
 */
export function zgAdminMethods(deps: ZgAdminDeps): JsonRpcMethods {
  const requireSync = (): AdminSync => {
    const sync = deps.sync();
    if (sync === undefined) throw serverRpcError('this node has no peers to fetch files from');
    return sync;
  };
  /** Looks at an entry next; whatever a shard owns of it is fetched, not single chunks. */
  const fetchSoon: JsonRpcMethods[string]['run'] = async (parameters) => {
    const sync = requireSync();
    const known = await deps.finder.bySequence(parameters.sequence(0));
    if (known === undefined) throw internalRpcError('tx not found');
    sync.fetchSoon(known.entry);
    return null;
  };
  return {
    admin_shutdown: {
      parameters: 0,
      run: async () => {
        deps.shutdown();
        return null;
      },
    },
    admin_getMetrics: {
      parameters: 1,
      run: async (parameters) => {
        const prefix = parameters.at(0) ?? '';
        return metricsMap(await deps.renderMetrics(), String(prefix));
      },
    },
    admin_getNetworkInfo: {
      parameters: 0,
      run: async () => networkInfo(deps.sync()),
    },
    admin_getPeers: { parameters: 0, run: async () => peersJson(deps.sync()) },
    admin_getFileLocation: {
      parameters: 2,
      run: async (parameters) => {
        const known = await deps.finder.bySequence(parameters.sequence(0));
        const allShards = parameters.boolean(1);
        if (known === undefined) throw internalRpcError('tx not found');
        if (!known.state.finalized) return allShards ? null : [];
        const shard = deps.shard();
        if (allShards && shard.count > 1) return null;
        return [{ ip: deps.host, shardConfig: { ...zgShardConfigOf(shard) } }];
      },
    },
    admin_getSyncServiceState: {
      parameters: 0,
      run: async () => ({
        numSyncing: 0,
        catchedUp: deps.isSynced(),
        autoSyncSerial: null,
        autoSyncRandom: null,
      }),
    },
    admin_getSyncStatus: { parameters: 1, run: async () => 'unknown' },
    admin_getSyncInfo: { parameters: 1, run: async () => ({}) },
    admin_terminateSync: { parameters: 1, run: async () => false },
    admin_findFile: { parameters: 1, run: fetchSoon },
    admin_startSyncFile: { parameters: 1, run: fetchSoon },
    admin_startSyncChunks: { parameters: 3, run: fetchSoon },
  };
}

function networkInfo(sync: AdminSync | undefined): Json {
  const peers = sync?.peers;
  const connected = peers?.connected.length ?? 0;
  const known = Math.max(peers?.known ?? 0, connected);
  const dialled = peers?.dialled.size ?? 0;
  return {
    peerId: sync?.self ?? '',
    listenAddresses: [...(sync?.addresses ?? [])],
    totalPeers: known,
    bannedPeers: peers?.banned ?? 0,
    disconnectedPeers: known - connected,
    connectedPeers: connected,
    connectedOutgoingPeers: dialled,
    connectedIncomingPeers: connected - dialled,
  };
}

/** Peers that there is a connection to, by peer id; 0G's indexer reads `seenIps`. */
function peersJson(sync: AdminSync | undefined): Json {
  if (sync === undefined) return {};
  const { connected, dialled } = sync.peers;
  const rows = connected.map((peer): [string, Json] => {
    const record = sync.book.recordOf(peer);
    const isOurs = dialled.has(peer);
    return [
      peer,
      {
        client: { version: '', os: '', protocol: '', agent: null },
        connectionStatus: {
          status: 'connected',
          connectionsIn: isOurs ? 0 : 1,
          connectionsOut: isOurs ? 1 : 0,
          lastSeenSecs: 0,
        },
        listeningAddresses: [...(record?.addresses ?? [])],
        seenIps: record?.url === undefined ? [] : [new URL(record.url).hostname],
        isTrusted: false,
        connectionDirection: isOurs ? 'Outgoing' : 'Incoming',
        enr: null,
      },
    ];
  });
  return Object.fromEntries(rows);
}

/** Measures as 0G's map of name to `type value`, by name. */
function metricsMap(text: string, prefix: string): Json {
  const types = new Map<string, string>();
  const rows: [string, string][] = [];
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type?.[1] !== undefined && type[2] !== undefined) types.set(type[1], type[2]);
    const row = /^([A-Za-z_:][\w:]*(?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (row?.[1] === undefined || row[2] === undefined || !row[1].startsWith(prefix)) continue;
    const family = row[1].replace(/\{.*$/, '');
    const kind = types.get(family) ?? types.get(family.replace(/_(bucket|sum|count)$/, ''));
    rows.push([row[1], `${kind ?? 'untyped'} ${row[2]}`]);
  }
  return Object.fromEntries(rows.sort(([left], [right]) => (left < right ? -1 : 1)));
}
