import {
  equalBytes,
  MAX_MULTI_GET_KEYS,
  MAX_PROOF_REWIND_KEYS,
  MAX_SCAN_KEYS,
} from '@cairn/primitives';
import { keyText } from '../key-text.ts';
import { StateError } from '../store/errors.ts';
import { TABLE, type Table } from '../store/keyspace.ts';
import { damaged, type Row } from '../store/row.ts';
import type { StreamRoot } from '../store/state-tables.ts';
import type { StreamState } from '../store/stream-state.ts';
import type { StreamId } from '../stream-id.ts';
import { type Leaf, leafHashes } from '../tree/digests.ts';
import { proveLeaves } from '../tree/prove-leaves.ts';
import { encodeStateProof, type ProvenTable } from '../tree/state-proof.ts';
import type { StateTree } from '../tree/state-tree.ts';

/** Keys from one to before another; to the end without `to`. */
export interface ProvenRange {
  readonly from: Uint8Array;
  readonly to?: Uint8Array;
  /** So many leaves of it at most, those of deleted keys among them; all unless told. */
  readonly limit?: number;
  /** Which end of the range a limit keeps: the last keys instead of the first. */
  readonly isReverse?: boolean;
}

/** What is to be proven. */
export interface ProofRequest {
  /** Keys, there or not. At most 1,024. */
  readonly keys?: readonly Uint8Array[];
  /** Every key from one to before another; `to` is the end unless told. */
  readonly range?: ProvenRange;
  /** `keys` unless told. */
  readonly table?: ProvenTable;
}

/** A proof, and what it proves. */
export interface StateProof {
  /** The state it is of: after every entry up to this sequence. */
  readonly version: number;
  /** The root it leads to, which has been the stream's since `rootSequence`. */
  readonly stateRoot: Uint8Array;
  readonly rootSequence: number;
  /** For `verifyStateProof`. */
  readonly proof: Uint8Array;
  /**
   * The last key of the range that is shown, or the first if it is shown from its end, where a limit cut
   * it: with it the range shown is `from` … `through`, or `through` … `to`.
   */
  readonly through: Uint8Array | undefined;
  /** Rows of the leaves that it shows. */
  readonly rows: readonly (readonly [key: Uint8Array, row: Row])[];
}

/** Proves parts of a stream's state under its state root at a version. */
export class StateProofs {
  readonly #state: StreamState;

  constructor(state: StreamState) {
    this.#state = state;
  }

