import {
  type BlsBackend,
  encodeServedEntry,
  isQuorum,
  type Network,
  type ServedEntry,
  STATEMENT_KINDS,
  type Statement,
  sumVotes,
  type VerifiedVote,
  verifyVote,
  weightOf,
} from '@cairn/attestation';
import { reportRoot, type SignedReport, type TakenReport } from '@cairn/chain-access/da';
import { type Address, equalBytes, type KeyValueStore, LruCache } from '@cairn/primitives';
import {
  type AuditSheet,
  auditDigest,
  encodeServedReport,
  type OfficePlace,
  type OfficeVote,
  parseServedReport,
  type ReportRequest,
  type ServedReport,
} from '@cairn/wire-protocol/da';
import { SignerError, type SignerFault } from '../../errors.ts';
import type { ChainOptions } from '../ports.ts';
import { type ProtectionLog, signProtected } from '../protection-log.ts';
import type { SignerIdentity } from '../seat.ts';
import { type AskMembersDeps, askMembers } from './ask-members.ts';
import type { AuditPlace, RowAuditor } from './audit-rows.ts';
import type { AuditRules } from './audit-rules.ts';
import type { AuditSheets } from './audit-sheets.ts';
import { auditedRows } from './audited-rows.ts';
import { countServed, isLower } from './count-served.ts';
import type { DrawnRow, RowDraws } from './draw-rows.ts';
import type { OfficeMetrics } from './metrics.ts';
import { forgetBefore, OFFICE_KEYS, officeKey } from './office-store.ts';
import type { OfficeChain, OfficePeers } from './ports.ts';

/** What reporting does with the chain. */
export interface ReportChain {
  /** A quorum's report, as of the newest block; `undefined` where there is none. */
  reportOf(place: OfficePlace, options: ChainOptions): Promise<TakenReport | undefined>;
  /** Brings a report. @returns whether it is taken, and neither another one nor its time over */
  confirm(report: SignedReport, options: ChainOptions): Promise<boolean>;
}

/** What reporting needs. */
export interface ServedReporterDeps extends AskMembersDeps {
  readonly chain: OfficeChain;
  readonly reports: ReportChain;
  readonly network: Network;
  /** The contract that reports are made to. */
  readonly mining: Statement['domain'];
  readonly graceSeconds: number;
  readonly rules: AuditRules;
  readonly draws: Pick<RowDraws, 'periodsOf' | 'ofPeriod'>;
  readonly auditor: Pick<RowAuditor, 'found'>;
  readonly sheets: AuditSheets;
  readonly identity: Pick<SignerIdentity, 'address' | 'key'>;
  readonly backend: BlsBackend;
  readonly protection: ProtectionLog;
  readonly peers: Pick<OfficePeers, 'report' | 'reportVote'>;
  readonly store: KeyValueStore;
  readonly metrics: OfficeMetrics;
}

/** Parts of the time of grace: audits end after the third, reports are proposed from the half on. */
const AUDITS_PART = 3;
const PROPOSE_PART = 2;
/** Members that propose by themselves before all others do, and the part of the grace between two of them. */
const PROPOSERS = 8;
const TURN_PART = 24;
/** Epochs whose reports are kept for claims: as long as the contract takes these, on the networks there are. */
const KEPT_EPOCHS = 128;
/** Quorums without a report that are remembered, so that the chain is not asked again. */
const MAX_MISSED = 1024;

/**
 * Reports how holders served the rows that were drawn in an epoch, once it is over: audits end a third
 * into the time of grace, members show each other what they got, and from the half on one after
 * another proposes the report that follows, gathers more than two thirds of the seats and brings it to
 * the chain. Whoever is late finds it there.
 */
export class ServedReporter {
  readonly #deps: ServedReporterDeps;

  /** Quorums whose time is over without a report, by epoch and number. */
  readonly #missed = new LruCache<string, true>({ maxWeight: MAX_MISSED });

