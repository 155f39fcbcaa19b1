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
  CLI_NO_SHARD: outcome(EXIT.notFound, '`cairn chain shards` lists the shards there are.'),
  CLI_PROOF_FILE: outcome(
    EXIT.verification,
    'Name a file that `cairn chain prove -o FILE` wrote, whole.',
  ),
  CLI_PLACE_UNTRUSTED: outcome(
    EXIT.verification,
    'Trust the epoch that signed it (`cairn da quorum --epoch N --out FILE`), or have it proven anew.',
  ),
  SHARD_NOT_ORDERED: outcome(
    EXIT.timeout,
    'Wait until relayers have brought a later checkpoint: `cairn chain shards` tells.',
  ),
  SHARD_BAD_PROOF: outcome(EXIT.verification, NEXT_ENDPOINTS),
  SHARD_OTHER_CHAIN: outcome(EXIT.usage, 'Name the endpoint of that chain with --shard-rpc.'),
  SHARD_NO_BLOCK: outcome(EXIT.failure, NEXT_AGAIN),
  SHARD_BLOCK_CHANGED: outcome(EXIT.failure, NEXT_AGAIN),
  SHARD_CONFLICT: outcome(
    EXIT.verification,
    'Publish both certificates; believe nothing about shards until it is known which one is right.',
  ),
};
