import type {
  Checkpoint,
  Committee,
  Domain,
  EpochHeader,
  Network,
  Snapshot,
} from '@cairn/attestation';
import type {
  HandedEpoch,
  HubCheckpoint,
  QuorumSignature,
  SignedBundle,
} from '@cairn/chain-access/shards';
import type { CheckpointRequest, OfficeVote, SignedHandover } from '@cairn/wire-protocol/da';
import type { ChainOptions } from '../signer/ports.ts';
import type { OrderedHead } from '../signer/shards/ports.ts';

/** A committee in office. */
export interface Office {
  readonly epoch: number;
  readonly committee: Committee;
}

/** What a transaction came to: `refused` where somebody was faster or its time is over. */
export type SendResult = 'done' | 'refused';

/** The hub as a relayer needs it. Heads and counts are those of the pending block where the endpoint tells it. */
export interface OrderChain {
  readonly network: Network;
  /** What orders checkpoints. */
  readonly domain: Domain;
  /** The committee that signs now; `undefined` before the first epoch with members. */
  office(options: ChainOptions): Promise<Office | undefined>;
  /** The newest ordered checkpoint of a shard; `undefined` for one that is not registered. */
  head(shardId: number, options: ChainOptions): Promise<OrderedHead | undefined>;
  /** Checkpoints ordered so far. */
  orderCount(options: ChainOptions): Promise<number>;
  /** Sends a bundle; again, where it was sent before and the chain gave it up. */
  submit(bundle: SignedBundle, options: ChainOptions): Promise<SendResult>;
}

/** A mirror, and the hub's epochs and checkpoints that it may be told. */
export interface MirrorChain {
  /** Names the mirror in logs and turns. */
  readonly name: string;
  readonly network: Network;
  /** What the mirror was told; `undefined` until it is anchored. */
  head(options: ChainOptions): Promise<MirrorState | undefined>;
  /** Unix seconds of the mirror's newest block. */
  timeSeconds(options: ChainOptions): Promise<number>;
  readonly trustingSeconds: number;
  readonly maxDriftSeconds: number;
  /** The header of an epoch that a final block of the hub sealed. */
  header(epoch: number, options: ChainOptions): Promise<EpochHeader | undefined>;
  /** The committee of an epoch. */
  committee(epoch: number, options: ChainOptions): Promise<Committee | undefined>;
  /** The snapshots that an epoch's header names, in order. */
  snapshots(header: EpochHeader, options: ChainOptions): Promise<readonly Snapshot[]>;
  acceptEpoch(
    handed: HandedEpoch,
    signed: QuorumSignature,
    options: ChainOptions,
  ): Promise<SendResult>;
  /** The newest ordered checkpoint of the hub that the mirror can be told; `undefined` for none. */
  newestOrder(
    options: ChainOptions,
  ): Promise<{ readonly told: HubCheckpoint; readonly signed: QuorumSignature } | undefined>;
  acceptOrder(
    told: HubCheckpoint,
    signed: QuorumSignature,
    options: ChainOptions,
  ): Promise<SendResult>;
}

/** What a mirror was told last. */
export interface MirrorState {
  readonly epoch: number;
  /** 32 bytes. */
  readonly headerHash: Uint8Array;
  readonly orderCount: number;
}

/** Signers' doors, as relayers use them. What comes is not proven; deadlines are the caller's. */
export interface CheckpointPeers {
  offers(socket: string, options: ChainOptions): Promise<readonly Checkpoint[]>;
  /** `undefined` where the signer does not sign for it. */
  vote(
    socket: string,
    request: CheckpointRequest,
    options: ChainOptions,
  ): Promise<OfficeVote | undefined>;
  handover(
    socket: string,
    epoch: number,
    options: ChainOptions,
  ): Promise<SignedHandover | undefined>;
}