  constructor(deps: ServedReporterDeps) {
    this.#deps = deps;
  }

  /** A member's sheet, if it is known here. @throws what the store throws */
  sheetOf(place: OfficePlace, auditor: Address): Promise<AuditSheet | undefined> {
    return this.#deps.sheets.get(place, auditor);
  }

  /** The report of a quorum that the chain took. @throws what the store throws */
  async report({ epoch, quorumId }: OfficePlace): Promise<ServedReport | undefined> {
    const value = await this.#deps.store.get(officeKey(OFFICE_KEYS.report, epoch, quorumId));
    return value === undefined ? undefined : parseServedReport(value);
  }

  /** Whether audits of an epoch go on. */
  isAuditing({ office }: Pick<AuditPlace, 'office'>): boolean {
    return this.#nowSeconds() < office.endSeconds + this.#deps.graceSeconds / AUDITS_PART;
  }

  /**
   * Does what is due for one quorum: closes this signer's sheet, gathers those of others, proposes the
   * report when it is its turn, and keeps the one that the chain took.
   *
   * @throws what chain and store throw; the signal's reason
   */
  async look(place: AuditPlace, options: ChainOptions): Promise<void> {
    const { graceSeconds, sheets, auditor, reports, store, address } = this.#deps;
    const name = { epoch: place.office.epoch, quorumId: place.quorumId };
    const missed = `${name.epoch}/${name.quorumId}`;
    if (this.isAuditing(place) || this.#missed.get(missed) === true) return;
    if ((await this.report(name)) !== undefined) return;
    const taken = await reports.reportOf(name, options);
    if (taken !== undefined) return this.#adopt(place, taken, options);
    const { endSeconds } = place.office;
    if (this.#nowSeconds() > endSeconds + 2 * graceSeconds) this.#missed.set(missed, true);
    const isMember = place.committee.members.some(({ signer }) => signer === address);
    if (!isMember || this.#nowSeconds() > endSeconds + graceSeconds) return;
    await sheets.issue(name, await auditor.found(name, options));
    await sheets.gather(name, place.committee, options);
    const turn = this.#turnOf(place);
    const from = endSeconds + graceSeconds / PROPOSE_PART + (turn * graceSeconds) / TURN_PART;
    if (this.#nowSeconds() < from) return;
    await this.#propose(place, options);
    await sheets.forget(name.epoch, options);
    await forgetBefore(store, OFFICE_KEYS.report, name.epoch - KEPT_EPOCHS, options);
  }

  /**
   * This signer's vote for a report: one that follows from the sheets it names, with this signer's own
   * among them, and by which nobody did worse than by all sheets that are known here.
   *
   * @throws {SignerError} REPORT_CLOSED, REPORT_DIFFERS, EPOCH_UNKNOWN, SIGNER_NOT_SEATED; what chain,
   *   store and log throw; the signal's reason
   */
  async vote(request: ReportRequest, options: ChainOptions): Promise<OfficeVote> {
    try {
      const vote = await this.#vote(request, options);
      this.#deps.metrics.reportVotes.add(1, { result: 'given' });
      return vote;
    } catch (error) {
      this.#deps.metrics.reportVotes.add(1, { result: 'refused' });
      throw error;
    }
  }

  async #vote(request: ReportRequest, options: ChainOptions): Promise<OfficeVote> {
    const { sheets, auditor, rules, identity, protection, network } = this.#deps;
    const { epoch, quorumId } = request;
    const place = await this.#requireOffice(request, options);
    const own = await sheets.issue({ epoch, quorumId }, await auditor.found(request, options));
    const members = new Set(place.committee.members.map(({ signer }) => signer));
    const named: AuditSheet[] = [];
    for (const wanted of request.sheets) {
      if (!members.has(wanted.auditor)) throw differs(request, 'sheets');
      const from = [wanted.auditor, request.proposer];
      const sheet = await sheets.find({ epoch, quorumId }, wanted, from, options);
      if (sheet === undefined) throw differs(request, 'sheets');
      named.push(sheet);
    }
    if (own.rows.length > 0 && !named.some((sheet) => sheet.auditor === own.auditor)) {
      throw differs(request, 'own sheet');
    }
    const rows = await this.#rowsOf(place, options);
    if (rows === undefined) throw differs(request, 'drawn rows');
    const entries = countServed({ ...place, rows }, named, rules);
    const known = await sheets.all({ epoch, quorumId }, place.committee);
    const fair = countServed({ ...place, rows }, known, rules);
    if (entries === undefined || fair === undefined) throw differs(request, 'drawn rows');
    if (isLower(entries, fair)) throw differs(request, 'sheets');
    if (!equalBytes(reportRoot(entries), request.root)) throw differs(request, 'root');
    const about = this.#about({ epoch, quorumId });
    const statement = await protection.protect(about, entries.map(encodeServedEntry), options);
    const signature = signProtected(identity.key, network, statement);
    const { count, root } = statement;
    const { kind } = about;
    return { kind, epoch, quorumId, count, root, signer: identity.address, signature };
  }

  /** The quorum, if this signer sits in it and its report is due. */
  async #requireOffice(
    { epoch, quorumId }: OfficePlace,
    options: ChainOptions,
  ): Promise<AuditPlace> {
    const { chain, graceSeconds, identity } = this.#deps;
    const office = await chain.epochHeader(epoch, { ...options, span: 4 });
    const committee = await chain.committee(epoch, quorumId, options);
    if (office === undefined || committee === undefined) {
      throw new SignerError(
        { code: 'EPOCH_UNKNOWN', epoch, quorumId },
        `epoch ${epoch} is not known here, or has no quorum ${quorumId}`,
      );
    }
    const nowSeconds = this.#nowSeconds();
    const isOpen = nowSeconds <= office.endSeconds + graceSeconds;
    if (!isOpen || this.isAuditing({ office })) {
      throw new SignerError(
        { code: 'REPORT_CLOSED', epoch, nowSeconds },
        `reports on epoch ${epoch} are not signed at ${nowSeconds}`,
      );
    }
    const { address, key } = identity;
    const member = committee.members.find(({ signer }) => signer === address);
    if (member === undefined || !equalBytes(member.publicKey, key.publicKey)) {
      throw new SignerError(
        { code: 'SIGNER_NOT_SEATED', epoch, quorumId },
        `${address} has no seat in quorum ${quorumId} of epoch ${epoch}`,
      );
    }
    return { office, quorumId, committee };
  }

  async #propose(place: AuditPlace, options: ChainOptions): Promise<void> {
    const { sheets, rules, mining, network, backend, peers, reports, metrics, address, logger } =
      this.#deps;
    const { office, quorumId, committee } = place;
    const name = { epoch: office.epoch, quorumId };
    const rows = await this.#rowsOf(place, options);
    if (rows === undefined) return;
    const named = await sheets.all(name, committee);
    const entries = countServed({ ...place, rows }, named, rules);
    if (entries === undefined) return;
    const root = reportRoot(entries);
    const request = {
      ...name,
      root,
      proposer: address,
      sheets: named.map((sheet) => ({
        auditor: sheet.auditor,
        digest: auditDigest(sheet, mining),
      })),
    };
    const statement = { ...this.#about(name), count: entries.length, root };
    const context = { network, statement, committee };
    const votes: VerifiedVote[] = [];
    const take = (memberIndex: number, vote: OfficeVote): void => {
      const signature = backend.parseSignature(vote.signature);
      votes.push(verifyVote({ memberIndex, signature }, context, backend));
    };
    const { totalWeight } = committee.snapshot;
    const isEnough = (): boolean => isQuorum(weightOf(votes), totalWeight);
    const own = committee.members.find(({ signer }) => signer === address);
    if (own !== undefined) take(own.index, await this.vote(request, options));
    await askMembers(
      committee,
      {
        what: 'a vote for a served report',
        isEnough,
        ask: async ({ index }, socket, signal) => {
          const vote = await peers.reportVote(socket, request, { signal });
          if (vote !== undefined) take(index, vote);
        },
      },
      this.#deps,
      options,
    );
    if (!isEnough()) {
      const facts = { ...name, signedWeight: weightOf(votes), totalWeight };
      logger.debug(facts, 'too few members sign the served report');
      return;
    }
    const { absent, signature } = sumVotes(votes, committee, backend);
    const report = { epoch: name.epoch, entries, committee, absent, signature };
    if (!(await reports.confirm(report, options))) return;
    metrics.reports.add(1);
    logger.info({ ...name, ...entries[0] }, 'the served report of a quorum is on the chain');
  }

  /** Keeps the entries of a report that the chain took: counted here, or shown by another member. */
  async #adopt(place: AuditPlace, taken: TakenReport, options: ChainOptions): Promise<void> {
    const { sheets, rules, peers } = this.#deps;
    const { office, quorumId, committee } = place;
    const name = { epoch: office.epoch, quorumId };
    const isIt = (entries: readonly ServedEntry[]): boolean =>
      entries.length === taken.count && equalBytes(reportRoot(entries), taken.root);
    const rows = await this.#rowsOf(place, options);
    const own = await sheets.all(name, committee);
    const counted = rows === undefined ? undefined : countServed({ ...place, rows }, own, rules);
    if (counted !== undefined && isIt(counted)) return this.#keep({ ...name, entries: counted });
    let found: readonly ServedEntry[] | undefined;
    await askMembers(
      committee,
      {
        what: 'a served report',
        isEnough: () => found !== undefined,
        ask: async (_, socket, signal) => {
          const report = await peers.report(socket, name, { signal });
          if (report !== undefined && isIt(report.entries)) found = report.entries;
        },
      },
      this.#deps,
      options,
    );
    if (found !== undefined) await this.#keep({ ...name, entries: found });
  }

  async #keep(report: ServedReport): Promise<void> {
    const key = officeKey(OFFICE_KEYS.report, report.epoch, report.quorumId);
    const value = encodeServedReport(report);
    await this.#deps.store.write([{ type: 'put', key, value }], { sync: true });
  }

