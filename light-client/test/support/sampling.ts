import assert from 'node:assert/strict';
import type { CommittedBlob } from '@cairn/erasure-codec';
import { headerOf, verifyHeader } from '@cairn/erasure-codec';
import { seededRng } from '@cairn/primitives';
import { type SampleDeps, type SampleOptions, sampleBlob } from '../../src/sampling/sample-blob.ts';
import { provenBlob, type SampledBlob } from '../../src/sampling/sampled-blob.ts';
import type { SampleVerdict } from '../../src/sampling/verdict.ts';
import { kernels, signal, suiteOf } from './blobs.ts';
import type { TestGroup } from './committees.ts';
import { type Manner, MemorySigners } from './signers.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A blob as its samplers know it: nothing but commitment, layout and suite. */
export function blobAlone({ commitment, layout, suite }: CommittedBlob): SampledBlob {
  return { commitment, layout, suite } as SampledBlob;
}

/** A blob whose header is proven beforehand. */
export function blobWithHeader(blob: CommittedBlob): SampledBlob {
  const verify = { suite: suiteOf(blob.suite), combiner: kernels.combiner };
  return provenBlob(verifyHeader(headerOf(blob), blob, verify));
}

/** What samples with chance of a seed. */
export function depsOf(
  signers: MemorySigners,
  clock: VirtualClock,
  seed: number,
): SampleDeps & { readonly clock: VirtualClock } {
  const { codec, combiner } = kernels;
  const transport = {
    send: (request: Parameters<MemorySigners['send']>[0]) => signers.send(request),
  };
  return { transport, clock, rng: seededRng(seed), suiteOf, combiner, codec };
}

/** A sample of a blob held by a group whose members have manners. */
export async function sampleOf(
  blob: CommittedBlob,
  group: TestGroup,
  manners: (signer: number) => Manner,
  options: Partial<SampleOptions> & { readonly seed?: number; readonly asked?: SampledBlob } = {},
): Promise<{
  readonly verdict: SampleVerdict;
  readonly signers: MemorySigners;
  readonly clock: VirtualClock;
}> {
  const clock = new VirtualClock();
  const { seed = 1, asked = blobAlone(blob), ...rest } = options;
  const signers = new MemorySigners(blob, group.committee, clock, manners);
  const request = { blob: asked, committee: group.committee, sockets: signers.sockets };
  const deps = depsOf(signers, clock, seed);
  const verdict = await sampleBlob(request, deps, { signal, ...rest });
  return { verdict, signers, clock };
}

/** Rows that are withheld whatever their holder: a part of all, by a seed. */
export function withheldPart(part: number, rows: number, seed: number): Set<number> {
  const rng = seededRng(seed);
  const all = Array.from({ length: rows }, (_, row) => row);
  for (let at = rows - 1; at > 0; at -= 1) {
    const other = rng.below(at + 1);
    [all[at], all[other]] = [all[other] as number, all[at] as number];
  }
  return new Set(all.slice(0, Math.round(rows * part)));
}

/** The verdict, which has to be of a kind. */
export function expectKind<Kind extends SampleVerdict['kind']>(
  verdict: SampleVerdict,
  kind: Kind,
): Extract<SampleVerdict, { kind: Kind }> {
  assert.equal(verdict.kind, kind, JSON.stringify(verdict.report));
  return verdict as Extract<SampleVerdict, { kind: Kind }>;
}
