import {
  type AvailabilityScore,
  type NodeAvailability,
  type SignedScore,
  signScore,
} from '@cairn/client-sdk';
import { parseRoot } from '@cairn/primitives';
import { formatShard } from '@cairn/wire-protocol';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { findKey, type KeyOptions } from '../keys.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** What `cairn prove availability` takes. */
export interface ProveOptions extends NetworkOptions, KeyOptions {
  readonly samples: number;
  /** In ms. */
  readonly answerTimeout: number;
  /** 32 bytes; drawn anew unless told. */
  readonly seed?: Uint8Array;
  readonly json?: boolean;
}

/**
 * Asks nodes for random sectors of a file and says what they gave. Nodes named by `--node` are asked
 * whatever they should hold; else all that should hold some of it.
 *
 * @returns 4 if an answer was wrong, 5 if some segment is one that no node that passed should hold
 */
export async function proveAvailability(
  rootText: string,
  options: ProveOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const root = parseRoot(rootText);
  const network = await chooseNetwork(options, io);
  // A development network's keys sign nothing unless they are named.
  const key = await findKey(options, [], context);
  const client = await connect({
    ...network,
    // What the file is may be asked of all; the nodes named need not know it.
    nodes: [...network.nodes, ...network.listedNodes],
  });
  try {
    const score = await client.files.proveAvailability(root, {
      samples: options.samples,
      answerMs: options.answerTimeout,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.node === undefined ? {} : { nodes: options.node }),
      signal,
    });
    const signed = key === undefined ? undefined : await sign(score, key);
    if (options.json === true) await io.writeOut(`${JSON.stringify(signed ?? { score })}\n`);
    else await print(score, signed, io);
    if (score.nodes.some(({ wrong }) => wrong > 0)) return EXIT.verification;
    return score.verdict === 'available' ? EXIT.ok : EXIT.timeout;
  } finally {
    await client.close();
  }
}

async function sign(score: AvailabilityScore, key: Uint8Array): Promise<SignedScore> {
  const { signerFromKey } = await import('@cairn/chain-access');
  return signScore(score, signerFromKey(key));
}

async function print(
  score: AvailabilityScore,
  signed: SignedScore | undefined,
  io: CommandIo,
): Promise<void> {
  const { verdict, nodes, leastReplicas, mostReplicas, samples, lossBound } = score;
  const replicas =
    leastReplicas === mostReplicas ? `${leastReplicas}` : `${leastReplicas} to ${mostReplicas}`;
  await writeLine(
    io,
    `${verdict}, each segment at ${replicas} nodes that gave all they were asked`,
  );
  const rows = nodes.map((node) => [
    node.url,
    node.shard === undefined ? '?' : formatShard(node.shard),
    node.asked,
    node.answered,
    node.wrong,
    node.silent,
    wordOf(node),
  ]);
  const head = ['NODE', 'SHARD', 'ASKED', 'ANSWERED', 'WRONG', 'SILENT', ''];
  await writeLine(io, `\n${formatTable(head, rows)}`);
  const { share, chance, chanceAtTenth } = lossBound;
  io.writeErr(
    share === 0
      ? 'every sector was asked for: nothing is missing where all was given\n'
      : `a node that lost a share p of the file passes with (1 - p)^${samples} at most: ` +
          `${percent(share)} or more once in ${Math.round(1 / chance)}, ` +
          `10 % with a chance of ${percent(chanceAtTenth)}\n`,
  );
  if (signed !== undefined) io.writeErr(`signed by ${signed.signer}; --json prints the score\n`);
}

function wordOf({ passed, sectors, asked, reasons }: NodeAvailability): string {
  if (passed) return sectors === 0 ? 'holds none' : asked === sectors ? 'has all' : 'passed';
  return Object.entries(reasons)
    .map(([code, count]) => `${code} ${count}`)
    .join(', ');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
