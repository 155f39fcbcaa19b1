import { deepEqual, equal, ok } from 'node:assert/strict';
import { sha256Suite } from '@cairn/commitments/rows';
import {
  badRowEvidence,
  commitMatrix,
  dataMatrix,
  headerOf,
  layoutOf,
  parseBadRow,
  referenceCodec,
  rowsOf,
  verifyBadRow,
  verifyHeader,
} from '@cairn/erasure-codec';
import type { SampleVerdict } from '@cairn/light-client';
import { fromHex } from '@cairn/primitives';
import { basisOf, confidenceOf, verdictJson } from '../src/sample-outcome.ts';

const { signal } = new AbortController();
const options = { suite: sha256Suite, signal };
const counts = { drawn: 65, answered: 64, required: 64, rows: 256, needed: 64, holders: 4 };
const report = { ...counts, came: [], missing: [] };

/** A blob of which all parity is wrong, with a row that shows it. */
async function badVerdict() {
  const honest = referenceCodec();
  const encode: typeof honest.encode = async (...given) =>
    (await honest.encode(...given)).map((byte) => byte ^ 1);
  const layout = layoutOf(100, { cosets: 1, minLog2K: 6 });
  const data = dataMatrix(new Uint8Array(100), layout);
  const blob = await commitMatrix(data, layout, { ...options, codec: { ...honest, encode } });
  const header = verifyHeader(headerOf(blob), blob, options);
  const [row] = await rowsOf(blob, [64], { signal });
  ok(row !== undefined);
  const evidence = badRowEvidence(row, header, options);
  const verdict: SampleVerdict = { kind: 'badEncoding', evidence, report };
  return { verdict, commitment: blob.commitment };
}

describe('what a verdict says to people and programs', () => {
  it('hands on evidence that anyone checks who knows the commitment', async () => {
    const { verdict, commitment } = await badVerdict();
    const { evidence, ...numbers } = verdictJson(verdict);
    const plain = { verdict: 'badEncoding', confidence: 0, samples: 65, answered: 64, holders: 4 };
    deepEqual(numbers, plain);
    ok(typeof evidence === 'string');
    equal(verifyBadRow(parseBadRow(fromHex(evidence)), commitment, options).row.index, 64);
  });

  it('tells a blob without a value from one that was read', () => {
    const read = (value: { kind: 'null' } | { kind: 'payload'; payload: Uint8Array }) =>
      ({ kind: 'available', confidence: { kind: 'read', value }, report }) as const;
    const whole = read({ kind: 'payload', payload: new Uint8Array(1) });
    equal(basisOf(whole), ': the blob was read whole');
    ok(basisOf(read({ kind: 'null' })).includes('no payload has its commitment'));
    equal(confidenceOf(whole), 1);
    equal('evidence' in verdictJson(whole), false);
  });
});
