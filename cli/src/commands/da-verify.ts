import { resolve } from 'node:path';
import type { CertifiedBlob } from '@cairn/light-client';
import { formatBytes, systemClock, toHex } from '@cairn/primitives';
import { onShardOf } from '../blob-shard.ts';
import { openDaChain, verifyOnChain } from '../da-chain.ts';
import { chooseDaChain, type DaNetworkOptions } from '../da-options.ts';
import { MAX_CERTIFICATE_BYTES } from '../disperser-client.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { placeOf, readEpochFile, readKnownEpoch, verifyWith } from '../known-epoch.ts';
import { readBounded } from '../local-files.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn da verify` takes. */
export interface DaVerifyOptions extends DaNetworkOptions {
  readonly epochFile?: string;
  readonly json?: boolean;
}

/** Checks a certificate against an epoch file, asking nobody, or against the chain's epoch. */
export async function daVerify(
  typed: string,
  options: DaVerifyOptions,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const certificate = await readBounded(resolve(io.cwd, typed), MAX_CERTIFICATE_BYTES);
  const { epochFile } = options;
  const certified =
    epochFile === undefined
      ? await verifyByChain(
          certificate,
          await onShardOf(options, { certificate: typed }, context),
          context,
        )
      : await verifyByFile(certificate, resolve(io.cwd, epochFile));
  await print(certified, options.json === true, io);
  return EXIT.ok;
}

async function verifyByFile(certificate: Uint8Array, path: string): Promise<CertifiedBlob> {
  return verifyWith(certificate, await readEpochFile(path), { clock: systemClock() });
}

async function verifyByChain(
  certificate: Uint8Array,
  options: DaVerifyOptions,
  { io, signal }: CommandContext,
): Promise<CertifiedBlob> {
  const { epoch } = placeOf(certificate);
  const chain = await openDaChain(await chooseDaChain(options, io), { signal });
  try {
    const known = await readKnownEpoch(chain, epoch, { signal });
    return await verifyOnChain(certificate, known, chain, { signal });
  } finally {
    await chain.close();
  }
}

async function print(
  { certificate }: CertifiedBlob,
  isJson: boolean,
  io: CommandIo,
): Promise<void> {
  const { header, statement, signedWeight, totalWeight } = certificate;
  const { sizeBytes, expirySeconds } = header;
  const { epoch, quorumId } = statement;
  const commitment = toHex(header.commitment);
  const seats = { signedSeats: Number(signedWeight), totalSeats: Number(totalWeight) };
  if (isJson) {
    await writeJson(io, { commitment, sizeBytes, epoch, quorumId, expirySeconds, ...seats });
    return;
  }
  await writeLine(io, commitment);
  io.writeErr(
    `${formatBytes(sizeBytes)}, held by signers with ${signedWeight} of ${totalWeight} seats of ` +
      `quorum ${quorumId} in epoch ${epoch}\n`,
  );
}
