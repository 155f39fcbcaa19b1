import type { BlsBackend, Committee } from '@cairn/attestation';
import { isOutage } from '@cairn/chain-access';
import type { Hasher } from '@cairn/commitments';
import type { RowSuite } from '@cairn/commitments/rows';
import type { RowCombiner } from '@cairn/erasure-codec';
import type { RouteGroup } from '@cairn/node-runtime/http';
import {
  type Clock,
  describeError,
  type KeyValueStore,
  type Logger,
  type Metrics,
} from '@cairn/primitives';
import type { RowPeers } from '../../retriever/ports.ts';
import type { ChainOptions, SignerNetwork } from '../ports.ts';
import type { ProtectionLog } from '../protection-log.ts';
import type { SignerIdentity } from '../seat.ts';
import type { SliceStore } from '../slice-store.ts';
import { type AuditPlace, RowAuditor } from './audit-rows.ts';
import type { AuditRules } from './audit-rules.ts';
import { AuditSheets, type AuditSheetsDeps } from './audit-sheets.ts';
import type { BatchBook } from './batch-book.ts';
import { HeldClaimer, type LotteryChain } from './claim-held.ts';
import { type ClaimChain, ServedClaimer } from './claim-served.ts';
import { type DrawChain, RowDraws } from './draw-rows.ts';
import { createOfficeMetrics } from './metrics.ts';
import { officeDoors } from './office-doors.ts';
import type { OfficeChain, OfficePeers, SocketBook } from './ports.ts';
import { type ReportChain, ServedReporter } from './report-served.ts';
import { HandoverSigner } from './sign-handover.ts';

/** What a signer's office stands on. */
export interface OfficeDeps {
  readonly chain: OfficeChain;
  readonly rewards: DrawChain & ReportChain & ClaimChain & LotteryChain;
  readonly network: SignerNetwork;
  /** The contract that reports are made to. */
  readonly mining: AuditSheetsDeps['mining'];
  readonly rules: AuditRules;
  readonly identity: SignerIdentity;
  readonly backend: BlsBackend;
  /** Signs with the account whose stake it is. */
  signDigest(digest: Uint8Array): Uint8Array;
  readonly protection: ProtectionLog;
  readonly batches: BatchBook;
  readonly store: KeyValueStore;
  readonly sockets: SocketBook;
  readonly peers: OfficePeers & Pick<RowPeers, 'rows'>;
  readonly slices: SliceStore;
  readonly suites: readonly RowSuite[];
  readonly hasher: Pick<Hasher, 'hashMany'>;
  readonly combiner: RowCombiner;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Aborts when the signer stops for good. */
  readonly stopping: AbortSignal;
}

/** How closely an office looks at the chain. */
export interface OfficeOptions {
  /** Time between two looks; 1,000 unless told. */
  readonly pollMs?: number;
}

/** What a signer does by virtue of its office. */
export interface Office {
  readonly routes: RouteGroup;
  /** One round of all that: hands over, audits, reports and claims what is due now. @throws what chain and stores throw */
  look(options: ChainOptions): Promise<void>;
  /** Hands over, audits, reports and claims until `signal` aborts. @throws the signal's reason */
  run(signal: AbortSignal): Promise<void>;
}

/** Epochs behind the one in office that are looked at for reports and claims, beside the time of grace. */
const CLAIM_EPOCHS = 8;
/** The longest wait after failures; it doubles up to there. */
const MAX_WAIT_MS = 30_000;

