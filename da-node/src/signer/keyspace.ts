/**
 * What a signer keeps in its directory.
 *
 * | name | holds | since |
 * |---|---|---|
 * | `protection.log` | what was signed: see `protection-frames.ts`; mode 0600; never restored from a backup older than the key's last signature | layout 1 |
 * | `slices/xx/<leaf>.slice` | one verified slice, named after the leaf of its header in hex, `xx` its first byte: see `slice-file.ts` | layout 1 |
 * | `votes/` | LevelDB: root of a batch (32) → kept until (Unix seconds, u64) ‖ the vote as it is served | layout 1 |
 * | `office/` | LevelDB, numbers of 8 bytes: `h` epoch → the signed handover to it; `b` root 32 → kept until (u64) ‖ the batch's headers as a vote request; `f` epoch, quorum, period → drawn rows that were got (leaf 32 ‖ row u32 each); `a` epoch, quorum, auditor 20 → an audit sheet; `r` epoch, quorum → a served report that the chain took; `c` epoch, quorum → empty: nothing is left to claim; `p` period, line of a row 32 → empty: its prize of the held lottery was claimed | layout 1 |
 */
export const SIGNER_FILES = {
  protection: 'protection.log',
  slices: 'slices',
  votes: 'votes',
  office: 'office',
} as const;
