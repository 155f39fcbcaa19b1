import { gasRows } from './da/gas.ts';
import { growthRows } from './da/growth.ts';
import { networkRows } from './da/network.ts';
import { wireRows } from './da/wire.ts';
import { machineLine, type Report, type Row } from './report.ts';

const PARTS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  gas: gasRows,
  network: networkRows,
  wire: wireRows,
  growth: growthRows,
};

/**
 * Blobs: what they cost on chain and on the wire, how soon they are certified, and how all of it
 * grows with the quorum.
 *
 * @param part - one of them alone: `gas`, `network`, `wire` or `growth`
 */
export async function measureDa(part?: string): Promise<Report> {
  if (part !== undefined && PARTS[part] === undefined) {
    throw new RangeError(`no part "${part}"; there is: ${Object.keys(PARTS).join(', ')}`);
  }
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (part === undefined || part === name) rows.push(...(await measure()));
  }
  return { suite: 'da', machine: machineLine(), rows };
}
