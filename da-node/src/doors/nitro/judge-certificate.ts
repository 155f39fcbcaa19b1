import { equalBytes } from '@cairn/primitives';
import type { DispersalNetwork, EpochSource } from '../../disperser/ports.ts';
import type { DaChainFacts } from '../chain-facts.ts';
import { settleLeaf } from '../settle-batch.ts';
import { batchRootOf, type NitroCertificate } from './certificate.ts';
import { invalidCertificate, NitroError } from './errors.ts';

/** What certificates are judged by. */
export interface NitroJudgeDeps {
  readonly network: Pick<DispersalNetwork, 'entrance' | 'shardId' | 'graceSeconds'>;
  readonly epochs: Pick<EpochSource, 'committee'>;
  readonly chain: Pick<DaChainFacts, 'leaf' | 'finalSeconds' | 'finalEpoch'>;
}

/** Suite whose rows the validator's contract can prove. */
export const PROVABLE_SUITE = 1;
/** An epoch's seed is drawn in the epoch but one before it: nobody can name it earlier. */
const SEEDED_EPOCHS = 2;

/**
 * Whether a certificate is valid, as `NitroCertificateValidator` says it on chain: for everybody alike,
 * and for ever. Resolves if it is.
 *
 * @throws {NitroError} NITRO_CERTIFICATE where it is not and never will be; NITRO_UNDECIDED where that
 *   cannot be told yet
 * @throws what the chain throws; the signal's reason
 */
export async function judgeNitroCertificate(
  certificate: NitroCertificate,
  { network, epochs, chain }: NitroJudgeDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { entrance, epoch, quorumId, count, leafIndex, seed, header } = certificate;
  const isHere =
    entrance.chainId === network.entrance.chainId && entrance.address === network.entrance.address;
  if (!isHere) throw invalidCertificate('network', 'the certificate is of another network');
  if (header.shardId !== network.shardId) {
    throw invalidCertificate('shard', `the blob is on shard ${header.shardId}`);
  }
  if (header.suite !== PROVABLE_SUITE) {
    throw invalidCertificate('suite', 'the rows of the blob cannot be proven on chain');
  }
  const committee = await epochs.committee(epoch, quorumId, { signal });
  if (committee === undefined) {
    const current = await chain.finalEpoch({ signal });
    if (epoch > current && epoch <= current + SEEDED_EPOCHS) {
      throw undecided(`epoch ${epoch} has not begun in a final block yet`);
    }
    throw invalidCertificate('quorum', `there is no quorum ${quorumId} in epoch ${epoch}`);
  }
  const { office } = committee.snapshot;
  if (!equalBytes(office.seed, seed)) {
    throw invalidCertificate('seed', `epoch ${epoch} has another seed`);
  }
  const closesSeconds = office.endSeconds + network.graceSeconds;
  const leaf = { root: batchRootOf(certificate), epoch, quorumId, count, leafIndex };
  switch (await settleLeaf(leaf, closesSeconds, chain, { signal })) {
    case 'confirmed':
      return;
    case 'open':
      throw undecided(`the batch of the blob can be confirmed until ${closesSeconds}`);
    case 'void':
      throw invalidCertificate('leaf', 'the blob was not paid for');
    case 'never':
      throw invalidCertificate('batch', `the batch was not confirmed by ${closesSeconds}`);
  }
}

function undecided(sentence: string): NitroError {
  return new NitroError({ code: 'NITRO_UNDECIDED' }, sentence);
}
