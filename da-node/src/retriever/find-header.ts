import { setMaxListeners } from 'node:events';
import type { RowSuite } from '@cairn/commitments/rows';
import { layoutOf, parseRow, type VerifiedHeader, verifyHeader } from '@cairn/erasure-codec';
import { describeError, rootOf, Semaphore } from '@cairn/primitives';
import { askSigner } from './ask-signer.ts';
import { RetrievalError } from './errors.ts';
import type { Holder, ReaderDeps, WantedBlob } from './read-blob.ts';

/** Signers asked at once. */
const PARALLEL = 64;

/** A header that is proven, and the suite of its hashes. */
export interface FoundHeader {
  readonly header: VerifiedHeader;
  readonly suite: RowSuite;
}

/**
 * What proves the rows of a blob, from the first signer that has it. Its length is taken on no one's
 * word: the commitment covers it.
 *
 * @throws {RetrievalError} BLOB_ABSENT if all answered and none keeps a row; BLOB_UNAVAILABLE; the
 *   signal's reason
 */
export async function findHeader(
  wanted: WantedBlob,
  holders: readonly Holder[],
  deps: ReaderDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<FoundHeader> {
  const turns = new Semaphore({ limit: PARALLEL, maxWaiting: holders.length });
  const found = new AbortController();
  const inner = AbortSignal.any([signal, found.signal]);
  setMaxListeners(0, inner); // some for each signer asked
  let result: FoundHeader | undefined;
  let absent = 0;
  await Promise.all(
    holders.map((holder) =>
      turns
        .run(async () => {
          const answer = await headerFrom(wanted, holder, deps, inner);
          if (answer === 'absent') absent += 1;
          else if (result === undefined) {
            result = answer;
            found.abort(new Error('another signer was faster'));
          }
        }, inner)
        .catch((error: unknown) => {
          if (inner.aborted) return;
          deps.blame(holder, describeError(error));
        }),
    ),
  );
  signal.throwIfAborted();
  if (result !== undefined) return result;
  const members = holders.length;
  if (absent === members) {
    throw new RetrievalError(
      { code: 'BLOB_ABSENT', members },
      `all ${members} members of the quorum answered, and none keeps a row of the blob`,
    );
  }
  const need = 2 ** deps.layout.minLog2K;
  throw new RetrievalError(
    { code: 'BLOB_UNAVAILABLE', have: 0, need },
    `no signer of ${members} gives a row of the blob; at least ${need} are needed`,
  );
}

async function headerFrom(
  { commitment }: WantedBlob,
  holder: Holder,
  deps: ReaderDeps,
  signal: AbortSignal,
): Promise<FoundHeader | 'absent'> {
  const { peers, suites, combiner, layout } = deps;
  const socket = holder.socket;
  if (socket === undefined) throw new Error('it told no address');
  const named = rootOf(commitment);
  const held = await askSigner(deps, signal, (inner) =>
    peers.held(socket, named, { signal: inner }),
  );
  if (held === undefined) return 'absent';
  const [slice] = held.slices;
  if (slice === undefined) throw new Error('it says that it keeps the blob, and no row of it');
  const request = { commitment: named, indexes: [slice.firstRow], form: 'full' } as const;
  const [message] = await askSigner(deps, signal, (inner) =>
    peers.rows(socket, request, { signal: inner }),
  );
  const row = message === undefined ? undefined : parseRow(message);
  if (row?.kind !== 'full') throw new Error('it sent no full row');
  const suite = suites.find(({ id }) => id === row.header.suite);
  if (suite === undefined) throw new Error(`it sent a row of suite ${row.header.suite}`);
  const expected = { commitment, layout: layoutOf(row.header.layout.payloadBytes, layout) };
  return { header: verifyHeader(row.header, expected, { suite, combiner }), suite };
}
