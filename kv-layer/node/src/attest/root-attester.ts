import type { LocalSigner } from '@cairn/chain-access';
import {
  NO_ROOT,
  type RootStatement,
  type SignedRoot,
  StateError,
  type StreamId,
  type StreamState,
  signRoot,
} from '@cairn/kv-layer';
import type { LogStore } from '@cairn/log-layer';
import {
  type Address,
  type ChainId,
  LruCache,
  parseAddress,
  type Sequence,
  sequenceOf,
  toHex,
} from '@cairn/primitives';
import type { Answers } from '../answers.ts';
import { KvNodeError } from '../errors.ts';

/** What vouching works with. */
export interface RootAttesterDeps {
  /** `undefined`: this node vouches for nothing. */
  readonly signer: Pick<LocalSigner, 'address' | 'signDigest'> | undefined;
  readonly answers: Answers;
  readonly log: Pick<LogStore, 'entryAt'>;
  readonly chainId: ChainId;
  readonly flow: Address;
  /** Whether a state that began with a snapshot is vouched for too. */
  readonly isVouchingBootstrapped: boolean;
}

/** Statements kept: signing one takes about a millisecond, and many ask for the newest. */
const KEPT_STATEMENTS = 4096;

/**
 * Vouches for state roots with the node's key: what this node replayed itself, without a hole, on the
 * branch of the chain that it names.
 */
export class RootAttester {
  readonly #deps: RootAttesterDeps;
  readonly #kept = new LruCache<string, SignedRoot>({ maxWeight: KEPT_STATEMENTS });

  #hole:
    | { readonly state: StreamState; readonly branch: number; readonly first: Sequence | undefined }
    | undefined;

  constructor(deps: RootAttesterDeps) {
    this.#deps = deps;
  }

  /** The account that vouches; `undefined` if the node has no key. */
  get address(): Address | undefined {
    return this.#deps.signer?.address;
  }

  /**
   * The root of a stream after every entry up to one, signed.
   *
   * @param version - the newest unless told
   * @throws {KvNodeError} KV_NO_KEY, KV_NOT_CANONICAL, KV_CHAIN_MOVED, KV_SNAPSHOT_UNREAD, KV_NOT_YET before the first
   * entry; {StateError} KV_VERSION_AHEAD, KV_VERSION_PRUNED, KV_ROLLED_BACK
   */
  async attest(
    stream: StreamId,
    { version: asked, signal }: { readonly version?: number; readonly signal: AbortSignal },
  ): Promise<SignedRoot> {
    const { signer, answers, log, chainId, flow } = this.#deps;
    if (signer === undefined) {
      throw new KvNodeError(
        { code: 'KV_NO_KEY' },
        'this node vouches for no roots: its configuration names no attest.key',
      );
    }
    const { state, reads } = answers;
    if (state.firstSequence > 0 && !this.#deps.isVouchingBootstrapped) {
      throw new KvNodeError(
        { code: 'KV_NOT_REPLAYED', first: state.firstSequence },
        `this node began with a snapshot at entry ${state.firstSequence - 1}, which it did not replay: it vouches for nothing unless bootstrap.vouch says so`,
      );
    }
    const { left: parts } = state.unread;
    if (parts > 0) {
      // Where they begin and end is sure only then, and with it the root after a write between them.
      throw new KvNodeError(
        { code: 'KV_SNAPSHOT_UNREAD', parts },
        `${parts} parts of the snapshot that this node began with are not proven yet: it vouches for nothing until they are`,
      );
    }
    const read = async (version: number): Promise<RootStatement> => {
      const next = state.nextSequence;
      if (version < 0) {
        throw new KvNodeError(
          { code: 'KV_NOT_YET', wanted: 0, next },
          'no entry is decided yet, so there is no state to vouch for',
        );
      }
      if (asked !== undefined && asked !== version) {
        throw new StateError(
          { code: 'KV_VERSION_AHEAD', version: asked, next },
          `version ${asked} is not there yet: entry ${next} is applied next`,
        );
      }
      const sequence = sequenceOf(version);
      await this.#assertCanonical(sequence, signal);
      const root = await state.tables.rootAt(stream, sequence, signal);
      const entry = await log.entryAt(sequence);
      if (entry === undefined) {
        throw new KvNodeError(
          { code: 'KV_CHAIN_MOVED', sequence },
          `the chain takes entry ${sequence} back now`,
        );
      }
      return {
        chainId,
        flow: parseAddress(flow),
        domain: toHex(state.domain),
        stream,
        sequence,
        block: entry.block.hash,
        root: root === undefined ? NO_ROOT : toHex(root.stateRoot),
      };
    };
    const options = asked === undefined ? { signal } : { version: asked, signal };
    const statement = await reads.steady(options, read);
    const { domain, sequence, block, root } = statement;
    const name = [domain, stream, sequence, block, root].join();
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const signed = signRoot(statement, signer);
    this.#kept.set(name, signed);
    return signed;
  }

  /** What follows a file that was given up is this node's own opinion, which it signs for nobody. */
  async #assertCanonical(sequence: Sequence, signal: AbortSignal): Promise<void> {
    const { state } = this.#deps.answers;
    if (state.holeCount === 0) return;
    const { branch } = state;
    // On one branch the first hole stays the first; looking for it reads results from the beginning.
    if (this.#hole?.state !== state || this.#hole.branch !== branch) {
      const [first] = await state.holes({ limit: 1, signal });
      this.#hole = { state, branch, first };
    }
    const hole = this.#hole.first;
    if (hole === undefined || hole > sequence) return;
    throw new KvNodeError(
      { code: 'KV_NOT_CANONICAL', sequence, hole },
      `the file of entry ${hole} was given up, so what comes after it is this node's own opinion: it vouches for nothing from there on until the file is there`,
    );
  }
}
