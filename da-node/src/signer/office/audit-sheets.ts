import type { Committee, Domain } from '@cairn/attestation';
import { recoverAddress } from '@cairn/chain-access';
import { type Address, equalBytes, type KeyValueStore } from '@cairn/primitives';
import {
  type AuditSheet,
  auditDigest,
  encodeAuditSheet,
  type OfficePlace,
  parseAuditSheet,
} from '@cairn/wire-protocol/da';
import type { ChainOptions } from '../ports.ts';
import { type AskMembersDeps, askMembers } from './ask-members.ts';
import { forgetBefore, OFFICE_KEYS, officeKey } from './office-store.ts';
import type { OfficePeers } from './ports.ts';

/** What keeping sheets needs. */
export interface AuditSheetsDeps extends AskMembersDeps {
  readonly store: KeyValueStore;
  readonly peers: Pick<OfficePeers, 'audit'>;
  /** The contract that reports are made to. */
  readonly mining: Domain;
  /** Signs with this signer's account. */
  signDigest(digest: Uint8Array): Uint8Array;
}

/** Epochs whose sheets are kept. */
const KEPT_EPOCHS = 4;

/** Audit sheets of quorums in office: this signer's, and those of others once they are known to be theirs. */
export class AuditSheets {
  readonly #deps: AuditSheetsDeps;

  constructor(deps: AuditSheetsDeps) {
    this.#deps = deps;
  }

  /** A member's sheet, if it is known here. @throws what the store throws */
  async get({ epoch, quorumId }: OfficePlace, auditor: Address): Promise<AuditSheet | undefined> {
    const key = officeKey(OFFICE_KEYS.audit, epoch, quorumId, auditor);
    const value = await this.#deps.store.get(key);
    return value === undefined ? undefined : parseAuditSheet(value);
  }

  /** This signer's sheet: signed once, and the same from then on. @throws what the store throws */
  async issue(place: OfficePlace, rows: AuditSheet['rows']): Promise<AuditSheet> {
    const { address, mining, signDigest } = this.#deps;
    const before = await this.get(place, address);
    if (before !== undefined) return before;
    const unsigned = { ...place, auditor: address, rows };
    const sheet = { ...unsigned, signature: signDigest(auditDigest(unsigned, mining)) };
    await this.#keep(sheet);
    return sheet;
  }

  /** All sheets of a quorum's members that are known here, by address. @throws what the store throws */
  async all(
    place: OfficePlace,
    { members }: Pick<Committee, 'members'>,
  ): Promise<readonly AuditSheet[]> {
    const sheets: AuditSheet[] = [];
    for (const { signer } of members) {
      const sheet = await this.get(place, signer);
      if (sheet !== undefined) sheets.push(sheet);
    }
    return sheets.sort((left, right) => (left.auditor < right.auditor ? -1 : 1));
  }

  /** Asks members whose sheets are not known here for them. @throws what the store throws; the signal's reason */
  async gather(place: OfficePlace, committee: Committee, options: ChainOptions): Promise<void> {
    const missing = [];
    for (const member of committee.members) {
      if ((await this.get(place, member.signer)) === undefined) missing.push(member);
    }
    const ask = async ({ signer }: { signer: Address }, socket: string, signal: AbortSignal) => {
      await this.#fetch(place, signer, socket, signal);
    };
    const question = { what: 'an audit sheet', isEnough: () => false, ask };
    await askMembers({ members: missing }, question, this.#deps, options);
  }

  /**
   * A sheet by its digest: from here, from its auditor, or from whoever relies on it.
   *
   * @returns `undefined` where another sheet of the auditor is known, or none can be had
   * @throws what the store throws; the signal's reason
   */
  async find(
    place: OfficePlace,
    { auditor, digest }: { readonly auditor: Address; readonly digest: Uint8Array },
    from: readonly Address[],
    options: ChainOptions,
  ): Promise<AuditSheet | undefined> {
    const isIt = (sheet: AuditSheet): boolean =>
      equalBytes(auditDigest(sheet, this.#deps.mining), digest);
    const known = await this.get(place, auditor);
    if (known !== undefined) return isIt(known) ? known : undefined;
    for (const signer of from) {
      if (signer === this.#deps.address) continue;
      const socket = await this.#deps.sockets.socketOf(signer, options);
      if (socket === undefined) continue;
      const sheet = await this.#fetch(place, auditor, socket, options.signal).catch(
        () => undefined,
      );
      options.signal.throwIfAborted();
      if (sheet !== undefined) return isIt(sheet) ? sheet : undefined;
    }
    return undefined;
  }

  /** Drops sheets of epochs that are over. @throws what the store throws */
  async forget(epoch: number, options: ChainOptions): Promise<void> {
    await forgetBefore(this.#deps.store, OFFICE_KEYS.audit, epoch - KEPT_EPOCHS, options);
  }

  /** The sheet that a door gives, if it is the auditor's; the first one of each counts. */
  async #fetch(
    place: OfficePlace,
    auditor: Address,
    socket: string,
    signal: AbortSignal,
  ): Promise<AuditSheet | undefined> {
    const { peers, mining } = this.#deps;
    const sheet = await peers.audit(socket, { ...place, auditor }, { signal });
    if (sheet === undefined || sheet.auditor !== auditor) return undefined;
    if (sheet.epoch !== place.epoch || sheet.quorumId !== place.quorumId) return undefined;
    if (recoverAddress(auditDigest(sheet, mining), sheet.signature) !== auditor) return undefined;
    const before = await this.get(place, auditor);
    if (before !== undefined) return before;
    await this.#keep(sheet);
    return sheet;
  }

  async #keep(sheet: AuditSheet): Promise<void> {
    const { epoch, quorumId, auditor } = sheet;
    const key = officeKey(OFFICE_KEYS.audit, epoch, quorumId, auditor);
    await this.#deps.store.write([{ type: 'put', key, value: encodeAuditSheet(sheet) }], {
      sync: true,
    });
  }
}
