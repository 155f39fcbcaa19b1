import { machineLine, type Report, type Row } from './report.ts';
import { busyReadRows } from './storage-network/busy-reads.ts';
import { miningRows } from './storage-network/mining.ts';
import { peerSyncRows } from './storage-network/peer-sync.ts';

const PARTS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  mining: miningRows,
  'peer-sync': peerSyncRows,
  'busy-reads': busyReadRows,
};

/**
 * Storage nodes among each other: what mining does with a core, how quickly an empty disk is filled,
 * and how long reads take meanwhile.
 *
 * @param part - one of them alone: `mining`, `peer-sync` or `busy-reads`
 */
export async function measureStorageNetwork(part?: string): Promise<Report> {
  if (part !== undefined && PARTS[part] === undefined) {
    throw new RangeError(`no part "${part}"; there is: ${Object.keys(PARTS).join(', ')}`);
  }
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (part === undefined || part === name) rows.push(...(await measure()));
  }
  return { suite: 'storage-network', machine: machineLine(), rows };
}
