import { blstBackend } from '@cairn/attestation/native';
import { createChainClient } from '@cairn/chain-access';
import type { CertifiedBlob } from '@cairn/light-client';
import { LightChain } from '@cairn/light-client/chain';
import { type Address, isFault, systemClock } from '@cairn/primitives';
import type { DaChainPlace } from './da-options.ts';
import { type KnownEpoch, placeOf, verifyWith } from './known-epoch.ts';

/** The contracts of data availability behind one endpoint, and what their events tell. */
export interface DaChain extends Pick<LightChain, 'entrance' | 'epochs' | 'hub' | 'signers'> {
  readonly light: LightChain;
  close(): Promise<void>;
}

interface Waiting {
  readonly signal: AbortSignal;
}

/**
 * Opens the contracts behind an entrance, and those of the hub that it belongs to.
 *
 * @throws {ChainError}; {DaError} DA_CONTRACTS_DIFFER
 */
export async function openDaChain(
  { rpc, entrance: address, hubRpc, witnesses = [] }: DaChainPlace,
  { signal }: Waiting,
): Promise<DaChain> {
  const client = createChainClient({ rpcUrl: rpc });
  const hubClient = hubRpc === undefined ? client : createChainClient({ rpcUrl: hubRpc });
  const others = witnesses.map((rpcUrl) => createChainClient({ rpcUrl }));
  const close = async (): Promise<void> => {
    for (const one of new Set([client, hubClient, ...others])) await one.close();
  };
  try {
    const light = await LightChain.open(
      { client, hubClient, entrance: address, backend: blstBackend(), witnesses: others },
      { signal },
    );
    const { hub, entrance, signers, epochs } = light;
    return { hub, entrance, signers, epochs, light, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Checks a certificate against an epoch and, where it is too late for that alone, against the batch
 * that the chain took in time, which its state proves.
 *
 * @throws as `verifyWith`; what the chain throws
 */
export async function verifyOnChain(
  certificate: Uint8Array,
  known: KnownEpoch,
  { light }: Pick<DaChain, 'light'>,
  { signal }: Waiting,
): Promise<CertifiedBlob> {
  const clock = systemClock();
  try {
    return verifyWith(certificate, known, { clock });
  } catch (error) {
    if (!isFault(error, 'CERTIFICATE_TOO_OLD')) throw error;
    const certified = verifyWith(certificate, known, { clock, isConfirmed: true });
    const { root } = certified.certificate.statement;
    const leaf = { root, leafIndex: placeOf(certificate).leafIndex };
    const block = await light.finalBlock({ signal });
    if (!(await light.isCounted(leaf, block, { signal }))) throw error;
    return certified;
  }
}

/** Where signers say they are reached. */
export function socketsOf(
  { light }: Pick<DaChain, 'light'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<Address, string>> {
  return light.sockets({ signal });
}
