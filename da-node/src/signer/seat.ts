import type { BlsBackend, Committee, EpochHeader, SigningKey } from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import { assignRows, type BlobLayout, type RowArc } from '@cairn/erasure-codec';
import { type Address, equalBytes } from '@cairn/primitives';
import { SignerError } from '../errors.ts';
import type { ChainOptions, SignerChain, SignerNetwork } from './ports.ts';

/** Epochs behind the newest among which one in office is looked for, beside those of the time of grace. */
const OFFICE_EPOCHS = 8;

/** Who signs. */
export interface SignerIdentity {
  /** The account of its stake. */
  readonly address: Address;
  readonly key: SigningKey;
  readonly backend: Pick<BlsBackend, 'compressKey'>;
}

/** A quorum in which this signer has a seat. */
export interface Seat {
  readonly committee: Committee;
  readonly memberIndex: number;
}

/** What a seat is looked up with. */
export interface SeatDeps {
  readonly chain: Pick<SignerChain, 'epochHeader' | 'committee'>;
  readonly network: SignerNetwork;
  readonly identity: Pick<SignerIdentity, 'address' | 'key'>;
}

/**
 * The header of an epoch whose quorums sign now: it has begun, and batches of it can be confirmed.
 * Whoever asks may invent epochs: those far behind the newest are refused before they are looked up,
 * which would take a walk over old blocks.
 *
 * @throws {SignerError} EPOCH_UNKNOWN, EPOCH_CLOSED; what the chain throws
 */
export async function requireOffice(
  { epoch, nowSeconds }: { readonly epoch: number; readonly nowSeconds: number },
  {
    chain,
    network,
  }: Pick<SeatDeps, 'chain'> & {
    readonly network: Pick<SignerNetwork, 'epochSeconds' | 'graceSeconds'>;
  },
  options: ChainOptions,
): Promise<EpochHeader> {
  const graceEpochs = Math.ceil(network.graceSeconds / network.epochSeconds);
  const span = OFFICE_EPOCHS + 2 * graceEpochs; // epochs may be shorter than they should
  const office = await chain.epochHeader(epoch, { ...options, span });
  if (office === undefined) throw unknown(epoch, 0);
  const untilSeconds = office.endSeconds + network.graceSeconds;
  if (nowSeconds >= office.startSeconds && nowSeconds <= untilSeconds) return office;
  throw new SignerError(
    { code: 'EPOCH_CLOSED', epoch, nowSeconds, untilSeconds },
    `quorums of epoch ${epoch} sign from ${office.startSeconds} to ${untilSeconds}, ` +
      `it is ${nowSeconds} now`,
  );
}

/**
 * This signer's place in a quorum, by account and key.
 *
 * @throws {SignerError} EPOCH_UNKNOWN, SIGNER_NOT_SEATED; what the chain throws
 */
export async function requireSeat(
  { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
  { chain, identity }: Pick<SeatDeps, 'chain' | 'identity'>,
  options: ChainOptions,
): Promise<Seat> {
  const committee = await chain.committee(epoch, quorumId, options);
  if (committee === undefined) throw unknown(epoch, quorumId);
  const { address, key } = identity;
  const member = committee.members.find(({ signer }) => signer === address);
  if (member !== undefined && equalBytes(member.publicKey, key.publicKey)) {
    return { committee, memberIndex: member.index };
  }
  const why = member === undefined ? 'no seat' : 'its seat under another key';
  throw new SignerError(
    { code: 'SIGNER_NOT_SEATED', epoch, quorumId },
    `${address} has ${why} in quorum ${quorumId} of epoch ${epoch}`,
  );
}

/**
 * The rows of a blob that this seat holds.
 *
 * @throws {CodecError} QUORUM_TOO_LARGE
 */
export function arcOf(
  { committee, memberIndex }: Seat,
  layout: BlobLayout,
  { suite, commitment }: { readonly suite: RowSuite; readonly commitment: Uint8Array },
): RowArc<number> {
  const members = committee.members.map(({ index, seats }) => ({ id: index, seats }));
  const { seed } = committee.snapshot.office;
  const arcs = assignRows(members, layout, { suite, commitment, seed });
  const mine = arcs[memberIndex];
  if (mine === undefined) throw new Error(`member ${memberIndex} was given no rows`);
  return mine;
}

function unknown(epoch: number, quorumId: number): SignerError {
  return new SignerError(
    { code: 'EPOCH_UNKNOWN', epoch, quorumId },
    `epoch ${epoch} is not known here, or has no quorum ${quorumId}`,
  );
}
