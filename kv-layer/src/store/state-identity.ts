import {
  type Address,
  bigEndianBytes,
  type ChainId,
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  type KeyValueStore,
  keccak256,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import { type StreamId, streamIdBytes } from '../stream-id.ts';
import { StateError } from './errors.ts';
import { KEY, type Keyspace } from './keyspace.ts';
import { damaged } from './row.ts';

/** Set beside the source of senders where batches are decrypted. */
const HAS_KEYS = 2;
/** Layout version this build writes, and the oldest it reads. */
const LAYOUT_VERSION = 2;
const FIRST_LAYOUT = 1;

/** Who is judged as the sender of an entry: the two differ for contract wallets and relayers. */
export type SenderSource = 'transaction' | 'event';

/** What a state is a function of, besides the log's entries. */
export interface StateIdentity {
  readonly chainId: ChainId;
  readonly flow: Address;
  /** The streams that are replayed: a batch that names another one is none of this state's. */
  readonly streams: readonly StreamId[];
  /** `transaction` unless told. */
  readonly senders?: SenderSource;
  /**
   * 32 bytes over the keys that batches are decrypted with, in hex; none unless told. What an encrypted
   * batch comes to depends on them.
   */
  readonly keys?: Hex;
}

/** What stands in the place of the layout version while a snapshot is being taken in. */
export const UNFINISHED_LAYOUT = 0xffff;

/** The stored identity. */
export function encodeIdentity(identity: StateIdentity): Uint8Array {
  return concatBytes(bigEndianBytes(LAYOUT_VERSION, 2), identityFields(identity));
}

/** The streams of a state, each once, ascending. */
export function sortedStreams(streams: Iterable<StreamId>): readonly StreamId[] {
  return [...new Set(streams)].sort();
}

/**
 * 32 bytes over everything a state is a function of besides the log's entries: keccak-256 over
 * "cairn key-value domain 1", chain id u64, flow 20, sender source u8 (2 more where batches are decrypted,
 * and then 32 bytes over the keys), and the stream ids, ascending.
 * Two nodes that answer with one domain must have one root for one sequence.
 */
export function stateDomain(identity: StateIdentity): Uint8Array {
  return keccak256(concatBytes(utf8Bytes('cairn key-value domain 1'), identityFields(identity)));
}

function identityFields({
  chainId,
  flow,
  streams,
  senders = 'transaction',
  keys,
}: StateIdentity): Uint8Array {
  return concatBytes(
    bigEndianBytes(chainId, 8),
    fromHex(flow),
    Uint8Array.of((senders === 'transaction' ? 0 : 1) + (keys === undefined ? 0 : HAS_KEYS)),
    ...(keys === undefined ? [] : [fromHex(keys)]),
    ...sortedStreams(streams).map(streamIdBytes),
  );
}

/**
 * Claims an empty generation for an identity, or checks that it is of that one.
 *
 * @throws {StateError} KV_WRONG_STATE, KV_STATE_VERSION, KV_STATE_DAMAGED
 */
export async function claimState(
  kv: KeyValueStore,
  keys: Keyspace,
  identity: StateIdentity,
): Promise<void> {
  const key = keys.key(KEY.identity);
  const fields = identityFields(identity);
  const stored = await kv.get(key);
  if (stored === undefined) {
    const value = encodeIdentity(identity);
    await kv.write([{ type: 'put', key, value }], { sync: true });
    return;
  }
  const version = stored.length < 2 ? 0 : viewOf(stored).getUint16(0);
  if (version < FIRST_LAYOUT || version > LAYOUT_VERSION) {
    throw new StateError(
      { code: 'KV_STATE_VERSION', version, supported: LAYOUT_VERSION },
      `the state has layout version ${version}; this build reads ${FIRST_LAYOUT} to ${LAYOUT_VERSION}`,
    );
  }
  if (stored.length < 31) damaged('identity', stored.length);
  const [held, asked] = [partsOf(stored.subarray(2)), partsOf(fields)];
  for (const field of ['chain', 'flow', 'senders', 'keys', 'streams'] as const) {
    if (equalBytes(held[field], asked[field])) continue;
    throw new StateError({ code: 'KV_WRONG_STATE', field }, wrongState(field, held, identity));
  }
}

type Field = 'chain' | 'flow' | 'senders' | 'keys' | 'streams';

/** What the fields of an identity are. */
function partsOf(fields: Uint8Array): Readonly<Record<Field, Uint8Array>> {
  const flags = fields[28] ?? 0;
  const end = 29 + ((flags & HAS_KEYS) === 0 ? 0 : 32);
  return {
    chain: fields.subarray(0, 8),
    flow: fields.subarray(8, 28),
    senders: Uint8Array.of(flags & ~HAS_KEYS),
    keys: fields.subarray(29, end),
    streams: fields.subarray(end),
  };
}

function wrongState(
  field: Field,
  held: Readonly<Record<Field, Uint8Array>>,
  identity: StateIdentity,
): string {
  if (field === 'streams') {
    return `the state watches ${held.streams.length / 32} other streams than the ${identity.streams.length} asked for`;
  }
  if (field === 'keys') {
    return 'the state was made with other keys for encrypted batches: remove it, and the log is replayed with these';
  }
  return `the state was made with another ${field}`;
}
