import assert from 'node:assert/strict';
import { parseRoot } from '@cairn/primitives';
import type { ManifestDirectory, ManifestEntry } from '@cairn/wire-protocol';
import { EntryIndex, resolvePath } from '../../src/doors/files/directory-tree.ts';

const root = parseRoot(`0x${'11'.repeat(32)}`);

describe('paths inside directories', () => {
  it('look at each entry once, however many names and links lead through its directory', () => {
    let looks = 0;
    const file = (name: string): ManifestEntry => ({
      kind: 'file',
      get name() {
        looks += 1;
        return name;
      },
      roots: [],
      sizeBytes: 0,
    });
    const files = Array.from({ length: 1000 }, (_, at) => file(`f${at}`));
    const back = 'z/../'.repeat(800);
    const links: ManifestEntry[] = Array.from({ length: 39 }, (_, at) => ({
      kind: 'link',
      name: `l${at}`,
      link: `${back}l${at + 1}`,
    }));
    const top: ManifestDirectory = {
      kind: 'directory',
      name: '/',
      entries: [
        ...files,
        ...links,
        { kind: 'link', name: 'l39', link: `${back}f999` },
        { kind: 'directory', name: 'z', entries: [] },
      ],
    };
    const index = new EntryIndex();
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(resolvePath(top, `${back}l0`, { root, index }), files[999]);
    }
    assert.equal(looks, files.length);
  });
});
