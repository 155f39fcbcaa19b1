import type { Json } from '@cairn/primitives';
import {
  internalRpcError,
  type ShardConfig,
  serverRpcError,
  zgShardConfigOf,
} from '@cairn/wire-protocol';
import type { EntryFinder } from '../entry-finder.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';

/** What the admin methods act on. */
export interface ZgAdminDeps {
  readonly finder: EntryFinder;
  readonly shard: () => ShardConfig;
  /** Address under which clients reach the node. */
  readonly host: string;
  readonly isSynced: () => boolean;
  /** The measures in the Prometheus text format. */
  readonly renderMetrics: () => Promise<string>;
  /** Begins an orderly stop and returns at once. */
  readonly shutdown: () => void;
}

/**
 * The admin_* methods of 0G nodes, on the admin socket only. This node has no peer-to-peer network:
 * what is about peers is empty, what would start a transfer between peers is refused.
 */
export function zgAdminMethods(deps: ZgAdminDeps): JsonRpcMethods {
  const noPeers = async (): Promise<Json> => {
    throw serverRpcError('this node has no peers to fetch files from');
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
      run: async () => ({
        peerId: '',
        listenAddresses: [],
        totalPeers: 0,
        bannedPeers: 0,
        disconnectedPeers: 0,
        connectedPeers: 0,
        connectedOutgoingPeers: 0,
        connectedIncomingPeers: 0,
      }),
    },
    admin_getPeers: { parameters: 0, run: async () => ({}) },
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
    admin_findFile: { parameters: 1, run: noPeers },
    admin_startSyncFile: { parameters: 1, run: noPeers },
    admin_startSyncChunks: { parameters: 3, run: noPeers },
  };
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
