import type { Client, FileEconomics, FileStat } from '@cairn/client-sdk';
import {
  describeError,
  Fault,
  formatBytes,
  formatCoin,
  parseRoot,
  type Root,
  toHex,
} from '@cairn/primitives';
import { formatShard } from '@cairn/wire-protocol';
import { askEconomics, type ToldEconomics } from '../ask-economics.ts';
import { askEntries, type KnownEntry } from '../ask-entries.ts';
import { connect, fileOn } from '../connect.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { writeLine } from '../output.ts';
import { formatTable } from '../table.ts';
import { daysOf, paidUntilText } from './file-extend.ts';

/** Prints what is known of a file: its log entries, who keeps it, how often, and what the chain says. */
export async function fileStat(
  rootText: string,
  options: NetworkOptions & { readonly json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const root = parseRoot(rootText);
  const network = await chooseNetwork(options, io);
  const client = await connect(network);
  try {
    const stat = await client.files.stat(fileOn(root, network), { signal });
    if (stat === undefined) throw notFound(root, network.name);
    const urls = stat.holders.map(({ url }) => url);
    const entries = await askEntries(root, urls, { signal });
    const economics =
      network.rpc === undefined && network.shards === undefined
        ? await askEconomics(stat, urls, { signal })
        : await economicsOf(client, stat, { io, signal });
    if (options.json === true) {
      const fees = economics === undefined ? {} : { economics };
      await io.writeOut(`${JSON.stringify({ ...statJson(stat, entries), ...fees }, textOfWei)}\n`);
    } else {
      await printStat(stat, entries, economics, io);
    }
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

/** What the chain says of its fees; `undefined`, with a word, where it does not. */
async function economicsOf(
  client: Client,
  { root, sequence, shard }: FileStat,
  { io, signal }: CommandContext,
): Promise<FileEconomics | undefined> {
  const file = { root, sequence, ...(shard === undefined ? {} : { shard }) };
  try {
    return await client.files.economics(file, { signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error;
    io.writeErr(`what it costs is not known: ${describeError(error)}\n`);
    return undefined;
  }
}

/** Amounts as decimal texts. */
function textOfWei(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function economicsFacts(
  economics: FileEconomics | ToldEconomics,
): readonly (readonly [string, string])[] {
  const { paidWei, paidUntil, renewalWei, termSeconds, lastProven } = economics;
  const { file, chunk, fromBlock } = lastProven;
  const answer = file ?? chunk;
  const of = file === undefined ? ', of its pricing chunk' : '';
  const proven =
    answer === undefined
      ? `by nobody since block ${fromBlock}`
      : `in block ${answer.block} by ${answer.beneficiary ?? answer.minerId}${of}`;
  return [
    ...(paidWei === undefined ? [] : [['cost', `${formatCoin(paidWei)} coins`] as const]),
    ['paid', paidUntilText(paidUntil)],
    ['renewal', `${formatCoin(renewalWei)} coins for ${daysOf(termSeconds)}`],
    ['proven', proven],
    // Nobody asked the chain: what a node says of it.
    ...('url' in economics ? [['says', economics.url] as const] : []),
  ];
}

function statJson(stat: FileStat, entries: readonly KnownEntry[]): object {
  return {
    ...stat,
    entries: entries.map((entry) => ({ ...entry, tags: toHex(entry.tags) })),
  };
}

async function printStat(
  stat: FileStat,
  entries: readonly KnownEntry[],
  economics: FileEconomics | ToldEconomics | undefined,
  io: CommandIo,
): Promise<void> {
  const { root, sequence, chainId, shard, sizeBytes, finalised, replicas, holders } = stat;
  const { leastReplicas, mostReplicas } = stat;
  const facts: (readonly [string, string])[] = [
    ['root', root],
    ['size', `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`],
    ['sequence', `${sequence} on chain ${chainId}${shard === undefined ? '' : `, shard ${shard}`}`],
    ['state', finalised ? 'finalised' : 'not complete yet'],
    ['replicas', `${replicas}; a segment is at ${leastReplicas} to ${mostReplicas} nodes`],
    ...(economics === undefined ? [] : economicsFacts(economics)),
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
