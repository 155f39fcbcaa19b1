import { resolve } from 'node:path';
import { parseCertificate } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { createChainClient } from '@cairn/chain-access';
import { openEntrance, readBlobFee, readEntranceEpoch } from '@cairn/chain-access/da';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { describeError, mapConcurrent, type Root } from '@cairn/primitives';
import type { ChainEndpoint, Endpoints } from '@cairn/wire-protocol';
import type { DaNetworkOptions } from './da-options.ts';
import { DisperserClient, MAX_CERTIFICATE_BYTES } from './disperser-client.ts';
import { CliError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { readBounded } from './local-files.ts';
import { readNetworkFile } from './network-options.ts';

/** A consensus shard that takes blobs, and what one costs there now. */
export interface BlobCandidate {
  readonly shard: number;
  /** Wei of the shard's chain for a blob kept for one epoch; `undefined` where that cannot be told. */
  readonly feeWei: bigint | undefined;
  /** Why it takes none now. */
  readonly fault: string | undefined;
}

interface BlobPlace {
  readonly shard: number;
  readonly chain: ChainEndpoint;
  readonly rest: string;
}

/** The hub's own, for blobs. */
const HUB_SHARD = 0;
/** Dispersers default to it. One that keeps blobs for longer does not tell, so more epochs are not counted. */
const PRICED_EPOCHS = 1;
const ASK_MS = 5000;
/** Dispersers asked at once. */
const PARALLEL = 8;

/**
 * The options of a command that posts a blob, with the consensus shard named that is cheapest now among those whose
 * dispersers say that they are ready: the lower number of equals; says why the others take none. Options that name a
 * shard or an address stay as they are, and so do those of a network with one disperser, or where none can say.
 *
 * @throws {CliError} CLI_NO_NETWORK, CLI_ENDPOINTS_INVALID; the signal's reason
 */
export async function onCheapestShard<Options extends DaNetworkOptions>(
  options: Options,
  sizeBytes: number,
  context: Pick<CommandContext, 'io' | 'signal'>,
): Promise<Options> {
  const places = await placesOf(options, context);
  if (places.length < 2) return options;
  const { signal } = context;
  const candidates: BlobCandidate[] = [];
  const ask = (place: BlobPlace, inner: AbortSignal) => askPlace(place, sizeBytes, inner);
  for await (const each of mapConcurrent(places, ask, { parallel: PARALLEL, signal })) {
    candidates.push(each);
    const { shard, fault } = each;
    if (fault !== undefined) context.io.writeErr(`consensus shard ${shard} takes none: ${fault}\n`);
  }
  const best = cheapestOf(candidates);
  return best === undefined ? options : { ...options, consensusShard: best.shard };
}

/**
 * The best of those that take blobs: the cheaper, a wei of one chain counting as much as one of another; then the lower
 * number. A price that is not known comes last.
 */
export function cheapestOf(candidates: readonly BlobCandidate[]): BlobCandidate | undefined {
  const [best] = candidates
    .filter(({ fault }) => fault === undefined)
    .toSorted((left, right) => {
      if (left.feeWei === right.feeWei) return left.shard - right.shard;
      if (left.feeWei === undefined) return 1;
      if (right.feeWei === undefined) return -1;
      return left.feeWei < right.feeWei ? -1 : 1;
    });
  return best;
}

/** Which blob a command is about; neither where it says nothing of one. */
export interface BlobInHand {
  /** The SHA-256 of its bytes. */
  readonly id?: Root | undefined;
  /** A file with what its quorum signed, which comes first. */
  readonly certificate?: string | undefined;
}

/**
 * The options of a command about a blob, with its consensus shard named: that of the entrance in the certificate, or
 * that whose disperser knows the id, the lowest number of several. Options that name a shard or an address stay as
 * they are, and so do those of a blob that is of none of them; says then whose disperser did not answer.
 *
 * @throws {MessageError}, {BlsError} for a file that is no certificate; as {@link onCheapestShard}
 */
export async function onShardOf<Options extends DaNetworkOptions>(
  options: Options,
  { id, certificate }: BlobInHand,
  context: Pick<CommandContext, 'io' | 'signal'>,
): Promise<Options> {
  if (id === undefined && certificate === undefined) return options;
  const places = await placesOf(options, context);
  if (places.length < 2) return options;
  const shard =
    certificate === undefined
      ? id && (await shardThatKnows(id, places, context))
      : await shardThatTook(resolve(context.io.cwd, certificate), places);
  return shard === undefined ? options : { ...options, consensusShard: shard };
}

async function shardThatTook(
  path: string,
  places: readonly BlobPlace[],
): Promise<number | undefined> {
  const bytes = await readBounded(path, MAX_CERTIFICATE_BYTES);
  const { domain } = parseCertificate(bytes, blstBackend());
  return places.find(({ chain }) => {
    return chain.chainId === domain.chainId && chain.contracts['daEntrance'] === domain.address;
  })?.shard;
}

async function shardThatKnows(
  id: Root,
  places: readonly BlobPlace[],
  { io, signal }: Pick<CommandContext, 'io' | 'signal'>,
): Promise<number | undefined> {
  const ask = async (place: BlobPlace, inner: AbortSignal) => {
    return { shard: place.shard, ...(await askAbout(place, id, inner)) };
  };
  const away: string[] = [];
  for await (const each of mapConcurrent(places, ask, { parallel: PARALLEL, signal })) {
    const { shard, isKnown, fault } = each;
    if (isKnown) return shard;
    if (fault !== undefined)
      away.push(`the disperser of consensus shard ${shard} tells nothing: ${fault}\n`);
  }
  for (const line of away) io.writeErr(line);
  return undefined;
}

/** By rising number; none where the options say whom to ask. */
async function placesOf(
  options: DaNetworkOptions,
  { io }: Pick<CommandContext, 'io'>,
): Promise<readonly BlobPlace[]> {
  const { consensusShard, rest, rpc, entrance } = options;
  const isTold = [consensusShard, rest, rpc, entrance].some((given) => given !== undefined);
  if (isTold) return [];
  const { endpoints } = await readNetworkFile(options, io);
  return dispersersOf(endpoints).toSorted((left, right) => left.shard - right.shard);
}

function dispersersOf({ chains, da, dispersers = [] }: Endpoints): readonly BlobPlace[] {
  return chains.flatMap((chain): BlobPlace[] => {
    const isHub = chain.name === da?.chain;
    const rest = isHub ? da?.rest : dispersers.find((each) => each.chain === chain.name)?.rest;
    const shard = isHub ? HUB_SHARD : chain.logShard;
    return rest === undefined || shard === undefined ? [] : [{ shard, chain, rest }];
  });
}

async function askPlace(
  { shard, chain, rest }: BlobPlace,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<BlobCandidate> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]);
  try {
    const fault = await faultOf(rest, within);
    return {
      shard,
      feeWei: fault === undefined ? await feeOf(chain, sizeBytes, within) : undefined,
      fault,
    };
  } catch (error) {
    signal.throwIfAborted();
    return { shard, feeWei: undefined, fault: describeError(error) };
  }
}

