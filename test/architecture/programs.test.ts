import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { packages, repositoryRoot, sourceFiles } from './house.ts';

/** How sources name a file that they start as a process or a thread. */
const STARTED =
  /(?:new URL\(|siblingModule\(|programPath\()\s*['"`](?:\.\/)?([\w-]+)(?:\.[jt]s|\$\{[^}]+\})?['"`]/g;

interface Start {
  readonly file: string;
  readonly name: string;
}

function starts(): Start[] {
  return packages().flatMap(({ folder }) =>
    sourceFiles(folder).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(STARTED)].map((match) => ({
        file,
        name: match[1] ?? '',
      })),
    ),
  );
}

async function programs(): Promise<Readonly<Record<string, string>>> {
  const module: { readonly PROGRAMS: Readonly<Record<string, string>> } = await import(
    new URL('../../scripts/bundle.mjs', import.meta.url).href
  );
  return module.PROGRAMS;
}

describe('programs of a checkout', () => {
  it('are made of everything that a source starts by its file', async () => {
    const known = await programs();
    const found = starts();
    assert.deepEqual(
      found
        .filter(({ name }) => known[name] === undefined)
        .map(({ file, name }) => `${relative(repositoryRoot, file)} starts ${name}`),
      [],
    );
    const started = new Set(['cairn', ...found.map(({ name }) => name)]);
    assert.deepEqual(Object.keys(known).sort(), [...started].sort());
  });

  it('do the same wherever sources of one name lie', async () => {
    const known = await programs();
    const code = (file: string): string =>
      readFileSync(file, 'utf8').replace(/\/\*\*.*?\*\/|\s/gs, '');
    for (const { folder } of packages()) {
      for (const file of sourceFiles(folder)) {
        const source = known[basename(file, '.ts')];
        if (source === undefined || file.includes('/foundation/')) continue;
        const path = relative(repositoryRoot, file);
        assert.equal(code(file), code(join(repositoryRoot, source)), `${path} and ${source}`);
      }
    }
  });
});
