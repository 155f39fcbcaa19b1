import { encodeBadRow } from '@cairn/erasure-codec';
import type { SampleVerdict } from '@cairn/light-client';
import { type Json, toHex } from '@cairn/primitives';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** What a verdict means to scripts. */
export const EXIT_OF_VERDICT: Readonly<Record<SampleVerdict['kind'], ExitCode>> = {
  available: EXIT.ok,
  unavailable: EXIT.timeout,
  badEncoding: EXIT.verification,
};

/** How sure it is, from 0 to 1, that everyone can read the blob. */
export function confidenceOf(verdict: SampleVerdict): number {
  if (verdict.kind !== 'available') return 0;
  const { confidence } = verdict;
  return confidence.kind === 'read' ? 1 : 1 - 2 ** -confidence.bits;
}

/**
 * A verdict with its numbers, for programs. `evidence`, of a bad encoding only: the message of
 * `encodeBadRow` in hex, a row and 32 bytes for each data row.
 */
export function verdictJson(verdict: SampleVerdict): { readonly [field: string]: Json } {
  const { drawn, answered, holders } = verdict.report;
  return {
    verdict: verdict.kind,
    confidence: confidenceOf(verdict),
    samples: drawn,
    answered,
    holders,
    ...(verdict.kind === 'badEncoding' && { evidence: toHex(encodeBadRow(verdict.evidence)) }),
  };
}

/** What a verdict rests on, in words that follow a sentence of numbers. */
export function basisOf(verdict: SampleVerdict): string {
  switch (verdict.kind) {
    case 'available':
      if (verdict.confidence.kind === 'sampled') {
        return `; by chance that would be so once in 2^${verdict.confidence.bits}`;
      }
      return verdict.confidence.value.kind === 'null'
        ? ': the blob was read whole, and no payload has its commitment'
        : ': the blob was read whole';
    case 'unavailable':
      return ': too few';
    case 'badEncoding':
      return ': they are of no payload';
  }
}
