import type { ManifestDirectory, ManifestEntry } from '@cairn/wire-protocol';
import type { LocalEntry } from './local-files.ts';
import type { RootComputer } from './local-root.ts';

/** The manifest of a local directory and the length of all its files. */
export async function buildManifest(
  entries: readonly LocalEntry[],
  computer: Pick<RootComputer, 'roots'>,
): Promise<{ readonly manifest: ManifestDirectory; readonly totalBytes: number }> {
  const top: ManifestEntry[] = [];
  const listOf = new Map<string, ManifestEntry[]>([['', top]]);
  let totalBytes = 0;
  for (const entry of entries) {
    const slash = entry.path.lastIndexOf('/');
    const siblings = listOf.get(slash < 0 ? '' : entry.path.slice(0, slash)) ?? top;
    const name = entry.path.slice(slash + 1);
    switch (entry.kind) {
      case 'directory': {
        const inside: ManifestEntry[] = [];
        listOf.set(entry.path, inside);
        siblings.push({ kind: 'directory', name, entries: inside });
        break;
      }
      case 'link':
        siblings.push({ kind: 'link', name, link: entry.target });
        break;
      case 'file': {
        const { roots, sizeBytes } = await computer.roots(entry.localPath);
        siblings.push({ kind: 'file', name, roots, sizeBytes });
        totalBytes += sizeBytes;
        break;
      }
    }
  }
  return { manifest: { kind: 'directory', name: '/', entries: top }, totalBytes };
}
