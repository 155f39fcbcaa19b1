import { resolve } from 'node:path';
import type { CertifiedBlob, LightClient } from '@cairn/light-client';
import {
  type Address,
  type Hex,
  type HttpTransport,
  isFault,
  type Root,
  rootBytes,
  systemClock,
  TransportError,
} from '@cairn/primitives';
import { onShardOf } from './blob-shard.ts';
import { type DaChain, openDaChain, verifyOnChain } from './da-chain.ts';
import { chooseDaChain, type DaNetworkOptions, findDisperser } from './da-options.ts';
import { DisperserClient, MAX_CERTIFICATE_BYTES } from './disperser-client.ts';
import { CliError, usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import {
  type KnownEpoch,
  lightClientOf,
  placeOf,
  readEpochFile,
  readKnownEpoch,
  verifyWith,
} from './known-epoch.ts';
import { readBounded } from './local-files.ts';

/** How a command is told which blob it is about, and what is trusted about its epoch. */
export interface BlobOptions extends DaNetworkOptions {
  /** A file with what the quorum signed: nobody is asked for it then. */
  readonly certificate?: string;
  /** A file of `cairn da quorum --out`: the chain is not asked then. */
  readonly epochFile?: string;
  /** Hash of a block by whose state the epoch is proven. */
  readonly trustedBlock?: Hex;
}

/** A blob whose certificate holds, who can be asked for its rows, and who asks. */
export interface ReachedBlob {
  readonly client: LightClient;
  readonly certified: CertifiedBlob;
  readonly sockets: ReadonlyMap<Address, string>;
}

/** The options with the consensus shard of the blob, where they do not name one and the network has several. */
export async function onItsShard<Options extends BlobOptions>(
  id: Root | undefined,
  options: Options,
  context: CommandContext,
): Promise<Options> {
  const { certificate, epochFile } = options;
  // With both files nobody has to be asked, nor any network be known.
  if (certificate !== undefined && epochFile !== undefined) return options;
  return onShardOf(options, { id, certificate }, context);
}

/**
 * Finds a blob's certificate, verifies it, and says where its signers are: by a certificate file, the
 * disperser, or, where that is gone, by what the chain tells of the blob with this commitment.
 *
 * @param id - the SHA-256 of its bytes, which dispersers know, or its commitment; needs no id where a
 *   certificate is given
 * @throws {CliError} CLI_USAGE, CLI_BLOB_UNTOLD, CLI_EPOCH_FILE, …; what verifying throws
 */
export async function reachBlob(
  id: Root | undefined,
  options: BlobOptions,
  { io, signal }: CommandContext,
  transport: Pick<HttpTransport, 'send'>,
): Promise<ReachedBlob> {
  if (id === undefined && options.certificate === undefined) {
    throw usageError('id', 'name a blob by its id or commitment, or give --certificate FILE');
  }
  if (options.epochFile !== undefined) {
    const known = await readEpochFile(resolve(io.cwd, options.epochFile));
    const certificate = await certificateFor(id, options, { io, signal });
    const certified = verifyWith(certificate, known, { clock: systemClock() });
    const client = await lightClientOf(known, transport);
    const sockets =
      known.sockets.size > 0 ? known.sockets : await socketsByChain(options, { io, signal });
    return { client, certified, sockets };
  }
  const chain = await openDaChain(await chooseDaChain(options, io), { signal });
  try {
    const certificate = await certificateFor(id, options, { io, signal }, chain);
    const known = await provenEpoch(chain, placeOf(certificate).epoch, options, signal);
    const certified = await verifyOnChain(certificate, known, chain, { signal });
    const client = await lightClientOf(known, transport);
    return { client, certified, sockets: known.sockets };
  } finally {
    await chain.close();
  }
}

/** An epoch of the chain's, proven where a block is trusted. @throws {ChainError} CHAIN_BAD_PROOF, … */
export async function provenEpoch(
  chain: DaChain,
  epoch: number,
  { trustedBlock }: Pick<BlobOptions, 'trustedBlock'>,
  signal: AbortSignal,
): Promise<KnownEpoch> {
  if (trustedBlock !== undefined) {
    await chain.light.proveEpoch(epoch, trustedBlock, { signal });
  }
  return readKnownEpoch(chain, epoch, { signal });
}

async function certificateFor(
  id: Root | undefined,
  options: BlobOptions,
  { io, signal }: CommandContext,
  chain?: DaChain,
): Promise<Uint8Array> {
  if (options.certificate !== undefined) {
    return readBounded(resolve(io.cwd, options.certificate), MAX_CERTIFICATE_BYTES);
  }
  if (id === undefined) throw usageError('id', 'name a blob');
  const asked = await askDisperser(id, options, { io, signal });
  if (asked instanceof Uint8Array) return asked;
  const found = await chain?.light.findBlob(rootBytes(id), { signal });
  if (found !== undefined) return found.certificate;
  if (asked instanceof CliError) throw asked; // it answers, and knows no such blob either
  throw new CliError(
    { code: 'CLI_BLOB_UNTOLD', id },
    asked === undefined
      ? `no confirmed blob has the commitment ${id}, and no disperser is named`
      : `no confirmed blob has the commitment ${id}, and the disperser is away: ${asked.message}`,
    { cause: asked },
  );
}

/** What the disperser has, or why it has nothing; `undefined` where none is named. */
async function askDisperser(
  id: Root,
  options: DaNetworkOptions,
  { io, signal }: CommandContext,
): Promise<Uint8Array | CliError | TransportError | undefined> {
  const url = await findDisperser(options, io);
  if (url === undefined) return undefined;
  const disperser = new DisperserClient(url);
  try {
    return await disperser.certificate(id, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TransportError) return error;
    if (isFault(error, 'CLI_REFUSED') && error instanceof CliError) return error;
    throw error;
  } finally {
    await disperser.close();
  }
}

async function socketsByChain(
  options: DaNetworkOptions,
  { io, signal }: CommandContext,
): Promise<ReadonlyMap<Address, string>> {
  const chain = await openDaChain(await chooseDaChain(options, io), { signal });
  try {
    return await chain.light.sockets({ signal });
  } finally {
    await chain.close();
  }
}