/** Puts the parts of a signer's office together: handovers, audits of drawn rows, served reports, claims, the held lottery. */
export function openOffice(deps: OfficeDeps, { pollMs = 1000 }: OfficeOptions = {}): Office {
  const { network, identity, chain, rewards } = deps;
  const metrics = createOfficeMetrics(deps.metrics);
  const shared = { ...deps, address: identity.address, network: network.network, metrics };
  const draws = new RowDraws({
    ...shared,
    mining: rewards,
    fetching: shared,
    maxRetentionEpochs: network.maxRetentionEpochs,
  });
  const handovers = new HandoverSigner(shared);
  const auditor = new RowAuditor({ ...shared, draws });
  const sheets = new AuditSheets(shared);
  const { graceSeconds, epochSeconds } = network;
  const reporting = { ...shared, reports: rewards, graceSeconds, draws, auditor, sheets };
  const reporter = new ServedReporter(reporting);
  const claimer = new ServedClaimer({ ...shared, claims: rewards, reporter });
  const prizes = new HeldClaimer({ ...shared, lottery: rewards, draws, fetching: shared });
  const reach = CLAIM_EPOCHS + Math.ceil(graceSeconds / epochSeconds);

  const serve = async (options: ChainOptions): Promise<void> => {
    const current = await chain.currentEpoch(options);
    for (let epoch = Math.max(1, current - reach); epoch <= current; epoch += 1) {
      for (const place of await placesOf(epoch, chain, options)) {
        await each(() => serveQuorum(place, options), options);
      }
    }
  };
  const serveQuorum = async (place: AuditPlace, options: ChainOptions): Promise<void> => {
    const { office, quorumId, committee } = place;
    const isMember = isSeated(committee, identity);
    if (isMember && reporter.isAuditing(place)) return auditor.look(place, options);
    if (await claimer.isSettled({ epoch: office.epoch, quorumId })) return;
    await reporter.look(place, options);
  };
  /** One failing quorum holds up no other; an outage ends the round. */
  const each = async (work: () => Promise<unknown>, { signal }: ChainOptions): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      if (isOutage(error)) throw error;
      const reason = describeError(error);
      deps.logger.warn({ reason }, 'a duty of the signer’s office failed and is tried again');
    }
  };
  const claim = async (options: ChainOptions): Promise<void> => {
    const current = await chain.currentEpoch(options);
    for (let epoch = Math.max(1, current - reach); epoch < current; epoch += 1) {
      for (const { quorumId } of await placesOf(epoch, chain, options)) {
        await each(() => claimer.look({ epoch, quorumId }, options), options);
      }
    }
    await prizes.look(options);
    await deps.batches.prune(Math.floor(deps.clock.now() / 1000) - graceSeconds);
  };
  return {
    routes: officeDoors({ ...deps, handovers, reports: reporter }),
    look: async (options) => {
      await handovers.look(options);
      await serve(options);
      await claim(options);
    },
    run: async (signal) => {
      await Promise.all([
        keepLooking('handovers', (options) => handovers.look(options), deps, pollMs, signal),
        keepLooking('served reports', serve, deps, pollMs, signal),
        keepLooking('rewards', claim, deps, pollMs, signal),
      ]);
    },
  };
}

/** The quorums of an epoch that report, with their members. */
async function placesOf(
  epoch: number,
  chain: OfficeChain,
  options: ChainOptions,
): Promise<readonly AuditPlace[]> {
  const office = await chain.epochHeader(epoch, { ...options, span: 2 * CLAIM_EPOCHS + 16 });
  if (office === undefined) return [];
  const groups = office.snapshotHashes.length;
  const places: AuditPlace[] = [];
  for (let quorumId = groups === 1 ? 0 : 1; quorumId < groups; quorumId += 1) {
    const committee = await chain.committee(epoch, quorumId, options);
    if (committee !== undefined) places.push({ office, quorumId, committee });
  }
  return places;
}

function isSeated({ members }: Committee, { address }: SignerIdentity): boolean {
  return members.some(({ signer }) => signer === address);
}

/** Looks again and again; what fails is told, and tried again with growing waits. @throws the signal's reason */
async function keepLooking(
  what: string,
  look: (options: ChainOptions) => Promise<void>,
  { clock, logger }: Pick<OfficeDeps, 'clock' | 'logger'>,
  pollMs: number,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = pollMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      await look({ signal });
      waitMs = pollMs;
    } catch (error) {
      signal.throwIfAborted();
      waitMs = Math.min(2 * waitMs, Math.max(MAX_WAIT_MS, pollMs));
      const facts = { what, reason: describeError(error), retryInMs: waitMs };
      if (isOutage(error)) logger.debug(facts, 'the chain does not answer a signer’s office');
      else logger.warn(facts, 'a duty of the signer’s office failed and is tried again');
    }
    await clock.sleep(waitMs, signal);
  }
}
