import { EXIT, type OutcomesByCode, outcome } from './exit.ts';

/** A proof of content that proves something else, or nothing. */
export const NEXT_PROOF =
  'Do not take it: what was brought is not what was ordered. `cairn chain prove` makes another one.';
const NEXT_ENDPOINTS =
  'Endpoints of the hub and of the shard disagree, or one lies: ask others with --rpc and --shard-rpc.';
const NEXT_AGAIN = 'Run it again; another endpoint may know more: --shard-rpc URL.';

/** What faults of the order of shards, and of places in it, mean. */
export const PLACE_OUTCOMES: OutcomesByCode = {
  CLI_NO_ORDER: outcome(
    EXIT.usage,
    'Name a network with shards by --endpoints FILE, or its hub by --rpc and --hub.',
  ),
  CLI_HANDOVER_FILE: outcome(
    EXIT.verification,
    'Name a file that `cairn chain handovers -o FILE` wrote, whole.',
  ),
  CLI_NO_HANDOVER: outcome(
    EXIT.failure,
    'Its committee may be away, or keep it no more: try again, or begin from a newer epoch.',
  ),
  CLI_NO_GOVERNOR: outcome(
    EXIT.usage,
    'Name it with --governor ADDRESS, or ask the administrator.',
  ),
  GOVERNANCE_NO_PROPOSAL: outcome(EXIT.notFound, '`cairn chain proposals` lists the newest.'),
  GOVERNANCE_TOO_EARLY: outcome(EXIT.timeout, 'Run it again then: the time is that of the chain.'),
  GOVERNANCE_BAD_CALL: outcome(
    EXIT.usage,
    'Write for instance --call "directory.set(market, 0x…)"; --dry-run shows what is built.',
  ),
  GOVERNANCE_NO_VOTES: outcome(
    EXIT.auth,
    'Vote with the key of an account that had stake in that epoch: --key-file FILE.',
  ),
  CLI_NO_SHARD: outcome(EXIT.notFound, '`cairn chain shards` lists the shards there are.'),
  CLI_PROOF_FILE: outcome(
    EXIT.verification,
    'Name a file that `cairn chain prove -o FILE` wrote, whole.',
  ),
  CLI_PLACE_UNTRUSTED: outcome(
    EXIT.verification,
    'Trust the epoch that signed it (`cairn da quorum --epoch N --out FILE`), or have it proven anew.',
  ),
  CLI_NOT_ORDERED: outcome(
    EXIT.timeout,
    'The relayer or the signers are behind: `cairn chain shards` and `cairn devnet logs relayer` tell.',
  ),
  SHARD_NOT_ORDERED: outcome(
    EXIT.timeout,
    'Wait until relayers have brought a later checkpoint: `cairn chain shards` tells; `cairn job` waits with --wait.',
  ),
  SHARD_PLACE_NOT_GIVEN: outcome(
    EXIT.timeout,
    'Wait until the order is that long (`cairn chain checkpoints` shows it grow), or let the command wait: --wait.',
  ),
  SHARD_NOT_LOGGED: outcome(
    EXIT.verification,
    'The reference names no file of that place; `cairn ref make ROOT` makes one that does.',
  ),
  SHARD_BAD_PROOF: outcome(EXIT.verification, NEXT_ENDPOINTS),
  SHARD_OTHER_ENTRANCE: outcome(EXIT.usage, 'Give the entrance that was made for this shard.'),
  SHARD_OTHER_CHAIN: outcome(EXIT.usage, 'Name the endpoint of that chain with --shard-rpc.'),
  SHARD_NO_BLOCK: outcome(EXIT.failure, NEXT_AGAIN),
  SHARD_BLOCK_CHANGED: outcome(EXIT.failure, NEXT_AGAIN),
  JOB_NO_BOARD: outcome(
    EXIT.usage,
    'Name a network with a board by --endpoints FILE or --board ADDRESS; `cairn devnet up --consensus-shards 2` makes one.',
  ),
  JOB_NO_CHAIN: outcome(
    EXIT.usage,
    '`cairn chain shards` lists the chains whose files have a place.',
  ),
  JOB_NOT_FOUND: outcome(EXIT.notFound, '`cairn job list` shows the jobs there are.'),
  JOB_INPUTS_DIFFER: outcome(EXIT.verification, NEXT_ENDPOINTS),
  JOB_PROGRAM_UNKNOWN: outcome(EXIT.failure, 'Leave it to workers that have the program.'),
  JOB_BAD_INPUT: outcome(
    EXIT.failure,
    'Have what the program takes posted: docs/guides/compute.md.',
  ),
  JOB_LOST: outcome(EXIT.failure, '`cairn job show` tells who has it or what became of it.'),
  JOB_REFUSED: outcome(EXIT.failure, '`cairn job show` tells how the job stands.'),
  JOB_RESULT_WRONG: outcome(
    EXIT.verification,
    'Do not use the result. Its worker can be told by `cairn job show`.',
  ),
  SHARD_CONFLICT: outcome(
    EXIT.verification,
    'Publish both certificates; believe nothing about shards until it is known which one is right.',
  ),
};
