import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What a node measures of its peers. */
export interface SyncMetrics {
  readonly connectedPeers: Gauge;
  readonly knownPeers: Gauge;
  /** By `result`: stored, held, refused. */
  readonly segments: Counter;
  readonly bytes: Counter;
  /** By `result`: gave, absent, failed, lied. */
  readonly requests: Counter;
  /** By `reason`. */
  readonly bans: Counter;
  /** By `direction`: out, in, hushed. */
  readonly announcements: Counter;
  readonly waitingEntries: Gauge;
}

/** Registers the measures of peers and of what is fetched from them. */
export function createSyncMetrics(metrics: Metrics): SyncMetrics {
  return {
    connectedPeers: metrics.gauge({
      name: 'cairn_sync_peers_connected',
      help: 'peers that there is a connection to',
    }),
    knownPeers: metrics.gauge({
      name: 'cairn_sync_peers_known',
      help: 'peers whose signed record is held',
    }),
    segments: metrics.counter({
      name: 'cairn_sync_segments_total',
      help: 'segments fetched from peers and proven, by what became of them',
      labels: ['result'],
    }),
    bytes: metrics.counter({
      name: 'cairn_sync_bytes_total',
      help: 'bytes of segments fetched from peers and proven',
    }),
    requests: metrics.counter({
      name: 'cairn_sync_requests_total',
      help: 'requests for segments to peers, by how they ended',
      labels: ['result'],
    }),
    bans: metrics.counter({
      name: 'cairn_sync_bans_total',
      help: 'peers kept out, by what they did',
      labels: ['reason'],
    }),
    announcements: metrics.counter({
      name: 'cairn_sync_announcements_total',
      help: 'announcements of files: sent, heard, and kept back since others sent them',
      labels: ['direction'],
    }),
    waitingEntries: metrics.gauge({
      name: 'cairn_sync_waiting_entries',
      help: 'log entries whose segments no peer gave at the last try',
    }),
  };
}
