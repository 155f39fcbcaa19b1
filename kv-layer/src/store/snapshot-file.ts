import {
  bigEndianBytes,
  chainIdOf,
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  parseAddress,
  readSafeU64,
  toHex,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import { judgeRoots, type RootTrust } from '../attest/judge-statements.ts';
import {
  AttestError,
  NO_ROOT,
  type RootStatement,
  type SignedRoot,
  type VerifiedRoot,
  verifySignedRoot,
} from '../attest/root-statement.ts';
import { type StreamId, streamIdBytes, streamIdOf } from '../stream-id.ts';
import { StateError } from './errors.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { type StateIdentity, sortedStreams, stateDomain } from './state-identity.ts';

/** What all statements of a snapshot have in common. */
export type SnapshotPlace = Omit<RootStatement, 'stream' | 'root'>;

/** A snapshot as it lies in a file: who vouches for its roots, and its bytes for `importSnapshot`. */
export interface SnapshotFile {
  readonly place: SnapshotPlace;
  readonly statements: readonly SignedRoot[];
  readonly snapshot: AsyncIterable<Uint8Array>;
}

/** Roots that a snapshot must have, by the word of enough accounts. */
export interface TrustedSnapshot {
  /** The last entry that it counts, and the block which has that. */
  readonly version: number;
  readonly block: Hex;
  /** Streams that nothing was committed to are not among them. */
  readonly roots: ReadonlyMap<StreamId, Uint8Array>;
}

const MAGIC: Uint8Array = Uint8Array.of(0x63, 0x6b, 0x76, 0x66, 1); // "ckvf", format 1
const PLACE_BYTES = 8 + 20 + 32 + 8 + 32;
const STATEMENT_BYTES = 32 + 32 + 20 + 65;
/** Statements of 10,000 streams by 32 nodes: 48 MB, which are held in memory. */
const MAX_STATEMENTS = 320_000;

/**
 * The beginning of a file with a snapshot; `exportSnapshot` gives the rest. "ckvf", format u8; chain id
 * u64, log contract 20, domain 32, sequence u64, block 32; statements u32, each stream 32, root 32,
 * signer 20, signature 65.
 *
 * @param statements - all of one place
 * @throws {AttestError} KV_STATEMENT_OTHER
 */
export function encodeSnapshotHead(
  place: SnapshotPlace,
  statements: readonly SignedRoot[],
): Uint8Array {
  const { chainId, flow, domain, sequence, block } = place;
  const bytes = new Uint8Array(
    MAGIC.length + PLACE_BYTES + 4 + statements.length * STATEMENT_BYTES,
  );
  const view = viewOf(bytes);
  const fixed = concatBytes(bigEndianBytes(chainId, 8), fromHex(flow), fromHex(domain));
  bytes.set(MAGIC);
  let at = MAGIC.length;
  bytes.set(fixed, at);
  writeSafeU64(view, at + 60, sequence);
  bytes.set(fromHex(block), at + 68);
  at += PLACE_BYTES;
  view.setUint32(at, statements.length);
  at += 4;
  for (const { statement, signer, signature } of statements) {
    assertPlace(statement, place);
    bytes.set(streamIdBytes(statement.stream), at);
    bytes.set(fromHex(statement.root), at + 32);
    bytes.set(fromHex(signer), at + 64);
    bytes.set(fromHex(signature), at + 84);
    at += STATEMENT_BYTES;
  }
  return bytes;
}

/**
 * Reads the beginning of a file with a snapshot. Who signed is for `trustedRoots` to say.
 *
 * @param file - its bytes in order, in pieces of any size
 * @throws {StateError} KV_SNAPSHOT_MALFORMED; what the source throws
 */
export async function openSnapshotFile(file: AsyncIterable<Uint8Array>): Promise<SnapshotFile> {
  const reader = new SnapshotReader(file);
  const head = await reader.take(MAGIC.length + PLACE_BYTES + 4);
  if (!equalBytes(head.subarray(0, MAGIC.length), MAGIC)) reader.refuse();
  const view = viewOf(head);
  const at = MAGIC.length;
  const [chainId, sequence] = [u64(reader, view, at), u64(reader, view, at + 60)];
  if (chainId < 1) reader.refuse();
  const place: SnapshotPlace = {
    chainId: chainIdOf(chainId),
    flow: parseAddress(toHex(head.subarray(at + 8, at + 28))),
    domain: toHex(head.subarray(at + 28, at + 60)),
    sequence,
    block: toHex(head.subarray(at + 68, at + 100)),
  };
  const count = view.getUint32(at + PLACE_BYTES);
  if (count > MAX_STATEMENTS) reader.refuse();
  const statements: SignedRoot[] = [];
  for (let index = 0; index < count; index += 1) {
    const bytes = await reader.take(STATEMENT_BYTES);
    statements.push({
      statement: {
        ...place,
        stream: streamIdOf(bytes.subarray(0, 32)),
        root: toHex(bytes.subarray(32, 64)),
      },
      signer: parseAddress(toHex(bytes.subarray(64, 84))),
      signature: toHex(bytes.subarray(84)),
    });
  }
  return { place, statements, snapshot: reader.rest() };
}

/**
 * The roots that a snapshot must have for a state, by the word of enough accounts: one for every
 * stream, also that nothing was committed to it.
 *
 * @throws {StateError} KV_WRONG_STATE for another chain, log contract or domain, KV_SNAPSHOT_UNATTESTED
 */
export function trustedRoots(
  { place, statements }: Pick<SnapshotFile, 'place' | 'statements'>,
  identity: StateIdentity,
  { keys, threshold }: RootTrust,
): TrustedSnapshot {
  const { sequence: version, block } = place;
  const expected = {
    chainId: identity.chainId,
    flow: identity.flow,
    domain: toHex(stateDomain(identity)),
  };
  for (const [name, field] of [
    ['chainId', 'chain'],
    ['flow', 'flow'],
    ['domain', 'streams'],
  ] as const) {
    if (place[name] === expected[name]) continue;
    throw new StateError(
      { code: 'KV_WRONG_STATE', field },
      `the snapshot is of ${name} ${place[name]}, this state of ${expected[name]}`,
    );
  }
  const byStream = new Map<StreamId, VerifiedRoot[]>();
  for (const signed of statements) {
    const { stream } = signed.statement;
    if (!keys.includes(signed.signer)) continue;
    const verified = byStream.get(stream) ?? [];
    verified.push(...verifiedOf(signed));
    byStream.set(stream, verified);
  }
  const roots = new Map<StreamId, Uint8Array>();
  for (const stream of sortedStreams(identity.streams)) {
    const { agreeing } = judgeRoots(byStream.get(stream) ?? [], keys);
    const [signed] = agreeing;
    if (signed === undefined || agreeing.length < threshold) {
      throw new StateError(
        { code: 'KV_SNAPSHOT_UNATTESTED', stream, agreeing: agreeing.length, needed: threshold },
        `${agreeing.length} of ${keys.length} accounts vouch in the snapshot for one root of stream ${stream}, ${threshold} are needed`,
      );
    }
    const { root } = signed.statement;
    if (root !== NO_ROOT) roots.set(stream, fromHex(root));
  }
  return { version, block, roots };
}

function assertPlace(statement: RootStatement, place: SnapshotPlace): void {
  for (const field of ['chainId', 'flow', 'domain', 'sequence', 'block'] as const) {
    if (statement[field] === place[field]) continue;
    throw new AttestError(
      { code: 'KV_STATEMENT_OTHER', field },
      `a statement about ${field} ${statement[field]} does not belong to a snapshot of ${field} ${place[field]}`,
    );
  }
}

function verifiedOf(signed: SignedRoot): readonly VerifiedRoot[] {
  try {
    return [verifySignedRoot(signed)];
  } catch (error) {
    if (error instanceof AttestError) return [];
    throw error;
  }
}

function u64(reader: SnapshotReader, view: DataView, at: number): number {
  return view.getUint32(at) >= 2 ** 21 ? reader.refuse() : readSafeU64(view, at);
}