/** Why a disperser takes nothing now, by its own word. */
async function faultOf(rest: string, signal: AbortSignal): Promise<string | undefined> {
  const transport = createNodeTransport();
  try {
    const url = `${rest.replace(/\/+$/, '')}/health/ready`;
    const { status } = await transport.send({ method: 'GET', url, timeoutMs: ASK_MS, signal });
    return status === 200 ? undefined : `${rest} is not ready (status ${status})`;
  } finally {
    await transport.close();
  }
}

async function feeOf(
  { rpc: rpcUrl, contracts }: ChainEndpoint,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const { daEntrance } = contracts;
  if (daEntrance === undefined) return undefined;
  const client = createChainClient({ rpcUrl });
  try {
    const entrance = await openEntrance(
      { client, entrance: daEntrance, finality: 'tag' },
      { signal },
    );
    const epoch = await readEntranceEpoch(entrance, { signal });
    const blob = { sizeBytes, retentionEpochs: PRICED_EPOCHS, epoch };
    return await readBlobFee(entrance, blob, { signal });
  } finally {
    await client.close();
  }
}

/** Whether a disperser knows a blob, or why it cannot be told. */
async function askAbout(
  { rest }: BlobPlace,
  id: Root,
  signal: AbortSignal,
): Promise<{ readonly isKnown: boolean; readonly fault?: string }> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]);
  const client = new DisperserClient(rest);
  try {
    await client.receipt(id, { signal: within });
    return { isKnown: true };
  } catch (error) {
    signal.throwIfAborted();
    const facts = error instanceof CliError ? error.facts : undefined;
    if (facts?.code === 'CLI_REFUSED' && facts.status === 404) return { isKnown: false };
    return { isKnown: false, fault: describeError(error) };
  } finally {
    await client.close();
  }
}
