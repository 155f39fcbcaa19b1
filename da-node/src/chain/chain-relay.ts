import {
  type BlsBackend,
  checkpointHash,
  type EpochHeader,
  epochHeaderHash,
  type Snapshot,
  treePath,
  treeRoot,
} from '@cairn/attestation';
import type { TransactionSender } from '@cairn/chain-access';
import { readPhase, refusalOf } from '@cairn/chain-access/da';
import {
  acceptEpoch,
  acceptHubCheckpoint,
  type HubCheckpoint,
  type Mirror,
  type OrderedEvent,
  OrderFeed,
  type Ordering,
  type QuorumSignature,
  readHead,
  readMirroredEpoch,
  readMirrorHead,
  readOrder,
  submitBundle,
} from '@cairn/chain-access/shards';
import { isFault, keccak256, LruCache, toHex } from '@cairn/primitives';
import type { MirrorChain, Office, OrderChain, SendResult } from '../relayer/ports.ts';
import type { ChainOptions } from '../signer/ports.ts';
import type { OrderedHead } from '../signer/shards/ports.ts';
import { committeeOf } from './chain-epochs.ts';
import type { DaChain } from './connect-chain.ts';

/** The hub that a relayer sends to, and who pays. */
export interface ChainRelayDeps {
  readonly chain: Pick<DaChain, 'hub' | 'epochs'>;
  readonly ordering: Ordering;
  readonly sender: TransactionSender;
  readonly backend: BlsBackend;
}

/** Blocks behind the newest final one in which the hub's newest checkpoint is looked for at first. */
const LOOK_BACK_BLOCKS = 5000;

/** The hub as a relayer needs it. */
export function orderChainOf({ chain, ordering, sender, backend }: ChainRelayDeps): OrderChain {
  const { hub, epochs } = chain;
  const attempts = new Attempts();
  return {
    network: hub.network,
    domain: ordering.domain,
    office: async ({ signal }): Promise<Office | undefined> => {
      const block = await hub.finalBlock({ signal });
      const { epoch } = await readPhase(hub, { signal, block });
      const committee = await committeeOf(epochs, { epoch, quorumId: 0 }, signal);
      return committee === undefined ? undefined : { epoch, committee };
    },
    head: (shardId, options) =>
      asPending(async (block): Promise<OrderedHead | undefined> => {
        try {
          return await readHead(ordering, shardId, { ...options, block });
        } catch (error) {
          if (block === 'latest' && isFault(error, 'CHAIN_RPC_ERROR')) return undefined;
          throw error;
        }
      }),
    orderCount: (options) =>
      asPending(async (block) => (await readOrder(ordering, { ...options, block })).count),
    submit: (bundle, options) => {
      const root = treeRoot(bundle.checkpoints.map(checkpointHash));
      const intent = attempts.nameOf('bundle', root, bundle.signature);
      return settled(() =>
        submitBundle({ ordering, sender }, bundle, backend, { ...options, intent }),
      );
    },
  };
}

/** A mirror that a relayer tells, and who pays on its chain. */
export interface MirrorRelayDeps {
  readonly chain: Pick<DaChain, 'hub' | 'epochs'>;
  readonly ordering: Ordering;
  readonly mirror: Mirror;
  readonly sender: TransactionSender;
  readonly backend: BlsBackend;
}

