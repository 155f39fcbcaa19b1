/**
 * Verifies a blob's certificate with nothing but a file: the header of its epoch, the snapshot and the
 * members of its quorum, and where it should be. Speaks to nobody. Prints what was proven.
 */
import { readFileSync } from 'node:fs';
import {
  nobleBackend,
  parseCertificate,
  parseEpochHeader,
  parseSnapshot,
  verifyBlobCertificate,
  verifyMembers,
  verifySnapshot,
} from '@cairn/attestation';
import { chainIdOf, fromHex, parseAddress, toHex } from '@cairn/primitives';

const [file = ''] = process.argv.slice(2);
const known = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly chainId: number;
  readonly hub: string;
  readonly entrance: string;
  readonly office: string;
  readonly snapshot: string;
  readonly members: readonly string[];
  readonly nowSeconds: number;
  readonly certificate: string;
};
const backend = nobleBackend();
const chainId = chainIdOf(known.chainId);
const office = parseEpochHeader(fromHex(known.office));
const snapshot = verifySnapshot(parseSnapshot(fromHex(known.snapshot), backend), office);
const committee = verifyMembers(known.members.map(fromHex), snapshot);
const { header, signedWeight, totalWeight } = verifyBlobCertificate(
  parseCertificate(fromHex(known.certificate), backend),
  {
    network: { hubChainId: chainId, hub: parseAddress(known.hub) },
    entrance: { chainId, address: parseAddress(known.entrance) },
    shardId: 0,
    maxMembers: 32,
    snapshot,
    committee,
    time: { trustedTimeSeconds: known.nowSeconds, graceSeconds: 60 },
  },
  backend,
);
const proven = {
  commitment: toHex(header.commitment),
  sizeBytes: header.sizeBytes,
  signedWeight: Number(signedWeight),
  totalWeight: Number(totalWeight),
};
process.stdout.write(`${JSON.stringify(proven)}\n`);
