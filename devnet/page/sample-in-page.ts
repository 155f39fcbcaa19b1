import { nobleBackend, parseCertificate } from '@cairn/attestation';
import { createChainClient, fetchTransport } from '@cairn/chain-access';
import {
  type CertifiedBlob,
  createLightClient,
  type RowPlaces,
  type SampleProgress,
  type SampleVerdict,
  startTrust,
} from '@cairn/light-client';
import { LightChain } from '@cairn/light-client/chain';
import { type Address, isFault, parseRoot, rootBytes } from '@cairn/primitives';
import { certificatePath } from '@cairn/wire-protocol/da';
import type { PageNetwork } from './page-network.ts';

/** Bytes of a certificate at most; one of the largest quorum has far less. */
const MAX_CERTIFICATE_BYTES = 2 ** 20;

interface Waiting {
  readonly signal: AbortSignal;
}

/** Told how far it is. */
export interface SampleWatch {
  onStep(text: string): void;
  /** The certificate holds; rows are asked for next. */
  onCertified(certified: CertifiedBlob, places: RowPlaces): void;
  onProgress(progress: SampleProgress): void;
}

/** What came out, and what it rests on. */
export interface PageSample {
  readonly certified: CertifiedBlob;
  readonly verdict: SampleVerdict;
  readonly sockets: ReadonlyMap<Address, string>;
  /** The block by whose state the epoch was proven. */
  readonly block: { readonly number: number; readonly hash: string };
  readonly chainId: number;
  /** Time to check the certificate, and to sample. */
  readonly verifyMs: number;
  readonly sampleMs: number;
}

/**
 * The order in which the page samples a blob: chain, certificate, epoch proven by a block's state,
 * signature, rows, verdict. Everything is checked here; signatures by noble.
 *
 * @param wanted - a commitment or id; empty for the newest confirmed blob
 * @throws {Error} with a sentence for people
 */
export async function sampleInPage(
  { rpc, entrance, rest }: PageNetwork,
  wanted: string,
  watch: SampleWatch,
  { signal }: Waiting,
): Promise<PageSample> {
  const backend = nobleBackend();
  const client = createChainClient({ rpcUrl: rpc });
  watch.onStep('Looking at the chain …');
  const chain = await LightChain.open({ client, entrance, backend }, { signal });
  watch.onStep('Looking for the blob’s certificate …');
  const certificate = await findCertificate(chain, wanted, rest, { signal });
  const { epoch, quorumId, leafIndex } = parseCertificate(certificate, backend);
  watch.onStep(`Proving epoch ${epoch} by the chain’s state …`);
  const block = await chain.finalBlock({ signal });
  await chain.proveEpoch(epoch, block.hash, { signal });
  const offer = { certificate, ...(await chain.quorum({ epoch, quorumId }, { signal })) };
  const { shardId, cosets, minLog2K, graceSeconds } = chain.entrance.settings;
  const light = await createLightClient({
    // One epoch is known and none is followed.
    params: { cosets, minDataRows: 2 ** minLog2K, graceSeconds, trustingSeconds: 0 },
    entrance: chain.entrance.domain,
    shardId,
    trust: startTrust(await chain.anchorOf(epoch, { signal })),
    transport: fetchTransport(),
    backend,
  });
  watch.onStep('Checking what the quorum signed …');
  const begunAt = performance.now();
  const certified = await verified();
  const verifiedAt = performance.now();
  watch.onCertified(certified, light.placesOf(certified));
  watch.onStep('Asking signers for rows …');
  const sockets = await chain.sockets({ signal });
  const onProgress = (progress: SampleProgress): void => watch.onProgress(progress);
  const verdict = await light.sample(certified, sockets, { signal, onProgress });
  return {
    ...{ certified, verdict, sockets, block },
    chainId: chain.entrance.chainId,
    verifyMs: verifiedAt - begunAt,
    sampleMs: performance.now() - verifiedAt,
  };

  async function verified(): Promise<CertifiedBlob> {
    try {
      return light.verify(offer);
    } catch (error) {
      if (!isFault(error, 'CERTIFICATE_TOO_OLD')) throw error;
      const late = light.verify(offer, { isConfirmed: true });
      const leaf = { root: late.certificate.statement.root, leafIndex };
      if (await chain.isCounted(leaf, block, { signal })) return late;
      throw error;
    }
  }
}

async function findCertificate(
  chain: LightChain,
  wanted: string,
  rest: string | undefined,
  { signal }: Waiting,
): Promise<Uint8Array> {
  if (wanted === '') {
    const newest = await chain.findBlob(undefined, { signal });
    if (newest !== undefined) return newest.certificate;
    throw new Error('No blob is confirmed yet: post one with “npx cairn da put FILE”.');
  }
  const root = parseRoot(wanted);
  const byId =
    rest === undefined ? undefined : await askDisperser(`${rest}${certificatePath(root)}`);
  if (byId !== undefined) return byId;
  const found = await chain.findBlob(rootBytes(root), { signal });
  if (found !== undefined) return found.certificate;
  throw new Error(`Neither the disperser nor the chain knows a blob ${wanted}.`);

  async function askDisperser(url: string): Promise<Uint8Array | undefined> {
    try {
      const reply = await fetchTransport().send({ method: 'GET', url, signal });
      if (reply.status === 200) return await reply.bytes(MAX_CERTIFICATE_BYTES);
      await reply.discard();
    } catch {
      signal.throwIfAborted(); // else it is away: then nobody knows the id
    }
    return undefined;
  }
}
