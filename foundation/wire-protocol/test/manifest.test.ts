import assert from 'node:assert/strict';
import {
  concatBytes,
  equalBytes,
  Fault,
  isFault,
  parseRoot,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import fc from 'fast-check';
import {
  encodeManifest,
  isManifest,
  type ManifestDirectory,
  type ManifestEntry,
  manifestEntryAt,
  manifestMagic,
  parseManifest,
} from '../src/manifest.ts';

const ROOT = parseRoot(`0x${'cd'.repeat(32)}`);
const name = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');
const plain = { noNullPrototype: true };
const { directory } = fc.letrec<{ directory: ManifestDirectory; entry: ManifestEntry }>((tie) => ({
  directory: fc.record(
    {
      kind: fc.constant('directory' as const),
      name,
      entries: fc.uniqueArray(tie('entry'), { maxLength: 4, selector: (entry) => entry.name }),
    },
    plain,
  ),
  entry: fc.oneof(
    { maxDepth: 3 },
    fc.record(
      {
        kind: fc.constant('file' as const),
        name,
        roots: fc.array(fc.constant(ROOT), { minLength: 1, maxLength: 3 }),
        sizeBytes: fc.maxSafeNat(),
      },
      plain,
    ),
    fc.record({ kind: fc.constant('link' as const), name, link: name }, plain),
    tie('directory'),
  ),
}));

const bytesOf = (json: unknown, version = 2): Uint8Array =>
  concatBytes(manifestMagic(), new Uint8Array([0, version]), utf8Bytes(JSON.stringify(json)));
const top = (...entries: unknown[]): unknown => ({ name: '/', type: 'directory', entries });

describe('directory manifests', () => {
  it('begin with the official magic and version', () => {
    const bytes = encodeManifest({ kind: 'directory', name: '/', entries: [] });
    assert.equal(toHex(bytes.subarray(32, 34)), '0x0002');
    assert.ok(
      isManifest(bytes) && !isManifest(bytes.subarray(1)) && !isManifest(new Uint8Array(3)),
    );
    assert.equal(
      new TextDecoder().decode(bytes.subarray(34)),
      '{"name":"/","type":"directory","entries":[]}',
    );
  });

  it('come back as they were written', () => {
    fc.assert(
      fc.property(directory, (written) => {
        const bytes = encodeManifest(written);
        const read = parseManifest(bytes);
        assert.deepEqual(read, { ...written, name: '/' });
        assert.ok(equalBytes(encodeManifest(read), bytes));
      }),
      { numRuns: 60 },
    );
  });

  it('read version 1, null lists and missing sizes', () => {
    const file = { name: 'a', type: 'file', hash: ROOT, size: 3 };
    const read = parseManifest(
      bytesOf(
        top(file, { name: 'd', type: 'directory', entries: null }, { name: 'e', type: 'file' }),
        1,
      ),
    );
    assert.deepEqual(read.entries, [
      { kind: 'file', name: 'a', roots: [ROOT], sizeBytes: 3 },
      { kind: 'directory', name: 'd', entries: [] },
      { kind: 'file', name: 'e', roots: [], sizeBytes: 0 },
    ]);
  });

  it('refuse names that could leave the directory, twins, and files without a root', () => {
    const link = (text: string): unknown => ({ name: text, type: 'symbolic', link: 'x' });
    for (const text of ['', '.', '..', 'a/b', 'a\0', 'é'.repeat(128)]) {
      assert.throws(
        () => parseManifest(bytesOf(top(link(text)))),
        (error) => isFault(error, 'WIRE_MANIFEST'),
        text,
      );
    }
    for (const entries of [
      [link('a'), link('a')],
      [{ name: 'f', type: 'file', size: 1 }],
      [{ name: 'x', type: 'pipe' }],
    ]) {
      assert.throws(
        () => parseManifest(bytesOf(top(...entries))),
        (error) => isFault(error, 'WIRE_MANIFEST'),
      );
    }
  });

  it('are bounded in depth, also before parsing', () => {
    let deep: unknown = top();
    for (let level = 0; level < 65; level += 1)
      deep = { name: 'd', type: 'directory', entries: [deep] };
    assert.throws(
      () => parseManifest(bytesOf(deep)),
      (error) => error instanceof Fault,
    );
    const brackets = concatBytes(
      manifestMagic(),
      new Uint8Array([0, 2]),
      utf8Bytes('['.repeat(200_000)),
    );
    assert.throws(
      () => parseManifest(brackets),
      (error) => isFault(error, 'WIRE_JSON'),
    );
  });

  it('refuse other magic, versions and tops', () => {
    assert.throws(
      () => parseManifest(new Uint8Array(40)),
      (error) => isFault(error, 'WIRE_MAGIC'),
    );
    assert.throws(
      () => parseManifest(bytesOf(top(), 3)),
      (error) => isFault(error, 'WIRE_VERSION'),
    );
    assert.throws(
      () => parseManifest(bytesOf({ name: '/', type: 'file' })),
      (error) => isFault(error, 'WIRE_MANIFEST'),
    );
    assert.throws(
      () => parseManifest(concatBytes(manifestMagic(), new Uint8Array([0, 2, 255]))),
      (error) => isFault(error, 'WIRE_JSON'),
    );
  });

  it('never throw anything but a named fault', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.array(fc.anything()).map((list) => top(...list)),
        ),
        (value) => {
          try {
            parseManifest(bytesOf(value));
          } catch (error) {
            assert.ok(error instanceof Fault, String(error));
          }
        },
      ),
    );
  });

  it('are walked by path', () => {
    const root = parseManifest(
      bytesOf(top({ name: 'd', type: 'directory', entries: [{ name: 'f', type: 'file' }] })),
    );
    assert.equal(manifestEntryAt(root, '')?.name, '/');
    assert.equal(manifestEntryAt(root, '/d/f')?.name, 'f');
    assert.equal(manifestEntryAt(root, 'd/g'), undefined);
    assert.equal(manifestEntryAt(root, 'd/f/x'), undefined);
  });
});
