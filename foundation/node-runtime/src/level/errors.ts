import { Fault } from '@cairn/primitives';

export type LevelFault =
  | { readonly code: 'LEVEL_LOCKED'; readonly directory: string }
  | { readonly code: 'LEVEL_CORRUPT'; readonly directory: string }
  | { readonly code: 'LEVEL_IO'; readonly directory: string }
  | { readonly code: 'LEVEL_CLOSED'; readonly directory: string };

/** An index on disk that cannot be opened, read or written. */
export class LevelError extends Fault<LevelFault> {}

/** A fault for what the database threw; anything it does not foresee is handed back as it is. */
export function levelFault(error: unknown, directory: string): unknown {
  const options = { cause: error };
  switch (levelCode(error)) {
    case 'LEVEL_LOCKED':
      return new LevelError(
        { code: 'LEVEL_LOCKED', directory },
        `the index in ${directory} is open in another process; stop that one first`,
        options,
      );
    case 'LEVEL_CORRUPTION':
      return new LevelError(
        { code: 'LEVEL_CORRUPT', directory },
        `the index in ${directory} is damaged; move it away and start again to rebuild it`,
        options,
      );
    case 'LEVEL_IO_ERROR':
      return new LevelError(
        { code: 'LEVEL_IO', directory },
        `the disk under the index in ${directory} failed`,
        options,
      );
    case 'LEVEL_DATABASE_NOT_OPEN':
    case 'LEVEL_ITERATOR_NOT_OPEN':
      return new LevelError(
        { code: 'LEVEL_CLOSED', directory },
        `the index in ${directory} is closed`,
        options,
      );
    default:
      return error;
  }
}

/** The innermost code: opening wraps the reason in "not open". */
function levelCode(error: unknown): string {
  let code = '';
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') code = current.code;
    current = current.cause;
  }
  return code;
}
