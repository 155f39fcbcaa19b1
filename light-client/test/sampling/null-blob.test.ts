import assert from 'node:assert/strict';
import {
  type CommittedBlob,
  commitMatrix,
  dataMatrix,
  layoutOf,
  verifyBadRow,
} from '@cairn/erasure-codec';
import { readBlob } from '../../src/sampling/read-blob.ts';
import type { SampleVerdict } from '../../src/sampling/verdict.ts';
import {
  badBlob,
  bytesOf,
  commitOptions,
  honestBlob,
  kernels,
  signal,
  suiteOf,
} from '../support/blobs.ts';
import { testGroup } from '../support/committees.ts';
import { blobAlone, depsOf, expectKind, sampleOf } from '../support/sampling.ts';
import { type Manner, MemorySigners } from '../support/signers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** 64 data rows, 192 of parity. */
const NETWORK = { cosets: 3, minLog2K: 6 };
const GROUP = testGroup([1, 1, 1, 1, 2]);

/** A codeword with a byte after its payload. */
async function paddedBlob(): Promise<CommittedBlob> {
  const layout = layoutOf(5000, NETWORK);
  const data = dataMatrix(bytesOf(5000, 1), layout);
  data[data.length - 1] = 1;
  return commitMatrix(data, layout, commitOptions(0));
}

function assertEvidence(verdict: SampleVerdict, blob: CommittedBlob, badRows: readonly number[]) {
  const { evidence } = expectKind(verdict, 'badEncoding');
  assert.ok(badRows.includes(evidence.row.index));
  verifyBadRow(evidence, blob.commitment, { suite: suiteOf(0), combiner: kernels.combiner });
}

function assertNull(verdict: SampleVerdict): void {
  const { confidence } = expectKind(verdict, 'available');
  assert.ok(confidence.kind === 'read' && confidence.value.kind === 'null');
}

/** Rows that were asked for, with repetitions. */
function askedOf({ seen }: MemorySigners): number[] {
  return seen.flatMap(({ indexes }) => [...indexes]);
}

async function read(blob: CommittedBlob, manners: (signer: number) => Manner) {
  const clock = new VirtualClock();
  const signers = new MemorySigners(blob, GROUP.committee, clock, manners);
  const request = {
    blob: blobAlone(blob),
    committee: GROUP.committee,
    sockets: signers.sockets,
  };
  return { verdict: await readBlob(request, depsOf(signers, clock, 1), { signal }), signers };
}

describe('a blob whose data rows come and are not what was committed to', () => {
  it('is shown to be encoded wrongly by a row that its value does not need', async () => {
    for (const row of [64, 127, 128, 200]) {
      const bad = await badBlob(5000, NETWORK, [row]);
      assertEvidence((await sampleOf(bad, GROUP, () => ({}))).verdict, bad, [row]);
      assertEvidence((await read(bad, () => ({}))).verdict, bad, [row]);
    }
  });

  it('is looked at in the cosets that differ, each row once, no more holders at once', async () => {
    const bad = await badBlob(5000, NETWORK, [200]);
    const { verdict, signers } = await sampleOf(bad, GROUP, () => ({}), { parallel: 2 });
    assertEvidence(verdict, bad, [200]);
    const asked = askedOf(signers);
    assert.ok(asked.every((row) => row < 64 || row >= 192));
    assert.ok(asked.length <= new Set(asked).size + 2); // the slower of three are asked again
    assert.ok(signers.mostAtOnce <= 3); // what proves rows is asked of three
  });

  it('is shown by the row that one holder serves, where others fail or keep theirs', async () => {
    const badRows = Array.from({ length: 192 }, (_, at) => 64 + at);
    const bad = await badBlob(5000, NETWORK, badRows);
    const { verdict } = await sampleOf(bad, GROUP, () => ({
      withholds: (row) => row >= 64 && row !== 131,
    }));
    assertEvidence(verdict, bad, [131]);
    const lied = await sampleOf(bad, GROUP, (at) =>
      at === 4
        ? {}
        : {
            lie: (row) => (row.index < 64 ? row : { ...row, bytes: bytesOf(row.bytes.length, 8) }),
          },
    );
    assertEvidence(lied.verdict, bad, badRows);
  });

  it('is null without evidence where no wrong row can be had', async () => {
    const bad = await badBlob(5000, NETWORK, [70, 200]);
    const { verdict, signers } = await sampleOf(bad, GROUP, () => ({
      withholds: (row) => row === 70 || row === 200,
    }));
    assertNull(verdict);
    const missing = verdict.report.missing.map(({ index }) => index);
    assert.deepEqual(missing.toSorted(), [200, 70]);
    const held = [...signers.sockets.keys()].flatMap((signer) => [...signers.rowsOf(signer)]);
    assert.ok(askedOf(signers).length <= held.length + 2);
    const silent = await read(bad, () => ({ withholds: (row) => row >= 64 }));
    assertNull(silent.verdict);
  });

  it('is null at once where every row is of one codeword, which is of no payload', async () => {
    const { verdict, signers } = await sampleOf(await paddedBlob(), GROUP, () => ({}));
    assertNull(verdict);
    assert.equal(verdict.report.drawn, 64);
    assert.ok(askedOf(signers).every((row) => row < 64));
  });

  it('is not what is thought of an honest blob, of which no other rows are asked', async () => {
    const { verdict, signers } = await sampleOf(await honestBlob(5000, NETWORK), GROUP, () => ({}));
    const { confidence } = expectKind(verdict, 'available');
    assert.ok(confidence.kind === 'read' && confidence.value.kind === 'payload');
    assert.ok(askedOf(signers).every((row) => row < 64));
  });
});
