import { encodeSnapshotHead, type SignedRoot, type StreamId } from '@cairn/kv-layer';
import { concatBytes, mapConcurrent, readSafeU64, toHex, viewOf } from '@cairn/primitives';
import { type HolderFailure, SdkError } from '../errors.ts';
import { failureOf } from '../holders.ts';
import type { AttestedRoots } from './attested-roots.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvSnapshot } from './kv-options.ts';

/** What making a snapshot works with. */
export interface KvSnapshotDeps {
  readonly node: KvNodeClient;
  readonly roots: AttestedRoots;
}

const PATH = '/v1/snapshot';
/** Magic 5, domain 32, version u64, time u64: see `exportSnapshot`. */
const HEAD_BYTES = 5 + 32 + 8 + 8;
/** Streams whose roots are asked for at once. */
const STREAMS_AT_ONCE = 8;

/**
 * Takes a snapshot of the first node that makes one, and has the others vouch for its roots.
 *
 * @throws {SdkError} SDK_KV_NODE; SDK_KV_UNATTESTED, SDK_KV_CONTRADICTION
 */
export async function openSnapshot(
  { node, roots }: KvSnapshotDeps,
  signal: AbortSignal,
): Promise<KvSnapshot> {
  const failures: HolderFailure[] = [];
  for (const url of node.urls) {
    const leaving = new AbortController();
    try {
      const inner = AbortSignal.any([signal, leaving.signal]);
      const parts = await node.read(url, PATH, { signal: inner });
      return await vouchedFor(node.only(url), roots, parts, signal);
    } catch (error) {
      leaving.abort(new Error('the snapshot is not taken'));
      signal.throwIfAborted();
      if (error instanceof SdkError && error.code !== 'SDK_KV_NODE') throw error;
      failures.push(failureOf(url, error));
    }
  }
  const told = failures.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
  throw new SdkError(
    { code: 'SDK_KV_NODE', method: PATH, failures },
    `no key-value node made a snapshot: ${told}`,
  );
}

async function vouchedFor(
  node: KvNodeClient,
  roots: AttestedRoots,
  parts: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<KvSnapshot> {
  const iterator = parts[Symbol.asyncIterator]();
  let head = new Uint8Array(0);
  while (head.length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) broken(`the snapshot ended after ${head.length} bytes`);
    head = concatBytes(head, next.value);
  }
  const domain = toHex(head.subarray(5, 37));
  const version = readSafeU64(viewOf(head), 37) - 1;
  if (version < 0) broken('the node has decided no entry yet');
  const streams = await node.streams({ signal });
  const statements: SignedRoot[] = [];
  const ask = (stream: StreamId, inner: AbortSignal) =>
    roots.at(stream, { version, signal: inner });
  const asked = mapConcurrent(streams, ask, { parallel: STREAMS_AT_ONCE, signal });
  for await (const root of asked) statements.push(...root.statements);
  const [first] = statements;
  if (first === undefined) broken('the node has no streams');
  const { stream: _, root: __, ...place } = first.statement;
  if (place.domain !== domain) {
    broken(`the nodes vouch for domain ${place.domain}, and the snapshot is of domain ${domain}`);
  }
  const begin = encodeSnapshotHead(place, statements);
  const pieces = async function* (): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield begin;
      yield head;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  return {
    version,
    block: place.block,
    streams,
    signers: [...new Set(statements.map(({ signer }) => signer))],
    pieces: pieces(),
  };
}

function broken(message: string): never {
  throw new SdkError({ code: 'SDK_KV_NODE', method: PATH, failures: [] }, message);
}
