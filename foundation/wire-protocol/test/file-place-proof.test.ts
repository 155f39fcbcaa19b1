import assert from 'node:assert/strict';
import { isFault, type Rng, seededRng } from '@cairn/primitives';
import {
  type FilePlaceProof,
  filePlaceProofJson,
  MAX_FILE_PLACE_PROOF_CHARACTERS,
  parseFilePlaceProof,
} from '../src/index.ts';

const SEED = 20_261_123;

function bytesOf(rng: Rng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => rng.below(256));
}

function listOf<Item>(length: number, make: () => Item): Item[] {
  return Array.from({ length }, make);
}

function proofOf(rng: Rng): FilePlaceProof {
  const path = (): Uint8Array[] => listOf(rng.below(54), () => bytesOf(rng, 32));
  return {
    record: bytesOf(rng, 92),
    recordPath: path(),
    checkpoint: bytesOf(rng, 212),
    globalIndex: rng.below(2 ** 32),
    places: listOf(1 + rng.below(8), () => ({ count: 1 + rng.below(2 ** 32), path: path() })),
    certificates: listOf(rng.below(5), () => bytesOf(rng, 1 + rng.below(600))),
  };
}

describe('a proof of a file’s place', () => {
  it(`comes back from its JSON whatever it holds (seed ${SEED})`, () => {
    const rng = seededRng(SEED);
    for (let run = 0; run < 60; run += 1) {
      const proof = proofOf(rng);
      const text = filePlaceProofJson(proof);
      assert.deepEqual(parseFilePlaceProof(text), proof);
      assert.deepEqual(parseFilePlaceProof(JSON.parse(text)), proof);
    }
  });

  it(`is another one, or refused by name, once any character of it is another (seed ${SEED})`, () => {
    const rng = seededRng(SEED);
    const proof = { ...proofOf(rng), places: [{ count: 3, path: [bytesOf(rng, 32)] }] };
    const text = filePlaceProofJson(proof);
    for (let run = 0; run < 400; run += 1) {
      const at = rng.below(text.length);
      const letter = String.fromCharCode(32 + rng.below(95));
      const changed = `${text.slice(0, at)}${letter}${text.slice(at + 1)}`;
      try {
        const read = filePlaceProofJson(parseFilePlaceProof(changed));
        assert.equal(read === text, changed.toLowerCase() === text.toLowerCase(), changed);
      } catch (error) {
        const codes = ['WIRE_JSON', 'WIRE_NOT_AN_OBJECT', 'WIRE_FIELD', 'WIRE_TOO_LONG'];
        assert.ok(
          codes.some((code) => isFault(error, code)),
          String(error),
        );
      }
    }
  });

  it('is refused by name where a field is missing or out of its bounds', () => {
    const good = JSON.parse(filePlaceProofJson(proofOf(seededRng(SEED)))) as object;
    const hash = `0x${'ab'.repeat(32)}`;
    const place = { count: 1, path: [] };
    const bad: readonly (readonly [field: string, value: unknown, code: string])[] = [
      ...['version', 'record', 'recordPath', 'checkpoint', 'globalIndex', 'places'].map(
        (field) => [field, undefined, 'WIRE_FIELD'] as const,
      ),
      ['version', 2, 'WIRE_FIELD'],
      ['record', `0x${'ab'.repeat(91)}`, 'WIRE_FIELD'],
      ['checkpoint', `0x${'ab'.repeat(213)}`, 'WIRE_FIELD'],
      ['globalIndex', -1, 'WIRE_FIELD'],
      ['recordPath', [`${hash}00`], 'WIRE_FIELD'],
      ['recordPath', Array.from({ length: 54 }, () => hash), 'WIRE_TOO_LONG'],
      ['places', [], 'WIRE_FIELD'],
      ['places', [{ count: 0, path: [] }], 'WIRE_FIELD'],
      ['places', [hash], 'WIRE_NOT_AN_OBJECT'],
      ['places', Array.from({ length: 9 }, () => place), 'WIRE_TOO_LONG'],
      ['certificates', Array.from({ length: 5 }, () => hash), 'WIRE_TOO_LONG'],
      ['certificates', ['0x'], 'WIRE_FIELD'],
      ['certificates', ['0xabc'], 'WIRE_FIELD'],
      ['certificates', [7], 'WIRE_FIELD'],
      ['certificates', [`0x${'ab'.repeat(256 * 1024 + 1)}`], 'WIRE_TOO_LONG'],
    ];
    for (const [field, value, code] of bad) {
      assert.throws(() => parseFilePlaceProof({ ...good, [field]: value }), { code }, field);
    }
    const long = ' '.repeat(MAX_FILE_PLACE_PROOF_CHARACTERS + 1);
    assert.throws(() => parseFilePlaceProof(long), { code: 'WIRE_TOO_LONG' });
    assert.throws(() => parseFilePlaceProof('{'), { code: 'WIRE_JSON' });
    assert.throws(() => parseFilePlaceProof('[]'), { code: 'WIRE_NOT_AN_OBJECT' });
  });
});
