import { Fault, forEachConcurrent } from '@cairn/primitives';
import { badOption } from '../connection.ts';
import { type HolderFailure, SdkError, type ShardLookup } from '../errors.ts';
import { failureOf } from '../holders.ts';
import type { EntryReference, FileLocator, LocatedFile } from '../locate-file.ts';
import type { KnownShard, ShardDirectory } from './shard-directory.ts';

/** Shards asked at the same time. */
const SHARDS_PARALLEL = 16;

/**
 * Finds a file in whichever shard's log it is: all are asked at once, and the first that has it counts, as everything
 * read is proven under the root. A shard that fails or does not answer keeps nobody from the others.
 *
 * @throws {SdkError} SDK_FILE_NOT_FOUND with what each shard came to, SDK_SIZE_DISPUTED where the only shards that know
 *   it disagree within themselves, SDK_OPTION for a sequence without a shard; the signal's reason
 */
export function locateOnShards(directory: Pick<ShardDirectory, 'shards'>): FileLocator {
  return async (reference, { signal, nodes }) => {
    const all = await directory.shards({ signal });
    const asked = wantedShards(reference, all);
    const stop = new AbortController();
    const lookups: ShardLookup[] = [];
    let found: LocatedFile | undefined;
    let disputed: SdkError | undefined;
    await forEachConcurrent(
      asked,
      async (shard, inner) => {
        if (found !== undefined) return;
        if (shard.connection === undefined) {
          lookups.push(lookupOf(shard, 0, [], 'no address is known'));
          return;
        }
        const within = AbortSignal.any([inner, stop.signal]);
        const options = { signal: within, ...(nodes === undefined ? {} : { nodes }) };
        try {
          const located = await shard.connection.locate(reference, options);
          found ??= located;
          stop.abort();
        } catch (error) {
          if (inner.aborted) throw error;
          if (stop.signal.aborted) return; // another shard has it
          if (!(error instanceof Fault)) throw error;
          if (error instanceof SdkError && error.code === 'SDK_SIZE_DISPUTED') disputed = error;
          lookups.push(failedLookup(shard, error));
        }
      },
      { parallel: SHARDS_PARALLEL, signal },
    );
    if (found !== undefined) return found;
    throw disputed ?? notFound(reference, lookups);
  };
}

function wantedShards(
  { shard, root, sequence }: EntryReference,
  all: readonly KnownShard[],
): readonly KnownShard[] {
  if (shard === undefined) {
    if (root !== undefined || all.length === 1) return all;
    const numbers = all.map((each) => each.shard).join(', ');
    throw badOption(
      'shard',
      `sequence ${sequence} is a place in one log: say which of the shards ${numbers}`,
    );
  }
  return [requireShard(shard, all)];
}

/** The shard of a number. @throws {SdkError} SDK_OPTION if there is none */
export function requireShard(shard: number, all: readonly KnownShard[]): KnownShard {
  const named = all.find((each) => each.shard === shard);
  if (named !== undefined) return named;
  const numbers = all.map((each) => each.shard).join(', ');
  throw badOption('shard', `there is no shard ${shard} with a log: there are ${numbers}`);
}

function failedLookup(shard: KnownShard, error: Fault): ShardLookup {
  const { facts } = error;
  const name = `shard ${shard.shard}`;
  if (error instanceof SdkError && error.facts.code === 'SDK_FILE_NOT_FOUND') {
    const { asked, failures } = error.facts;
    return lookupOf(shard, asked, failures, error.message);
  }
  const failure = failureOf(name, error);
  return lookupOf(shard, 1, [{ ...failure, code: String(facts.code) }], failure.reason);
}

function lookupOf(
  { shard, chainId }: KnownShard,
  asked: number,
  failures: readonly HolderFailure[],
  reason: string,
): ShardLookup {
  return { shard, chainId, asked, failures, reason };
}

function notFound({ root, sequence }: EntryReference, lookups: readonly ShardLookup[]): SdkError {
  const reference = root ?? `sequence ${sequence}`;
  const shards = lookups.toSorted((left, right) => left.shard - right.shard);
  const each = shards.map(
    ({ shard, chainId, reason }) => `shard ${shard} (chain ${chainId}): ${reason}`,
  );
  return new SdkError(
    {
      code: 'SDK_FILE_NOT_FOUND',
      reference,
      asked: shards.reduce((sum, { asked }) => sum + asked, 0),
      failures: shards.flatMap(({ failures }) => failures),
      shards,
    },
    `none of ${shards.length} shards has the file ${reference}: ${each.join('; ')}`,
  );
}
