import { machineLine, type Report, type Row } from './report.ts';
import { miningRows } from './storage-network/mining.ts';
import { peerSyncRows } from './storage-network/peer-sync.ts';

const PARTS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  mining: miningRows,
  'peer-sync': peerSyncRows,
};

/**
 * Storage nodes among each other: what mining does with a core, how quickly an empty disk is filled.
 *
 * @param part - one of them alone: `mining` or `peer-sync`
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
