import { type Committee, encodeBlobHeader, leafHash, treeRoot } from '@cairn/attestation';
import {
  bigEndianBytes,
  concatBytes,
  equalBytes,
  type KeyValueStore,
  type Root,
  rootBytes,
  rootOf,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import { encodeVoteRequest, parseVoteRequest, type VoteRequest } from '@cairn/wire-protocol/da';
import type { ChainOptions } from '../ports.ts';
import { type AskMembersDeps, askMembers } from './ask-members.ts';
import { OFFICE_KEYS, officeKey } from './office-store.ts';
import type { OfficePeers } from './ports.ts';

/** Batches kept at most; the oldest go first. */
const MAX_BATCHES = 65_536;
const UNTIL_BYTES = 8;

/** What asking others for a batch needs. */
export type BatchFetchDeps = AskMembersDeps & { readonly peers: Pick<OfficePeers, 'batch'> };

/**
 * Headers of the batches that this signer signed for, or was shown by others that did: the chain keeps
 * their roots alone. Kept until the last of a batch's blobs expires.
 */
export class BatchBook {
  readonly #store: KeyValueStore;
  /** Unix seconds until when a batch is kept, by root, oldest first. */
  readonly #until: Map<Root, number>;

  private constructor(store: KeyValueStore, until: Map<Root, number>) {
    this.#store = store;
    this.#until = until;
  }

  /** Lists what `store` holds. @throws what the store throws */
  static async open(
    store: KeyValueStore,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<BatchBook> {
    const [first, next] = [
      OFFICE_KEYS.batch,
      String.fromCharCode(OFFICE_KEYS.batch.charCodeAt(0) + 1),
    ];
    const range = { gte: utf8Bytes(first), lt: utf8Bytes(next) };
    const found: [Root, number][] = [];
    for await (const [key, value] of store.entries(range, { signal })) {
      found.push([rootOf(key.slice(1)), Number(viewOf(value).getBigUint64(0))]);
    }
    found.sort(([, left], [, right]) => left - right);
    return new BatchBook(store, new Map(found));
  }

  /** Batches kept. */
  get size(): number {
    return this.#until.size;
  }

  /** The batch with this root. @throws what the store throws */
  async get(root: Root): Promise<VoteRequest | undefined> {
    if (!this.#until.has(root)) return undefined;
    const value = await this.#store.get(officeKey(OFFICE_KEYS.batch, rootBytes(root)));
    return value === undefined ? undefined : parseVoteRequest(value.subarray(UNTIL_BYTES));
  }

  /** Keeps a batch, in place of the oldest where there are too many. @throws what the store throws */
  async put(batch: VoteRequest): Promise<void> {
    const root = rootOf(rootOfBatch(batch));
    if (this.#until.has(root)) return;
    const until = batch.headers.reduce((last, header) => Math.max(last, header.expirySeconds), 0);
    const value = concatBytes(bigEndianBytes(until, UNTIL_BYTES), encodeVoteRequest(batch));
    const key = officeKey(OFFICE_KEYS.batch, rootBytes(root));
    await this.#store.write([{ type: 'put', key, value }]);
    this.#until.set(root, until);
    const [oldest] = this.#until.keys();
    if (this.#until.size > MAX_BATCHES && oldest !== undefined) await this.#drop([oldest]);
  }

  /**
   * The headers of a confirmed batch: from here, or from a member of its quorum that signed it.
   *
   * @returns `undefined` while nobody shows them
   * @throws what the store throws; the signal's reason
   */
  async find(
    { root, committee }: { readonly root: Uint8Array; readonly committee: Committee },
    deps: BatchFetchDeps,
    options: ChainOptions,
  ): Promise<VoteRequest | undefined> {
    const known = await this.get(rootOf(root));
    if (known !== undefined) return known;
    let found: VoteRequest | undefined;
    await askMembers(
      committee,
      {
        what: 'the headers of a batch',
        isEnough: () => found !== undefined,
        ask: async (_, socket, signal) => {
          const batch = await deps.peers.batch(socket, root, { signal });
          if (batch !== undefined && equalBytes(rootOfBatch(batch), root)) found = batch;
        },
      },
      deps,
      options,
    );
    if (found !== undefined) await this.put(found);
    return found;
  }

  /** Drops batches whose blobs have all expired. @throws what the store throws */
  async prune(nowSeconds: number): Promise<void> {
    const over = [...this.#until].filter(([, until]) => until < nowSeconds).map(([root]) => root);
    if (over.length > 0) await this.#drop(over);
  }

  async #drop(roots: readonly Root[]): Promise<void> {
    for (const root of roots) this.#until.delete(root);
    const keys = roots.map((root) => officeKey(OFFICE_KEYS.batch, rootBytes(root)));
    await this.#store.write(keys.map((key) => ({ type: 'delete', key })));
  }
}

function rootOfBatch({ headers }: Pick<VoteRequest, 'headers'>): Uint8Array {
  return treeRoot(headers.map((header) => leafHash(encodeBlobHeader(header))));
}
