import type { Committee, Domain, SigningKey } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  type Address,
  bigEndianBytes,
  chainIdOf,
  keccak256,
  parseAddress,
  utf8Bytes,
} from '@cairn/primitives';
import { ownCommittee } from '../../src/dev/own-committee.ts';
import type { DispersalNetwork } from '../../src/disperser/ports.ts';

export const backend = blstBackend();

export const ENTRANCE: Domain = {
  chainId: chainIdOf(31_337),
  address: parseAddress(`0x${'da'.repeat(20)}`),
};

export const NETWORK: DispersalNetwork = {
  network: { hubChainId: chainIdOf(31_337), hub: parseAddress(`0x${'1b'.repeat(20)}`) },
  entrance: ENTRANCE,
  shardId: 0,
  layout: { cosets: 3, minLog2K: 6 },
  epochSeconds: 60,
  graceSeconds: 60,
};

export function signerAddress(index: number): Address {
  return parseAddress(`0x${(0x51_0000 + index).toString(16).padStart(40, '0')}`);
}

export function signerKey(index: number): SigningKey {
  const material = keccak256(utf8Bytes(`cairn da test signer ${index}`));
  return backend.openKey(backend.secretFromMaterial(material));
}

/** The committee of an epoch: the same members in each, with these seats. */
export function committeeOf(
  epoch: number,
  seats: readonly number[],
  times: { readonly startSeconds: number; readonly endSeconds: number },
): Committee {
  const members = seats.map((count, index) => ({
    signer: signerAddress(index),
    seats: count,
    publicKey: signerKey(index).publicKey,
  }));
  const seed = keccak256(utf8Bytes('seed'), bigEndianBytes(epoch, 8));
  return ownCommittee({ members, office: { epoch, ...times, seed } }, backend);
}
