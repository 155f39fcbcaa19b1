import type { Committee } from '@cairn/attestation';
import type { CertifiedBlob, SampleVerdict } from '@cairn/light-client';
import { formatBytes, toHex } from '@cairn/primitives';
import type { PageSample } from './sample-in-page.ts';

const TITLES: Readonly<Record<SampleVerdict['kind'], string>> = {
  available: 'Available',
  unavailable: 'Unavailable',
  badEncoding: 'Wrongly encoded',
};

/** The verdict as title and sentence, with its numbers. */
export function tellVerdict(verdict: SampleVerdict): {
  readonly title: string;
  readonly text: string;
} {
  const { drawn, answered, required, holders, needed, rows } = verdict.report;
  const came = `${answered} of ${drawn} rows came from ${holders} signers and hold.`;
  return { title: TITLES[verdict.kind], text: `${came} ${reason()}` };

  function reason(): string {
    switch (verdict.kind) {
      case 'available':
        if (verdict.confidence.kind === 'sampled') {
          return `If too few of the ${rows} rows were served to read it, that would happen once in 2^${verdict.confidence.bits} times at most.`;
        }
        return verdict.confidence.value.kind === 'null'
          ? `It was read whole and encoded again: no payload has this commitment, but none of the rows that came proves that to others.`
          : `Any ${needed} of the ${rows} rows give a blob of this size back, so it was read whole and encoded again.`;
      case 'unavailable':
        return `At least ${required} had to. That is no evidence against anyone: other routes may reach them, or time may.`;
      case 'badEncoding':
        return 'One of them was committed to and is of no payload: the blob has no value, which the row proves to anyone.';
    }
  }
}

/** What was checked, as names and values. */
export function tellFacts({
  certified,
  block,
  chainId,
  verifyMs,
  sampleMs,
}: PageSample): readonly (readonly [name: string, value: string])[] {
  const { header, statement, signedWeight, totalWeight, isPromised } = certified.certificate;
  const { epoch, quorumId, count } = statement;
  const expiry = new Date(header.expirySeconds * 1000).toISOString();
  return [
    ['Commitment', toHex(header.commitment)],
    ['Size', `${formatBytes(header.sizeBytes)} (${header.sizeBytes} bytes)`],
    ['Kept until', expiry],
    [
      'Signed by',
      `${signedWeight} of ${totalWeight} seats of quorum ${quorumId} in epoch ${epoch}`,
    ],
    ['In a batch of', `${count}, ${isPromised ? 'promised' : 'paid on chain first'}`],
    ['Certificate checked in', `${verifyMs.toFixed(0)} ms, by this page`],
    ['Rows asked and checked in', `${sampleMs.toFixed(0)} ms`],
    ['Epoch proven by', `block ${block.number} of chain ${chainId}, ${block.hash}`],
  ];
}

/** One signer's part. */
export interface HolderLine {
  readonly signer: string;
  readonly url: string;
  readonly seats: number;
  readonly asked: number;
  readonly came: number;
  /** Codes of what went wrong; empty where nothing did. */
  readonly codes: string;
}

/** Every member of the quorum, asked or not. */
export function tellHolders({ certified, verdict, sockets }: PageSample): readonly HolderLine[] {
  const { came, missing } = verdict.report;
  return membersOf(certified).map(({ signer, seats }) => {
    const own = missing.filter(({ holder }) => holder === signer);
    const given = came.filter(({ holder }) => holder === signer).length;
    const codes = [...new Set(own.map(({ code }) => code))].join(', ');
    const asked = given + own.length;
    return { signer, url: sockets.get(signer) ?? '?', seats, asked, came: given, codes };
  });
}

/** The quorum's members in order. */
export function membersOf({ committee }: CertifiedBlob): Committee['members'] {
  return committee?.members ?? [];
}
