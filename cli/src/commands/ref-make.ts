import { referTensors } from '@cairn/client-sdk';
import { parseRoot } from '@cairn/primitives';
import { type ContentReference, contentReferenceJson, partOfContent } from '@cairn/wire-protocol';
import { connect, fileOn } from '../connect.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import type { OrderOptions } from '../order-chain.ts';
import { writeLine } from '../output.ts';
import { type RangeText, resolveRange } from '../parse-options.ts';
import { findGlobalIndex } from '../place-file.ts';
import { namedTensor } from '../reference-file.ts';
import { notFound } from './file-stat.ts';

/** What `cairn ref make` takes. */
export interface RefMakeOptions extends NetworkOptions {
  /** Found by the network's order unless told. */
  readonly globalIndex?: number;
  readonly shardRpc?: string;
  readonly range?: RangeText;
  readonly tensor?: string;
}

/** Prints a reference to a file that the network knows, to a part of it, or to a tensor. */
export async function refMake(
  rootText: string,
  { globalIndex: typedIndex, shardRpc, range, tensor, ...options }: RefMakeOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const root = parseRoot(rootText);
  if (range !== undefined && tensor !== undefined) {
    throw usageError('range', 'a tensor has a range of its own: give --range or --tensor');
  }
  const network = await chooseNetwork(options, io);
  const client = await connect(network);
  try {
    const stat = await client.files.stat(fileOn(root, network), { signal });
    if (stat === undefined) throw notFound(root, network.name);
    const { chainId, sizeBytes } = stat;
    const globalIndex =
      typedIndex ?? (await findGlobalIndex(stat, orderOptions(options, shardRpc), context));
    const place = { chainId, globalIndex, root, sizeBytes };
    let content: ContentReference = { ...place, offset: 0, length: sizeBytes };
    if (range !== undefined) content = partOfContent(content, resolveRange(range, sizeBytes));
    if (tensor !== undefined) {
      content = namedTensor(await referTensors(client, content, { signal }), tensor);
    }
    await writeLine(io, contentReferenceJson(content));
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** Where the order is looked for: `--rpc` alone is of the file's chain, and with `--hub` of the hub's. */
function orderOptions(
  { dir, endpoints, hub, rpc }: NetworkOptions,
  shardRpc: string | undefined,
): OrderOptions {
  return {
    ...(dir === undefined ? {} : { dir }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(hub === undefined || rpc === undefined ? {} : { hub, rpc }),
    ...(shardRpc === undefined ? {} : { shardRpc }),
  };
}
