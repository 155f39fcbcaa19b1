import type { FileSource } from '@cairn/log-layer';
import type { Root } from '@cairn/primitives';

/** Something to store in a directory. Paths have `/` between names and no `.` or `..`. */
export type DirectoryItem =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly source: FileSource;
      readonly resumeKey?: string;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** Needed only where nothing is inside. */
  | { readonly kind: 'directory'; readonly path: string };

/** An entry of a stored directory. */
export type DirectoryEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly sizeBytes: number;
      /** The file's fragments in order; none for an empty file. */
      readonly roots: readonly Root[];
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string };

/** A difference between two directories. */
export interface DirectoryChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: DirectoryEntry;
  readonly after?: DirectoryEntry;
}
