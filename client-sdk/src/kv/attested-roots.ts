import {
  judgeRoots,
  NO_ROOT,
  parseSignedRoot,
  type RootContradiction,
  type RootTrust,
  type SignedRoot,
  type StreamId,
  type VerifiedRoot,
  verifySignedRoot,
} from '@cairn/kv-layer';
import {
  type Address,
  type ChainId,
  type Clock,
  fromHex,
  isHexOf,
  LruCache,
  parseAddress,
} from '@cairn/primitives';
import { type HolderFailure, SdkError } from '../errors.ts';
import { failureOf } from '../holders.ts';
import type { KvNodeClient } from './kv-node-client.ts';
import type { KvAttestOptions } from './kv-options.ts';

/** A root of a stream that enough accounts vouch for. */
export interface AttestedRoot {
  readonly stream: StreamId;
  readonly sequence: number;
  /** `undefined`: nothing was committed to the stream by then. */
  readonly stateRoot: Uint8Array | undefined;
  readonly statements: readonly VerifiedRoot[];
}

/** What asking for roots works with. */
export interface AttestedRootsDeps {
  readonly node: KvNodeClient;
  readonly clock: Clock;
  readonly trust: RootTrust;
  /** Statements about other logs do not count, where it is known. */
  readonly flow: Address | undefined;
  readonly chainId: ChainId | undefined;
  readonly onContradiction: ((evidence: RootContradiction) => void) | undefined;
}

/** Which root is asked for. */
export interface RootQuestion {
  readonly version?: number | undefined;
  readonly minSequence?: number | undefined;
  readonly signal: AbortSignal;
}

/** Checked options. @throws {SdkError} SDK_OPTION */
export function trustOf({
  keys,
  threshold,
}: Pick<KvAttestOptions, 'keys' | 'threshold'>): RootTrust {
  const bad = keys.find((key) => !isHexOf(key, 20));
  if (bad !== undefined) refuse(`${JSON.stringify(bad)} is no account: 0x and 40 hex digits`);
  const accounts = [...new Set(keys.map((key) => parseAddress(key)))];
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > accounts.length) {
    refuse(`a threshold of ${threshold} is not from 1 to the ${accounts.length} accounts named`);
  }
  return { keys: accounts, threshold };
}

function refuse(message: string): never {
  throw new SdkError({ code: 'SDK_OPTION', option: 'kvAttest' }, message);
}

/** Once enough agree, the others have so long to contradict them. */
const GRACE_MS = 250;
/** Roots and newest entries that are remembered. */
const REMEMBERED = 1024;

interface Collected {
  readonly statements: VerifiedRoot[];
  readonly failures: HolderFailure[];
}

/**
 * Roots of streams that enough of some accounts vouch for. All nodes are asked at once; where they are at
 * different entries, those that are ahead are asked again for the newest entry that enough of them have.
 * Roots of one client never go back: who has seen an entry of a stream is not given an older root.
 */
export class AttestedRoots {
  readonly #deps: AttestedRootsDeps;
  readonly #known = new LruCache<string, AttestedRoot>({ maxWeight: REMEMBERED });
  readonly #newest = new LruCache<StreamId, number>({ maxWeight: REMEMBERED });

  constructor(deps: AttestedRootsDeps) {
    this.#deps = deps;
  }

  /** Whose word counts. */
  get trust(): RootTrust {
    return this.#deps.trust;
  }

