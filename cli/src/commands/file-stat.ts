import type { FileStat } from '@cairn/client-sdk';
import { formatBytes, parseRoot, type Root, toHex } from '@cairn/primitives';
import { formatShard } from '@cairn/wire-protocol';
import { askEntries, type KnownEntry } from '../ask-entries.ts';
import { connect } from '../connect.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** Prints what the network says about a file: its log entries, who keeps it, how often. */
export async function fileStat(
  rootText: string,
  options: NetworkOptions & { readonly json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const root = parseRoot(rootText);
  const network = await chooseNetwork(options, io);
  const client = await connect(network);
  try {
    const stat = await client.files.stat(root, { signal });
    if (stat === undefined) throw notFound(root, network.name);
    const urls = stat.holders.map(({ url }) => url);
    const entries = await askEntries(root, urls, { signal });
    if (options.json === true) await io.writeOut(`${JSON.stringify(statJson(stat, entries))}\n`);
    else await printStat(stat, entries, io);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** The fault for a file that no node of a network knows. */
export function notFound(root: Root, network: string): CliError {
  return new CliError(
    { code: 'CLI_NOT_FOUND', what: root, network },
    `no node of ${network} knows ${root}`,
  );
}

function statJson(stat: FileStat, entries: readonly KnownEntry[]): object {
  return {
    ...stat,
    entries: entries.map((entry) => ({ ...entry, tags: toHex(entry.tags) })),
  };
}

async function printStat(
  { root, sequence, chainId, sizeBytes, finalised, replicas, holders }: FileStat,
  entries: readonly KnownEntry[],
  io: CommandIo,
): Promise<void> {
  const facts: (readonly [string, string])[] = [
    ['root', root],
    ['size', `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`],
    ['sequence', `${sequence}${chainId === undefined ? '' : ` on chain ${chainId}`}`],
    ['state', finalised ? 'finalised' : 'not complete yet'],
    ['replicas', String(replicas)],
  ];
  for (const [name, value] of facts) await writeLine(io, `${name.padEnd(9)} ${value}`);
  const holderRows = holders.map((holder) => [
    holder.url,
    formatShard(holder.shard),
    holder.heldSegments === undefined ? '?' : String(holder.heldSegments),
    String(holder.ownedSegments),
    holder.finalised ? 'yes' : 'no',
  ]);
  const holderHead = ['HOLDER', 'SHARD', 'HELD', 'OF', 'FINAL'];
  await writeLine(io, `\n${formatTable(holderHead, holderRows)}`);
  if (entries.length === 0) return;
  const entryRows = entries.map((entry) => [
    entry.sequence,
    entry.block,
    entry.startSector,
    entry.submitter,
    entry.tags.length === 0 ? '-' : toHex(entry.tags),
  ]);
  const entryHead = ['SEQUENCE', 'BLOCK', 'SECTOR', 'SUBMITTER', 'TAGS'];
  await writeLine(io, `\n${formatTable(entryHead, entryRows)}`);
}
