import { fileURLToPath } from 'node:url';

/**
 * Path of a program of this package, which lies beside its code: `.ts` where this runs from source,
 * `.js` once built.
 *
 * @param name - its file's name without ending
 */
export function programPath(name: string): string {
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`./${name}${ending}`, import.meta.url));
}
