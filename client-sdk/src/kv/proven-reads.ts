import type { Hasher } from '@cairn/commitments';
import {
  type KeyEvidence,
  type Leaf,
  type RangeEvidence,
  type StreamId,
  verifyKeyEvidence,
  verifyStateProof,
  verifyValue,
} from '@cairn/kv-layer';
import { compareBytes, concatBytes, MAX_STATE_PROOF_BYTES } from '@cairn/primitives';
import { encodeBase64 } from '@cairn/wire-protocol';
import { type HolderFailure, SdkError } from '../errors.ts';
import { failureOf } from '../holders.ts';
import type { AttestedRoot, AttestedRoots, RootQuestion } from './attested-roots.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvEntry, KvValue } from './kv-options.ts';
import { bytesOf, keysOf } from './kvx-replies.ts';

/** What proven reads work with. */
export interface ProvenReadsDeps {
  readonly node: KvNodeClient;
  readonly roots: AttestedRoots;
  readonly hasher: () => Promise<Hasher>;
}

/** Which keys a scan gives. */
export interface ProvenScan extends RootQuestion {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  /** Keys at most. */
  readonly limit: number;
}

/** Leaves of one proof: about 50 KiB of it, and values of one question. */
const PAGE_LEAVES = 512;
/** A proof in base64, and the rest of its answer. */
const MAX_PROOF_REPLY_BYTES: number = Math.ceil((MAX_STATE_PROOF_BYTES * 4) / 3) + 65_536;

/**
 * Reads that believe no node: everything is proven under a root that enough accounts vouch for. A node
 * whose proof does not hold is passed over, and the next one asked.
 */
export class ProvenReads {
  readonly #deps: ProvenReadsDeps;

  constructor(deps: ProvenReadsDeps) {
    this.#deps = deps;
  }

  /** Roots that enough accounts vouch for. */
  get roots(): AttestedRoots {
    return this.#deps.roots;
  }

