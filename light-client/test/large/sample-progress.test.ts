import assert from 'node:assert/strict';
import { isFault, parseJson, stringifyJson } from '@cairn/primitives';
import { DEFAULT_TARGET } from '../../src/sampling/sample-bound.ts';
import { parseSampleProgress, type SampleProgress } from '../../src/sampling/sample-progress.ts';
import { honestBlob } from '../support/blobs.ts';
import { nextGroup, testGroup } from '../support/committees.ts';
import { blobAlone, expectKind, sampleOf } from '../support/sampling.ts';

const NETWORK = { cosets: 3, minLog2K: 10 };
const GROUP = testGroup(Array.from({ length: 20 }, () => 1));

/** As it comes back from where it was stored. */
function stored(progress: SampleProgress): SampleProgress {
  return parseSampleProgress(parseJson(stringifyJson({ ...progress })));
}

/** A sample that is stopped once some holders have answered. */
async function stoppedSample(holders: number) {
  const blob = await honestBlob(20_000, NETWORK);
  const stop = new AbortController();
  const saved: SampleProgress[] = [];
  const sample = sampleOf(blob, GROUP, () => ({}), {
    signal: stop.signal,
    parallel: 2,
    onProgress: (progress) => {
      saved.push(progress);
      if (saved.length === 1 + holders) stop.abort(new Error('power cut'));
    },
  });
  await assert.rejects(sample, /power cut/);
  const last = saved.at(-1);
  if (last === undefined) throw new Error('nothing was saved');
  return { blob, first: saved[0] as SampleProgress, last };
}

describe('a sample that was stopped', () => {
  it('has kept its draw before it asked anyone', async () => {
    const { first } = await stoppedSample(0);
    assert.deepEqual(first.answered, []);
    assert.ok(first.drawn >= 98);
  });

  it('goes on with the same draw and asks for nothing that came', async () => {
    const { blob, last } = await stoppedSample(8);
    assert.ok(last.answered.length > 10 && last.answered.length < last.drawn);
    const { verdict, signers } = await sampleOf(blob, GROUP, () => ({}), {
      progress: stored(last),
      seed: 2,
    });
    const { report } = expectKind(verdict, 'available');
    assert.equal(report.drawn, last.drawn);
    assert.equal(report.answered, last.drawn);
    const asked = new Set(signers.seen.flatMap(({ indexes }) => indexes));
    assert.equal(asked.size, last.drawn - last.answered.length);
    assert.ok(last.answered.every((row) => !asked.has(row)));
  });

  it('cannot be stopped and begun again into another draw', async () => {
    const { blob, last } = await stoppedSample(3);
    const silent = () => ({ isSilent: true });
    let progress = last;
    for (let again = 1; again <= 3; again += 1) {
      const { verdict } = await sampleOf(blob, GROUP, silent, {
        progress: stored(progress),
        seed: again,
        onProgress: (saved) => {
          progress = saved;
        },
      });
      const { report } = expectKind(verdict, 'unavailable');
      assert.equal(report.answered, last.answered.length);
      assert.equal(progress.seed, last.seed);
    }
  });

  it('asks again for what was missing, and only that, when it ended unavailable', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    let progress: SampleProgress | undefined;
    const onProgress = (saved: SampleProgress): void => {
      progress = saved;
    };
    const options = { onProgress };
    const down = await sampleOf(blob, GROUP, (at) => (at < 12 ? { isSilent: true } : {}), options);
    expectKind(down.verdict, 'unavailable');
    assert.ok(progress !== undefined);
    const up = await sampleOf(blob, GROUP, () => ({}), { progress: stored(progress) });
    expectKind(up.verdict, 'available');
    const askedAgain = up.signers.seen.flatMap(({ indexes }) => indexes);
    const missing = down.verdict.report.missing.map(({ index }) => index);
    assert.deepEqual(new Set(askedAgain), new Set(missing));
  });

  it('saves one state at a time, each knowing more', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    let open = 0;
    const counts: number[] = [];
    await sampleOf(blob, GROUP, () => ({}), {
      onProgress: async ({ answered }) => {
        open += 1;
        assert.equal(open, 1);
        await Promise.resolve();
        counts.push(answered.length);
        open -= 1;
      },
    });
    assert.deepEqual(
      counts,
      [...counts].sort((left, right) => left - right),
    );
    assert.equal(counts[0], 0);
  });

  it('refuses progress of another sample', async () => {
    const { blob, last } = await stoppedSample(2);
    const refusal = (field: string) => (error: unknown) =>
      isFault(error, 'SAMPLE_PROGRESS') && 'field' in error.facts && error.facts.field === field;
    const go = (progress: SampleProgress, group = GROUP) =>
      sampleOf(blob, group, () => ({}), { progress, asked: blobAlone(blob) });
    await assert.rejects(go({ ...last, epoch: 8 }), refusal('epoch'));
    await assert.rejects(go(last, nextGroup(GROUP, [1, 1])), refusal('epoch'));
    await assert.rejects(go({ ...last, rows: last.rows - 1 }), refusal('rows'));
    const commitment = (await stoppedOther()).commitment;
    await assert.rejects(go({ ...last, commitment }), refusal('commitment'));
    const stranger = [...last.answered, 4095, 4096].slice(0, last.drawn);
    await assert.rejects(go({ ...last, answered: stranger }), refusal('answered'));
  });

  it('refuses progress whose answers would show less than is asked', async () => {
    const { blob, last } = await stoppedSample(2);
    const silent = () => ({ isSilent: true });
    const go = (answers: number, bits = 40) => {
      const target = { ...DEFAULT_TARGET, bits };
      return sampleOf(blob, GROUP, silent, { progress: { ...last, answers }, target });
    };
    for (const answers of [0, 1, last.answers - 1, last.drawn + 1]) {
      await assert.rejects(go(answers), { code: 'SAMPLE_PROGRESS' }, `${answers}`);
    }
    await assert.rejects(go(last.answers, 60), { code: 'SAMPLE_PROGRESS' });
    await assert.rejects(go(last.answers, 128), { code: 'SAMPLE_PROGRESS' });
    expectKind((await go(last.answers)).verdict, 'unavailable');
    expectKind((await go(last.answers - 1, 30)).verdict, 'unavailable');
  });

  it('refuses what is no progress, naming the field', async () => {
    const { last } = await stoppedSample(2);
    const cases: readonly (readonly [string, unknown])[] = [
      ['object', null],
      ['version', { ...last, version: 2 }],
      ['commitment', { ...last, commitment: '0x12' }],
      ['seed', { ...last, seed: undefined }],
      ['rows', { ...last, rows: 2 ** 17 }],
      ['drawn', { ...last, drawn: 513 }],
      ['answers', { ...last, answers: last.drawn + 1 }],
      ['answers', { ...last, answers: 0 }],
      ['answered', { ...last, answered: [5, 5] }],
      ['answered', { ...last, answered: [5, 'x'] }],
      ['epoch', { ...last, epoch: -1 }],
      ['quorumId', { ...last, quorumId: 2 ** 32 }],
    ];
    for (const [field, value] of cases) {
      assert.throws(
        () => parseSampleProgress(value),
        (error) =>
          isFault(error, 'SAMPLE_PROGRESS') &&
          'field' in error.facts &&
          error.facts.field === field,
        field,
      );
    }
  });
});

async function stoppedOther(): Promise<SampleProgress> {
  const blob = await honestBlob(20_001, NETWORK);
  let first: SampleProgress | undefined;
  await sampleOf(blob, GROUP, () => ({}), {
    onProgress: (saved) => {
      first ??= saved;
    },
  });
  return first as SampleProgress;
}
