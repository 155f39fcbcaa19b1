import { type Domain, nobleBackend } from '@cairn/attestation';
import { loadRowSuite, sha256Suite } from '@cairn/commitments/rows';
import {
  loadWasmCodec,
  loadWasmCombiner,
  type RowCodec,
  type RowCombiner,
  referenceCodec,
  scalarCombiner,
} from '@cairn/erasure-codec';
import {
  type Clock,
  type ConsensusParams,
  type HttpTransport,
  type Rng,
  systemClock,
  systemRng,
} from '@cairn/primitives';
import type { EpochTrust } from './epochs/epoch-trust.ts';
import type { TrustBackend } from './epochs/follow-handover.ts';
import { LightClient } from './light-client.ts';

/** Seconds by which an epoch may begin after the time of the clock, unless told. */
export const DEFAULT_MAX_DRIFT_SECONDS = 60;

/** The numbers of a network that a light client judges by. */
export type LightParams = Pick<
  ConsensusParams,
  'cosets' | 'minDataRows' | 'graceSeconds' | 'trustingSeconds'
>;

/** What a light client is made of. Everything left out has a working default. */
export interface LightClientOptions {
  readonly params: LightParams;
  /** The DA entrance and the consensus shard it serves. */
  readonly entrance: Domain;
  readonly shardId: number;
  /** Of `startTrust`, or of `parseTrust` where a client goes on. */
  readonly trust: EpochTrust;
  /** Reaches holders. */
  readonly transport: Pick<HttpTransport, 'send'>;
  /** 60 unless told. */
  readonly maxDriftSeconds?: number;
  /** Checks signatures: noble in browsers, blst in Node, unless told. */
  readonly backend?: TrustBackend;
  readonly clock?: Clock;
  /** Draws samples: cryptographic outside tests. */
  readonly rng?: Rng;
}

/**
 * A light client with kernels of its own: WebAssembly where it has SIMD, else plain TypeScript, some
 * twenty times slower. Nothing is sent before it is asked to sample.
 */
export async function createLightClient(options: LightClientOptions): Promise<LightClient> {
  const { params, entrance, shardId, trust, transport } = options;
  const { backend = nobleBackend(), clock = systemClock(), rng = systemRng() } = options;
  const { maxDriftSeconds = DEFAULT_MAX_DRIFT_SECONDS } = options;
  const blake3Suite = await loadRowSuite(0);
  const suiteOf = (id: 0 | 1) => (id === 0 ? blake3Suite : sha256Suite);
  const { codec, combiner } = await loadKernels(clock);
  const deps = { transport, clock, rng, suiteOf, combiner, codec, backend };
  const layout = { cosets: params.cosets, minLog2K: Math.log2(params.minDataRows) };
  const { graceSeconds, trustingSeconds } = params;
  const network = { entrance, shardId, layout, graceSeconds, trustingSeconds, maxDriftSeconds };
  return new LightClient(deps, network, trust);
}

async function loadKernels(
  clock: Clock,
): Promise<{ readonly codec: RowCodec; readonly combiner: RowCombiner }> {
  try {
    return { codec: await loadWasmCodec({ clock }), combiner: await loadWasmCombiner() };
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    return { codec: referenceCodec(clock), combiner: scalarCombiner() };
  }
}
