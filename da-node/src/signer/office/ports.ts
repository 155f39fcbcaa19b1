import type { Committee, EpochHeader } from '@cairn/attestation';
import type { Address } from '@cairn/primitives';
import type {
  AuditSheet,
  OfficeVote,
  ReportRequest,
  ServedReport,
  SignedHandover,
  VoteRequest,
} from '@cairn/wire-protocol/da';
import type { ChainOptions, EpochOptions } from '../ports.ts';

/** Facts of epochs that a signer's office needs, all from final blocks. */
export interface OfficeChain {
  /** The epoch in office. */
  currentEpoch(options: ChainOptions): Promise<number>;
  /** The header of a sealed epoch, also of the one that is about to begin; `undefined` if none is known. */
  epochHeader(epoch: number, options: EpochOptions): Promise<EpochHeader | undefined>;
  /** The members of a quorum; `undefined` for an epoch or quorum that is none. */
  committee(epoch: number, quorumId: number, options: ChainOptions): Promise<Committee | undefined>;
}

/** Where signers are reached. */
export interface SocketBook {
  /** An http address without a slash at its end. */
  socketOf(signer: Address, options: ChainOptions): Promise<string | undefined>;
}

/** Other signers' doors of office. What comes from them is not proven; `undefined` where they have none. */
export interface OfficePeers {
  handover(
    socket: string,
    epoch: number,
    options: ChainOptions,
  ): Promise<SignedHandover | undefined>;
  handoverVote(
    socket: string,
    epoch: number,
    options: ChainOptions,
  ): Promise<OfficeVote | undefined>;
  batch(socket: string, root: Uint8Array, options: ChainOptions): Promise<VoteRequest | undefined>;
  audit(
    socket: string,
    place: { readonly epoch: number; readonly quorumId: number; readonly auditor: Address },
    options: ChainOptions,
  ): Promise<AuditSheet | undefined>;
  report(
    socket: string,
    place: { readonly epoch: number; readonly quorumId: number },
    options: ChainOptions,
  ): Promise<ServedReport | undefined>;
  /** A vote for a report; `undefined` where the signer does not sign for it. */
  reportVote(
    socket: string,
    request: ReportRequest,
    options: ChainOptions,
  ): Promise<OfficeVote | undefined>;
}
