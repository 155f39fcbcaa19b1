/**
 * What a signer keeps in its directory.
 *
 * | name | holds | since |
 * |---|---|---|
 * | `protection.log` | what was signed: see `protection-frames.ts`; mode 0600; never restored from a backup older than the key's last signature | layout 1 |
 * | `slices/xx/<leaf>.slice` | one verified slice, named after the leaf of its header in hex, `xx` its first byte: see `slice-file.ts` | layout 1 |
 * | `votes/` | LevelDB: root of a batch (32) → kept until (Unix seconds, u64) ‖ the vote as it is served | layout 1 |
 */
export const SIGNER_FILES = {
  protection: 'protection.log',
  slices: 'slices',
  votes: 'votes',
} as const;