  /** Audited rows of all periods of the epoch; `undefined` while not all can be known. */
  async #rowsOf(place: AuditPlace, options: ChainOptions): Promise<DrawnRow[] | undefined> {
    const { draws } = this.#deps;
    const rows: DrawnRow[] = [];
    for (const period of await draws.periodsOf(place.office, options)) {
      const draw = await draws.ofPeriod(period, options);
      if (draw === undefined || !draw.isComplete) return undefined;
      rows.push(...auditedRows(draw, place));
    }
    return rows;
  }

  /** How many others propose before this signer: they take turns by epoch. */
  #turnOf({ office, committee }: AuditPlace): number {
    const { members } = committee;
    const at = members.findIndex(({ signer }) => signer === this.#deps.address);
    const turn = (at + office.epoch) % members.length;
    return Math.min(turn, PROPOSERS);
  }

  #about({ epoch, quorumId }: OfficePlace) {
    const kind = STATEMENT_KINDS.served;
    return { kind, domain: this.#deps.mining, epoch, quorumId };
  }

  #nowSeconds(): number {
    return Math.floor(this.#deps.clock.now() / 1000);
  }
}

function differs(
  { epoch, quorumId }: OfficePlace,
  field: Extract<SignerFault, { code: 'REPORT_DIFFERS' }>['field'],
): SignerError {
  return new SignerError(
    { code: 'REPORT_DIFFERS', epoch, quorumId, field },
    `the report of quorum ${quorumId} on epoch ${epoch} does not agree with the ${field} known here`,
  );
}