  /** What a key holds, with its proof. @throws {SdkError} as `AttestedRoots.at`; SDK_KV_UNPROVEN */
  async evidence(
    stream: StreamId,
    key: Uint8Array,
    question: RootQuestion,
  ): Promise<{ readonly evidence: KeyEvidence; readonly leaf: Leaf | undefined }> {
    const { roots } = this.#deps;
    const { signal } = question;
    const root = await roots.at(stream, question);
    const hasher = await this.#deps.hasher();
    const { sequence, statements, stateRoot } = root;
    const base = { stream, key, sequence, statements };
    if (stateRoot === undefined) {
      const nothing = { ...base, proof: new Uint8Array(0), value: undefined };
      return { evidence: nothing, leaf: verifyKeyEvidence(nothing, roots.trust, hasher) };
    }
    return this.#fromAny(root, signal, async (node) => {
      const fields = { stream, version: sequence, keys: [encodeBase64(key)] };
      const [reply, found] = await Promise.all([
        node.ask('kvx_getProof', fields, { signal, maxReplyBytes: MAX_PROOF_REPLY_BYTES }),
        node.value(stream, key, { version: sequence, signal }),
      ]);
      const proof = bytesOf('kvx_getProof', reply, 'proof');
      const leaf = verifyStateProof(proof, { stateRoot, stream }, hasher).get(key);
      const isThere = leaf !== undefined && leaf.valueBytes > 0;
      if (!isThere && found !== undefined) throw new Error('a value is told of an absent key');
      if (isThere) verifyValue(leaf, found?.value ?? new Uint8Array(0), hasher);
      return {
        evidence: { ...base, proof, value: found?.value },
        leaf: isThere ? leaf : undefined,
      };
    });
  }

  /** A value; `undefined`: proven absent. @throws as `evidence` */
  async value(
    stream: StreamId,
    key: Uint8Array,
    question: RootQuestion,
  ): Promise<KvValue | undefined> {
    const { evidence, leaf } = await this.evidence(stream, key, question);
    if (leaf === undefined || evidence.value === undefined) return undefined;
    return { value: evidence.value, version: leaf.version };
  }

  /** Values of many keys at one version, in their order. @throws as `evidence` */
  async values(
    stream: StreamId,
    keys: readonly Uint8Array[],
    question: RootQuestion,
  ): Promise<readonly (KvValue | undefined)[]> {
    const { signal } = question;
    const root = await this.#deps.roots.at(stream, question);
    const { stateRoot, sequence: version } = root;
    if (stateRoot === undefined) return keys.map(() => undefined);
    const hasher = await this.#deps.hasher();
    const found: (KvValue | undefined)[] = [];
    for (let at = 0; at < keys.length; at += PAGE_LEAVES) {
      const some = keys.slice(at, at + PAGE_LEAVES);
      const page = await this.#fromAny(root, signal, async (node) => {
        const fields = { stream, version, keys: some.map((key) => encodeBase64(key)) };
        const options = { signal, maxReplyBytes: MAX_PROOF_REPLY_BYTES };
        const reply = await node.ask('kvx_getProof', fields, options);
        const proof = bytesOf('kvx_getProof', reply, 'proof');
        const proven = verifyStateProof(proof, { stateRoot, stream }, hasher);
        const leaves = some.map((key) => proven.get(key));
        const there = leaves.filter((leaf) => leaf !== undefined && leaf.valueBytes > 0);
        const values = await this.#values(node, root, there as readonly Leaf[], signal);
        return { leaves, values: new Map(there.map((leaf, index) => [leaf, values[index]])) };
      });
      for (const leaf of page.leaves) {
        const isThere = leaf !== undefined && leaf.valueBytes > 0;
        const value = page.values.get(leaf);
        found.push(
          isThere
            ? { version: leaf.version, value: value ?? (await this.#longValue(root, leaf, signal)) }
            : undefined,
        );
      }
    }
    return found;
  }

  /** What a range holds, with one proof of all of it. @throws as `evidence` */
  async range(
    stream: StreamId,
    { from = NO_BYTES, to }: Pick<ProvenScan, 'from' | 'to'>,
    question: RootQuestion,
  ): Promise<RangeEvidence> {
    const { roots } = this.#deps;
    const { signal } = question;
    const root = await roots.at(stream, question);
    const { sequence, statements, stateRoot } = root;
    const base = { stream, from, ...(to === undefined ? {} : { to }), sequence, statements };
    if (stateRoot === undefined) return { ...base, proof: NO_BYTES };
    return this.#fromAny(root, signal, async (node) => {
      const [gte, lt] = [encodeBase64(from), to && encodeBase64(to)];
      const options = { signal, maxReplyBytes: MAX_PROOF_REPLY_BYTES };
      const reply = await node.ask('kvx_getProof', { stream, version: sequence, gte, lt }, options);
      const proof = bytesOf('kvx_getProof', reply, 'proof');
      verifyStateProof(proof, { stateRoot, stream }, await this.#deps.hasher()).range(from, to);
      return { ...base, proof };
    });
  }

  /** Keys and values in order, all of them, at one version. @throws as `evidence` */
  async *scan(stream: StreamId, scan: ProvenScan): AsyncGenerator<KvEntry, void, void> {
    const { keysOnly, reverse, signal } = scan;
    const root = await this.#deps.roots.at(stream, scan);
    if (root.stateRoot === undefined) return;
    let from = scan.from ?? new Uint8Array(0);
    let { to, limit: left } = scan;
    for (;;) {
      if (left <= 0 || (to !== undefined && compareBytes(from, to) >= 0)) return;
      const limit = Math.min(PAGE_LEAVES, left);
      const page = await this.#page(root, { from, to, limit, reverse, keysOnly }, signal);
      for (const { leaf, value } of page.entries) {
        if (left <= 0) return;
        left -= 1;
        yield {
          key: leaf.key,
          version: leaf.version,
          value: value ?? (await this.#longValue(root, leaf, signal)),
        };
      }
      if (page.through === undefined) return;
      if (reverse) to = page.through;
      else from = concatBytes(page.through, Uint8Array.of(0));
    }
  }

  /** The next leaves of a range, with values that fit an answer. */
  #page(
    root: AttestedRoot,
    {
      from,
      to,
      limit,
      reverse,
      keysOnly,
    }: Pick<ProvenScan, 'to' | 'limit' | 'reverse' | 'keysOnly'> & { readonly from: Uint8Array },
    signal: AbortSignal,
  ): Promise<{
    readonly entries: readonly { readonly leaf: Leaf; readonly value: Uint8Array | undefined }[];
    readonly through: Uint8Array | undefined;
  }> {
    const { stream, sequence, stateRoot = new Uint8Array(0) } = root;
    return this.#fromAny(root, signal, async (node) => {
      const hasher = await this.#deps.hasher();
      const fields = {
        stream,
        version: sequence,
        gte: encodeBase64(from),
        lt: to && encodeBase64(to),
        limit,
        reverse,
      };
      const options = { signal, maxReplyBytes: MAX_PROOF_REPLY_BYTES };
      const reply = await node.ask('kvx_getProof', fields, options);
      const proof = bytesOf('kvx_getProof', reply, 'proof');
      const through =
        reply['through'] === undefined ? undefined : bytesOf('kvx_getProof', reply, 'through');
      const isInside =
        through === undefined ||
        (compareBytes(through, from) >= 0 && (to === undefined || compareBytes(through, to) < 0));
      if (!isInside) throw new Error('a range is told to be cut outside itself');
      const proven = verifyStateProof(proof, { stateRoot, stream }, hasher);
      const shown =
        through === undefined
          ? proven.range(from, to)
          : reverse
            ? proven.range(through, to)
            : proven.range(from, concatBytes(through, Uint8Array.of(0)));
      const leaves = shown.filter(({ valueBytes }) => valueBytes > 0);
      if (reverse) leaves.reverse();
      const values = keysOnly
        ? leaves.map(() => NO_BYTES)
        : await this.#values(node, root, leaves, signal);
      return { entries: leaves.map((leaf, at) => ({ leaf, value: values[at] })), through };
    });
  }

  /** Values of leaves, `undefined` for those too long for one answer. */
  async #values(
    node: KvNodeClient,
    { stream, sequence }: AttestedRoot,
    leaves: readonly Leaf[],
    signal: AbortSignal,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    if (leaves.length === 0) return [];
    const hasher = await this.#deps.hasher();
    const keys = leaves.map(({ key }) => encodeBase64(key));
    const fields = { stream, version: sequence, keys };
    const reply = await node.ask('kvx_multiGet', fields, { signal });
    const told = keysOf('kvx_multiGet', reply, 'keys');
    return leaves.map((leaf, at) => {
      const value = told[at]?.data;
      if (value !== undefined) verifyValue(leaf, value, hasher);
      return value;
    });
  }

  #longValue(root: AttestedRoot, leaf: Leaf, signal: AbortSignal): Promise<Uint8Array> {
    const { stream, sequence } = root;
    return this.#fromAny(root, signal, async (node) => {
      const found = await node.value(stream, leaf.key, { version: sequence, signal });
      const value = found?.value ?? NO_BYTES;
      verifyValue(leaf, value, await this.#deps.hasher());
      return value;
    });
  }

  /** Asks one node after another until what it answers is proven. */
  async #fromAny<Result>(
    { stream, sequence }: AttestedRoot,
    signal: AbortSignal,
    read: (node: KvNodeClient) => Promise<Result>,
  ): Promise<Result> {
    const { node } = this.#deps;
    const failures: HolderFailure[] = [];
    let last: unknown;
    for (const url of node.urls) {
      try {
        const result = await read(node.only(url));
        node.prefer(url);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(failureOf(url, error));
        last = error;
      }
    }
    const told = failures.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
    throw new SdkError(
      { code: 'SDK_KV_UNPROVEN', stream, sequence, failures },
      `no key-value node proved what it says of stream ${stream} after entry ${sequence}: ${told}`,
      { cause: last },
    );
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
