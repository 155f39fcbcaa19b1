import { blstBackend } from '@cairn/attestation/native';
import { createChainClient } from '@cairn/chain-access';
import {
  type Entrance,
  EpochBook,
  type Hub,
  openEntrance,
  openHub,
  readBatch,
  readIsVoid,
  SignerBook,
} from '@cairn/chain-access/da';
import type { CertifiedBlob } from '@cairn/light-client';
import { type Address, isFault, systemClock } from '@cairn/primitives';
import type { DaChainPlace } from './da-options.ts';
import { type KnownEpoch, placeOf, verifyWith } from './known-epoch.ts';

/** The contracts of data availability and what their events tell, from final blocks. */
export interface DaChain {
  readonly hub: Hub;
  readonly entrance: Entrance;
  readonly signers: SignerBook;
  readonly epochs: EpochBook;
  close(): Promise<void>;
}

interface Waiting {
  readonly signal: AbortSignal;
}

/** Opens the contracts behind an entrance. @throws {ChainError}; {DaError} DA_CONTRACTS_DIFFER */
export async function openDaChain(
  { rpc, entrance: address }: DaChainPlace,
  { signal }: Waiting,
): Promise<DaChain> {
  const client = createChainClient({ rpcUrl: rpc });
  try {
    const place = { client, finality: 'tag' } as const;
    const entrance = await openEntrance({ ...place, entrance: address }, { signal });
    const hub = await openHub({ ...place, sortition: entrance.network.hub }, { signal });
    const signers = new SignerBook(hub);
    const epochs = new EpochBook({ hub, signers, backend: blstBackend() });
    return { hub, entrance, signers, epochs, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * Checks a certificate against an epoch and, where it is too late for that alone, against the batch
 * that the chain took in time.
 *
 * @throws as `verifyWith`; what the chain throws
 */
export async function verifyOnChain(
  certificate: Uint8Array,
  known: KnownEpoch,
  { entrance }: DaChain,
  { signal }: Waiting,
): Promise<CertifiedBlob> {
  const clock = systemClock();
  try {
    return verifyWith(certificate, known, { clock });
  } catch (error) {
    if (!isFault(error, 'CERTIFICATE_TOO_OLD')) throw error;
    const certified = verifyWith(certificate, known, { clock, isConfirmed: true });
    const { root } = certified.certificate.statement;
    const block = await entrance.finalBlock({ signal });
    if ((await readBatch(entrance, root, { block, signal })) === undefined) throw error;
    const leaf = { root, leafIndex: placeOf(certificate).leafIndex };
    if (await readIsVoid(entrance, leaf, { block, signal })) throw error;
    return certified;
  }
}

/** Where signers say they are reached. */
export async function socketsOf(
  { signers }: DaChain,
  signal: AbortSignal,
): Promise<ReadonlyMap<Address, string>> {
  await signers.refresh({ signal });
  const sockets = new Map<Address, string>();
  for (const { signer, socket } of signers.all()) {
    if (socket !== undefined && /^https?:\/\//i.test(socket)) sockets.set(signer, socket);
  }
  return sockets;
}
