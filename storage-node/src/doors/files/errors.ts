import { Fault, type Root } from '@cairn/primitives';

export type FileDoorFault =
  /** Nobody this node can reach holds the file whole. */
  | { readonly code: 'FILE_UNKNOWN'; readonly id: string }
  /** The directory has no such entry, or the file is no directory. */
  | { readonly code: 'FILE_PATH_UNKNOWN'; readonly root: Root; readonly path: string }
  /** The path leads through symbolic links to nowhere. */
  | { readonly code: 'FILE_LINK_BROKEN'; readonly root: Root; readonly path: string }
  | { readonly code: 'WIRE_REQUEST'; readonly field: string; readonly actual: string };

/** A file or directory that cannot be served as asked. */
export class FileDoorError extends Fault<FileDoorFault> {}