  /**
   * Proves keys and ranges at a version, deletions and absence included. Replay waits meanwhile:
   * milliseconds at the newest version, up to about 100 ms where 16,384 keys changed since, and for every part
   * of a snapshot that was not read yet and that a key or a neighbour is in: some 10 ms each.
   *
   * @param version - the newest unless told
   * @throws {StateError} KV_STREAM_UNKNOWN if nothing was committed to the stream by then,
   * KV_VERSION_AHEAD, KV_VERSION_TOO_OLD, KV_VERSION_PRUNED, KV_TOO_MUCH beyond 4,096 leaves, KV_SNAPSHOT_ROOT,
   * KV_SNAPSHOT_MALFORMED
   */
  prove(
    stream: StreamId,
    request: ProofRequest,
    { version: asked, signal }: { readonly version?: number; readonly signal: AbortSignal },
  ): Promise<StateProof> {
    return this.#state.exclusively(async () => {
      const version = this.#checkVersion(asked);
      const table = request.table === 'roles' ? TABLE.roles : TABLE.keys;
      const at = { stream, table, version, signal };
      const root = await this.#rootAt(at);
      // First: it refuses versions that too much came after, which bounds the walks below.
      const tree = await this.#treeAt(at, root);
      const { rows, through } = await this.#rowsToShow(at, request);
      const leaves = rows.map(([key, row]) => leafOf(key, row));
      const nodes = await proveLeaves(tree, leaves, this.#state.hasher);
      this.#state.trees.settle(); // pages were loaded for the proof; between groups none is unsaved
      const { keyCount, roleCount, keysRoot, rolesRoot, stateRoot, sequence } = root;
      const proof = encodeStateProof(
        {
          table: request.table ?? 'keys',
          domain: this.#state.domain,
          stream,
          otherRoot: table === TABLE.keys ? rolesRoot : keysRoot,
          keyCount,
          roleCount,
        },
        nodes,
      );
      return { version, stateRoot, rootSequence: sequence, proof, through, rows };
    });
  }

  #checkVersion(asked: number | undefined): number {
    const { nextSequence } = this.#state;
    const version = asked ?? nextSequence - 1;
    const { oldestVersion: oldest } = this.#state;
    if (version < oldest) {
      throw new StateError(
        { code: 'KV_VERSION_PRUNED', version, oldest },
        `version ${version} is older than the snapshot of version ${oldest} that this state began with`,
      );
    }
    if (version < nextSequence) return version;
    throw new StateError(
      { code: 'KV_VERSION_AHEAD', version, next: nextSequence },
      `version ${version} is not there yet: entry ${nextSequence} is applied next`,
    );
  }

  async #rootAt({ stream, version, signal }: At): Promise<StreamRoot> {
    const root = await this.#state.tables.rootAt(stream, version, signal);
    if (root !== undefined) return root;
    throw new StateError(
      { code: 'KV_STREAM_UNKNOWN', stream },
      `nothing was committed to stream ${stream} up to version ${version}`,
    );
  }

  /** Rows that a proof must show: what is asked for, and neighbours where something is not there. */
  async #rowsToShow(
    at: At,
    { keys = [], range }: ProofRequest,
  ): Promise<{
    readonly rows: (readonly [Uint8Array, Row])[];
    readonly through: Uint8Array | undefined;
  }> {
    const shown = new Map<string, readonly [Uint8Array, Row]>();
    const show = (key: Uint8Array, row: Row): void => {
      shown.set(keyText(key), [key, row]);
      if (shown.size > MAX_LEAVES) tooMuch('leaves of a proof', shown.size, MAX_LEAVES);
    };
    if (keys.length > MAX_MULTI_GET_KEYS)
      tooMuch('keys of a proof', keys.length, MAX_MULTI_GET_KEYS);
    for (const key of keys) {
      const row = await this.#state.tables.rowAt({ ...at, key }, at.version, at.signal);
      if (row !== undefined) show(key, row);
      else await this.#showNeighbours(at, { before: key, behind: key }, show);
    }
    const through = range === undefined ? undefined : await this.#showRange(at, range, show);
    return { rows: [...shown.values()], through };
  }

  /** Shows a range and what bounds it. @returns where its limit cut it */
  async #showRange(
    at: At,
    { from, to, limit = Number.POSITIVE_INFINITY, isReverse = false }: ProvenRange,
    show: (key: Uint8Array, row: Row) => void,
  ): Promise<Uint8Array | undefined> {
    const span = { from, ...(to === undefined ? {} : { to }) };
    const way = isReverse ? { ...span, reverse: true } : span;
    let count = 0;
    let last: Uint8Array | undefined;
    for await (const [key, row] of this.#state.tables.walk(at, way, at)) {
      if (row === undefined) continue;
      if (count >= Math.max(1, limit)) {
        // The cut side is bounded by a key that is shown, so it needs no neighbour.
        await this.#showNeighbours(at, isReverse ? { behind: to } : { before: from }, show);
        return last;
      }
      show(key, row);
      last = key;
      count += 1;
    }
    await this.#showNeighbours(at, { before: from, behind: to }, show);
    return undefined;
  }

  /** The last row before a key and the first at or behind one. */
  async #showNeighbours(
    at: At,
    { before, behind }: { readonly before?: Uint8Array; readonly behind?: Uint8Array | undefined },
    show: (key: Uint8Array, row: Row) => void,
  ): Promise<void> {
    const sides = [
      ...(before === undefined ? [] : [{ to: before, reverse: true }]),
      ...(behind === undefined ? [] : [{ from: behind }]),
    ];
    for (const side of sides) {
      for await (const [key, row] of this.#state.tables.walk(at, side, at)) {
        if (row === undefined) continue;
        show(key, row);
        break;
      }
    }
  }

  /** The tree at a version: the one that is kept, with what came later taken back. */
  async #treeAt(at: At, root: StreamRoot): Promise<StateTree> {
    const { table, stream, version, signal } = at;
    const { tables, trees, hasher } = this.#state;
    const later = new Map<string, Uint8Array>();
    const through = this.#state.nextSequence - 1;
    if (version === through) return trees.tree(table, stream);
    for await (const { sequence } of tables.rootsBetween(
      stream,
      { after: version, through },
      signal,
    )) {
      for await (const change of tables.changesOf(sequence, signal)) {
        if (change.table === table && change.stream === stream)
          later.set(keyText(change.key), change.key);
      }
      if (later.size > MAX_PROOF_REWIND_KEYS) tooOld(version, later.size);
    }
    if (later.size === 0) return trees.tree(table, stream);
    const tree = await trees.stored(table, stream);
    const keys = [...later.values()];
    await tree.preload(keys);
    const before: Leaf[] = [];
    for (const key of keys) {
      const row = await tables.rowAt({ table, stream, key }, version, signal);
      if (row === undefined) tree.remove(key);
      else before.push(leafOf(key, row));
    }
    const hashes = before.length === 0 ? [] : leafHashes(before, hasher);
    for (const [index, { key }] of before.entries()) {
      const hash = hashes[index];
      if (hash !== undefined) tree.set(key, hash);
    }
    const expected = table === TABLE.keys ? root.keysRoot : root.rolesRoot;
    if (!equalBytes(tree.hash(), expected)) damaged(`tree at version ${version}`, keys.length);
    return tree;
  }
}

interface At {
  readonly stream: StreamId;
  readonly table: Table;
  readonly version: number;
  readonly signal: AbortSignal;
}

/** Leaves that one proof shows at most. */
const MAX_LEAVES: number = MAX_SCAN_KEYS + 2;

function leafOf(key: Uint8Array, { version, valueOffset, valueBytes, valueDigest }: Row): Leaf {
  return { key, version, valueOffset, valueBytes, valueDigest };
}

function tooMuch(what: string, count: number, max: number): never {
  throw new StateError(
    { code: 'KV_TOO_MUCH', what, count, max },
    `${count} ${what}, at most ${max}`,
  );
}

function tooOld(version: number, changedKeys: number): never {
  const maxKeys = MAX_PROOF_REWIND_KEYS;
  throw new StateError(
    { code: 'KV_VERSION_TOO_OLD', version, changedKeys, maxKeys },
    `over ${maxKeys} keys changed since version ${version}, too many to prove it`,
  );
}
