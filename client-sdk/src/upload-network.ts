import type { Address, ChainId, Rng } from '@cairn/primitives';
import { chooseHolders } from '@cairn/wire-protocol';
import { type HolderFailure, SdkError } from './errors.ts';
import type { Answers, Holder } from './holders.ts';
import type { EntryCheck } from './locate-file.ts';
import type { Payer } from './payer.ts';
import type { Placement } from './shards/placement.ts';

/** What opening a network for writing needs. */
export interface UploadNetworkDeps {
  /** Nodes that can be written to, described anew for each upload. */
  readonly writableHolders: (options: { readonly signal: AbortSignal }) => Promise<Answers<Holder>>;
  /** Whether the contract was given: then nodes of other logs are passed over, not believed. */
  readonly isFlowKnown: boolean;
  /** The log contract, which nodes say is `flow`, and who pays; `undefined` without a chain. */
  readonly payer: (
    flow: Address,
    options: { readonly signal: AbortSignal },
  ) => Promise<Payer | undefined>;
  /** Asks the chain about entries of a log contract; `undefined` without a chain. */
  readonly entryCheck: (flow: Address) => EntryCheck | undefined;
  readonly rng: Rng;
}

/** Nodes and chain of one network, ready to be written to. */
export interface UploadNetwork {
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly holders: readonly Holder[];
  readonly failures: readonly HolderFailure[];
  readonly payer: Payer | undefined;
  readonly checkEntry: EntryCheck | undefined;
  /** The consensus shard, where the client knows of several. */
  readonly shard?: number;
  /** Why it is this shard, where there was a choice. */
  readonly placement?: Placement;
}

/**
 * Asks nodes and chain what they are, before anything is read or paid.
 *
 * @throws {SdkError} SDK_NOT_ENOUGH_HOLDERS, SDK_WRONG_NETWORK if nodes and chain, or nodes among
 *   themselves, serve different logs
 */
export async function openUploadNetwork(
  replicas: number,
  { writableHolders, isFlowKnown, payer: openPayer, entryCheck, rng }: UploadNetworkDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<UploadNetwork> {
  const { answers, failures } = await writableHolders({ signal });
  const [first] = answers;
  if (first === undefined) throw notEnough(replicas, 0, failures);
  const payer = await openPayer(first.flow, { signal });
  const { chainId, flow } = payer ?? first;
  const holders = answers.filter((node) => node.chainId === chainId && node.flow === flow);
  const stranger = answers.find((node) => !holders.includes(node));
  // Who names the contract is paid: while nodes disagree about it, nobody is.
  if (stranger !== undefined && (!isFlowKnown || holders.length === 0)) {
    throw new SdkError(
      {
        code: 'SDK_WRONG_NETWORK',
        what: stranger.url,
        expected: `chain ${chainId}, flow ${flow}`,
        actual: `chain ${stranger.chainId}, flow ${stranger.flow}`,
      },
      `${stranger.url} serves the log ${stranger.flow} of chain ${stranger.chainId}, not ${flow} of chain ${chainId}`,
    );
  }
  if (chooseHolders(holders, replicas, 'min', rng) === undefined) {
    throw notEnough(replicas, holders.length, failures);
  }
  return { chainId, flow, holders, failures, payer, checkEntry: entryCheck(flow) };
}

/** Too few nodes, with what those that failed said. */
export function notEnough(
  replicas: number,
  answered: number,
  failures: readonly HolderFailure[],
): SdkError {
  const [first] = failures;
  return new SdkError(
    { code: 'SDK_NOT_ENOUGH_HOLDERS', replicas, answered, failures },
    `${answered} usable node(s) do not keep every segment ${replicas} time(s)` +
      (first === undefined ? '' : `; ${first.url}: ${first.reason}`),
  );
}