/** A mirror with what the hub says that it may be told. */
export function mirrorChainOf(deps: MirrorRelayDeps): MirrorChain {
  const { chain, mirror, sender, backend } = deps;
  const { hub, epochs } = chain;
  const caller = { mirror, sender };
  const finder = new HubCheckpoints(deps);
  const attempts = new Attempts();
  return {
    name: `${mirror.chainId}:${mirror.contract.address}`,
    network: hub.network,
    trustingSeconds: mirror.trustingSeconds,
    maxDriftSeconds: mirror.maxDriftSeconds,
    head: (options) => asPending((block) => readMirrorHead(mirror, { ...options, block })),
    timeSeconds: async (options) =>
      (await mirror.client.getBlock('latest', options))?.timestamp ?? 0,
    header: async (epoch, options) => (await epochs.sealed(epoch, options))?.header,
    committee: (epoch, { signal }) => committeeOf(epochs, { epoch, quorumId: 0 }, signal),
    snapshots: async ({ epoch, snapshotHashes }: EpochHeader, options) => {
      const snapshots: Snapshot[] = [];
      for (const quorumId of snapshotHashes.keys()) {
        snapshots.push((await epochs.committee({ epoch, quorumId }, options)).snapshot);
      }
      return snapshots;
    },
    acceptEpoch: (handed, signed, options) => {
      const hash = epochHeaderHash(handed.header);
      const intent = attempts.nameOf('handover', hash, signed.signature);
      return settled(() => acceptEpoch(caller, handed, signed, backend, { ...options, intent }));
    },
    newestOrder: (options) => finder.newest(options),
    acceptOrder: (told, signed, options) => {
      const intent = attempts.nameOf('order', checkpointHash(told.checkpoint), signed.signature);
      return settled(() =>
        acceptHubCheckpoint(caller, told, signed, backend, { ...options, intent }),
      );
    },
  };
}

/** Contents whose attempts are counted. */
const MAX_ATTEMPTS_KEPT = 256;

/**
 * Names of transactions by what they carry. One that is wanted again although it was made is another
 * one: the chain gave the first up.
 */
class Attempts {
  readonly #counts = new LruCache<string, number>({ maxWeight: MAX_ATTEMPTS_KEPT });

  nameOf(what: string, content: Uint8Array, signature: Uint8Array): string {
    const name = `${what}:${toHex(keccak256(content, signature))}`;
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return `${name}:${count}`;
  }
}

/** The hub's own ordered checkpoints, from the calls that brought them. */
class HubCheckpoints {
  readonly #deps: MirrorRelayDeps;
  readonly #feed: OrderFeed;
  #through: number | undefined;
  #newest: OrderedEvent | undefined;

  constructor(deps: MirrorRelayDeps) {
    this.#deps = deps;
    this.#feed = new OrderFeed(deps.ordering);
  }

  async newest(
    options: ChainOptions,
  ): Promise<{ readonly told: HubCheckpoint; readonly signed: QuorumSignature } | undefined> {
    const { chain, mirror, backend } = this.#deps;
    const toBlock = await chain.hub.finalBlock(options);
    const fromBlock =
      this.#through === undefined
        ? Math.max(chain.hub.firstBlock, toBlock - LOOK_BACK_BLOCKS)
        : this.#through + 1;
    if (fromBlock <= toBlock) {
      for await (const { ordered } of this.#feed.forward({ fromBlock, toBlock }, options)) {
        this.#newest = ordered.findLast(({ shardId }) => shardId === 0) ?? this.#newest;
      }
      this.#through = toBlock;
    }
    if (this.#newest === undefined) return undefined;
    const { number } = this.#newest;
    const bundle = await this.#feed.bundleOf(this.#newest, backend, options);
    if (bundle === undefined) return undefined;
    const { checkpoints, epoch, ...signed } = bundle;
    if ((await readMirroredEpoch(mirror, epoch, options)) === undefined) return undefined;
    const index = checkpoints.findIndex((each) => each.shardId === 0 && each.number === number);
    const checkpoint = checkpoints[index];
    if (checkpoint === undefined) return undefined;
    const path = treePath(checkpoints.map(checkpointHash), index);
    return { told: { checkpoint, epoch, count: checkpoints.length, index, path }, signed };
  }
}

/** As of the pending block, where others' transactions show before they are mined, if the endpoint has one. */
async function asPending<Result>(
  read: (block: 'pending' | 'latest') => Promise<Result>,
): Promise<Result> {
  try {
    return await read('pending');
  } catch (error) {
    if (!isFault(error, 'CHAIN_RPC_ERROR')) throw error;
    return read('latest');
  }
}

/** A contract's refusal is an answer: somebody was faster, or the time is over. */
async function settled(send: () => Promise<unknown>): Promise<SendResult> {
  try {
    await send();
    return 'done';
  } catch (error) {
    if (refusalOf(error) === undefined) throw error;
    return 'refused';
  }
}