  /**
   * The root of a stream after an entry, or after the newest that enough nodes have decided.
   *
   * @throws {SdkError} SDK_KV_UNATTESTED, SDK_KV_CONTRADICTION; the signal's reason
   */
  async at(
    stream: StreamId,
    { version, minSequence, signal }: RootQuestion,
  ): Promise<AttestedRoot> {
    const known = version === undefined ? undefined : this.#known.get(`${stream} ${version}`);
    if (known !== undefined) return known;
    const floor = version ?? Math.max(minSequence ?? 0, this.#newest.get(stream) ?? 0);
    const collected: Collected = { statements: [], failures: [] };
    const { urls } = this.#deps.node;
    // A version that is still to come is waited for.
    const first = { version, minSequence: floor === 0 ? undefined : floor };
    const sequences = await this.#ask(urls, { stream, floor, ...first }, collected, signal);
    const { threshold } = this.#deps.trust;
    const common = [...sequences.values()].toSorted((one, two) => two - one)[threshold - 1];
    if (version === undefined && common !== undefined) {
      const ahead = urls.filter((url) => (sequences.get(url) ?? -1) > common);
      await this.#ask(ahead, { stream, floor, version: common }, collected, signal);
    }
    const root = this.#judge(stream, collected, common);
    this.#known.set(`${stream} ${root.sequence}`, root);
    const seen = this.#newest.get(stream) ?? 0;
    if (version === undefined) this.#newest.set(stream, Math.max(seen, root.sequence));
    return root;
  }

  /** Asks nodes, and notes what they say. @returns the entry that each of them spoke of */
  async #ask(
    urls: readonly string[],
    question: {
      readonly stream: StreamId;
      readonly floor: number;
      readonly version?: number | undefined;
      readonly minSequence?: number | undefined;
    },
    { statements, failures }: Collected,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const { node, clock, trust } = this.#deps;
    const { stream, floor, version, minSequence } = question;
    const sequences = new Map<string, number>();
    const late = new AbortController();
    const inner = AbortSignal.any([signal, late.signal]);
    let enough = (): void => undefined;
    const isEnough = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const ask = async (url: string): Promise<void> => {
      try {
        const fields = { stream, version, minSequence };
        const reply = await node.only(url).ask('kvx_getStatement', fields, { signal: inner });
        const signed = this.#checked(parseSignedRoot(reply), { stream, floor, version });
        statements.push(signed);
        sequences.set(url, signed.statement.sequence);
        const counted = statements.filter(
          ({ statement }) => statement.sequence === signed.statement.sequence,
        );
        if (judgeRoots(counted, trust.keys).agreeing.length >= trust.threshold) enough();
      } catch (error) {
        if (!inner.aborted) failures.push(failureOf(url, error));
      }
    };
    const asked = Promise.all(urls.map(ask));
    await Promise.race([
      asked,
      isEnough.then(() => clock.sleep(GRACE_MS, inner)).catch(() => undefined),
    ]);
    late.abort(new Error('enough agreed before'));
    await asked;
    signal.throwIfAborted();
    return sequences;
  }

  #checked(
    signed: SignedRoot,
    asked: {
      readonly stream: StreamId;
      readonly floor: number;
      readonly version?: number | undefined;
    },
  ): VerifiedRoot {
    const { statement } = signed;
    const { flow = statement.flow, chainId = statement.chainId } = this.#deps;
    const { stream, floor, version = statement.sequence } = asked;
    const expected = { stream, flow, chainId, sequence: version };
    for (const field of ['stream', 'flow', 'chainId', 'sequence'] as const) {
      if (statement[field] === expected[field]) continue;
      throw new Error(`it vouches for ${field} ${statement[field]}, not ${expected[field]}`);
    }
    if (statement.sequence < floor) {
      throw new Error(`it is at entry ${statement.sequence}, before entry ${floor}: stale`);
    }
    return verifySignedRoot(signed);
  }

  #judge(
    stream: StreamId,
    { statements, failures }: Collected,
    common: number | undefined,
  ): AttestedRoot {
    const { trust, onContradiction } = this.#deps;
    const { keys, threshold } = trust;
    const at = (sequence: number) =>
      judgeRoots(
        statements.filter(({ statement }) => statement.sequence === sequence),
        keys,
      );
    // Beside the common entry, any other that enough agree on, the newest first.
    const others = new Set(statements.map(({ statement }) => statement.sequence));
    const candidates = [common ?? 0, ...[...others].toSorted((one, two) => two - one)].map(at);
    const verdict = candidates.find(({ agreeing }) => agreeing.length >= threshold);
    const [signed] = verdict?.agreeing ?? [];
    if (verdict !== undefined && signed !== undefined) {
      for (const evidence of verdict.contradictions) onContradiction?.(evidence);
      const { sequence, root } = signed.statement;
      const stateRoot = root === NO_ROOT ? undefined : fromHex(root);
      return { stream, sequence, stateRoot, statements: verdict.agreeing };
    }
    const most = Math.max(0, ...candidates.map(({ agreeing }) => agreeing.length));
    const [evidence] = candidates.flatMap(({ contradictions }) => contradictions);
    if (evidence !== undefined) {
      const { left, right } = evidence;
      throw new SdkError(
        { code: 'SDK_KV_CONTRADICTION', stream, agreeing: most, threshold, evidence },
        `${left.signer} and ${right.signer} vouch for different roots of stream ${stream} after entry ${left.statement.sequence}: ${left.statement.root} and ${right.statement.root}`,
      );
    }
    const told = failures.map(({ url, reason }) => `${url}: ${reason}`).join('; ');
    throw new SdkError(
      { code: 'SDK_KV_UNATTESTED', stream, agreeing: most, threshold, failures },
      `${most} of ${keys.length} accounts vouch for one root of stream ${stream}, ${threshold} are needed${told === '' ? '' : `: ${told}`}`,
    );
  }
}
