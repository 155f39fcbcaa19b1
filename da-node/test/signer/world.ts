import {
  type BlobHeader,
  type Committee,
  type Domain,
  type EpochHeader,
  encodeMember,
  leafHash,
  type Member,
  type Network,
  type PromiseSlot,
  promisedIndex,
  quorumOfBlob,
  type SigningKey,
  snapshotHash,
  treeRoot,
  verifyMembers,
  verifySnapshot,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { type LocalSigner, signerFromKey } from '@cairn/chain-access';
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  arcRows,
  assignRows,
  type CommittedBlob,
  commitBlob,
  encodeSlice,
  loadWasmCodec,
  loadWasmCombiner,
  packedSliceOf,
  headerOf as provingHeaderOf,
  rowsOf,
} from '@cairn/erasure-codec';
import {
  type Address,
  bigEndianBytes,
  type Clock,
  chainIdOf,
  concatBytes,
  keccak256,
  parseAddress,
  seededRng,
  systemClock,
  utf8Bytes,
} from '@cairn/primitives';
import { encodeDelivery, type PromiseTerms, promiseDigest } from '@cairn/wire-protocol/da';
import { blobFee } from '../../src/signer/check-promise.ts';
import type {
  EpochOptions,
  EpochPrices,
  PayerAccount,
  SignerChain,
  SignerNetwork,
  SubmittedBlob,
} from '../../src/signer/ports.ts';
import { ENTRANCE } from './headers.ts';

export const NETWORK: Network = {
  hubChainId: chainIdOf(31_337),
  hub: parseAddress(`0x${'4b'.repeat(20)}`),
};
export const SIGNER_NETWORK: SignerNetwork = {
  network: NETWORK,
  entrance: ENTRANCE,
  shardId: 7,
  layout: { cosets: 3, minLog2K: 6 },
  epochSeconds: 60,
  graceSeconds: 60,
  maxRetentionEpochs: 60,
};
export const START_SECONDS = 1_800_000_000;
export const EPOCH = 5;
export const PRICES: EpochPrices = { basePerBlobWei: 1000n, pricePerByteEpochWei: 1n };
export const backend = blstBackend();

const codec = await loadWasmCodec();
const combiner = await loadWasmCombiner();
const suites = [await loadRowSuite(0), await loadRowSuite(1)] as const;
const { signal } = new AbortController();

/** A clock that stands until it is turned; sleeping is real. */
export class HandClock implements Clock {
  seconds: number = START_SECONDS + 10;
  readonly #system = systemClock();

  now(): number {
    return this.seconds * 1000;
  }

  monotonic(): number {
    return this.#system.monotonic();
  }

  sleep(durationMs: number, stop: AbortSignal): Promise<void> {
    return this.#system.sleep(durationMs, stop);
  }
}

/** A chain that says what it is told to say. */
export class MemoryChain implements SignerChain {
  /** Epochs whose headers were looked up. */
  readonly asked: number[] = [];
  readonly headers = new Map<number, EpochHeader>();
  readonly committees = new Map<string, Committee>();
  readonly submissions = new Map<bigint, SubmittedBlob>();
  readonly deposits = new Map<Address, bigint>();
  readonly charged = new Set<string>();
  /** Time of the newest final block. */
  finalAt: number = START_SECONDS;
  /** Time of the block that accounts are read at, where that lags. */
  accountsAt: number | undefined;
  /** What looking up an epoch's header throws. */
  failure: Error | undefined;

  async epochHeader(epoch: number, { span }: EpochOptions): Promise<EpochHeader | undefined> {
    if (this.failure !== undefined) throw this.failure;
    const newest = Math.max(...this.headers.keys());
    if (epoch > newest || epoch < newest - (span ?? newest)) return undefined;
    this.asked.push(epoch);
    return this.headers.get(epoch);
  }

  async committee(epoch: number, quorumId: number): Promise<Committee | undefined> {
    return this.committees.get(`${epoch}/${quorumId}`);
  }

  async prices(epoch: number): Promise<EpochPrices | undefined> {
    return this.headers.has(epoch) ? PRICES : undefined;
  }

  async submission(index: bigint): Promise<SubmittedBlob | undefined> {
    return this.submissions.get(index);
  }

  async finalSeconds(): Promise<number> {
    return this.finalAt;
  }

  async account(payer: Address, slots: readonly PromiseSlot[]): Promise<PayerAccount> {
    const charged = slots.map(({ epoch, slot }) => this.charged.has(`${payer}/${epoch}/${slot}`));
    const atSeconds = this.accountsAt ?? this.finalAt;
    return { atSeconds, freeWei: this.deposits.get(payer) ?? 0n, charged };
  }
}

/** A blob with its rows, its header and all that a delivery of it needs. */
export interface TestBlob {
  readonly header: BlobHeader;
  readonly blob: CommittedBlob;
  readonly promise: PromiseTerms | undefined;
  readonly quorumId: number;
}

export interface BlobWishes {
  readonly bytes?: number;
  readonly suite?: 0 | 1;
  readonly fields?: Partial<BlobHeader>;
}

/** An epoch of signers with equal seats, in one quorum or in several of the same members. */
export class World {
  readonly chain = new MemoryChain();
  readonly clock = new HandClock();
  readonly keys: readonly SigningKey[];
  readonly payer: LocalSigner = payerOf(1);
  readonly quorums: number;
  #next = 0;

  constructor(signers = 4, quorums = 1) {
    this.quorums = quorums;
    this.keys = Array.from({ length: signers }, (_, index) => {
      const material = keccak256(utf8Bytes(`signer ${index} of a test`));
      return backend.openKey(backend.secretFromMaterial(material));
    });
    for (const epoch of [EPOCH - 1, EPOCH, EPOCH + 1]) this.#seal(epoch);
    this.chain.deposits.set(this.payer.address, 10n ** 18n);
  }

  addressOf(index: number): Address {
    return parseAddress(`0x${(0x5160 + index).toString(16).padStart(40, '0')}`);
  }

  office(epoch: number = EPOCH): EpochHeader {
    const header = this.chain.headers.get(epoch);
    if (header === undefined) throw new Error(`epoch ${epoch} is not sealed`);
    return header;
  }

  committee(quorumId: number, epoch: number = EPOCH): Committee {
    const committee = this.chain.committees.get(`${epoch}/${quorumId}`);
    if (committee === undefined) throw new Error('no such quorum');
    return committee;
  }

  /** A blob that is submitted, paid and final. */
  async submitted({ fields = {}, ...wishes }: BlobWishes = {}): Promise<TestBlob> {
    this.#next += 1;
    const index = fields.submissionIndex ?? BigInt(this.#next);
    const { blob, shape } = await commit(this.#next, wishes);
    const { seed, endSeconds } = this.office();
    const quorumId = quorumOfBlob(seed, { submissionIndex: index }, this.quorums);
    const header = {
      ...shape,
      submitter: this.payer.address,
      shardId: SIGNER_NETWORK.shardId,
      submissionIndex: index,
      expirySeconds: endSeconds + 120,
      ...fields,
    };
    this.chain.submissions.set(index, { header, epoch: EPOCH, quorumId, isFinal: true });
    return { header, blob, promise: undefined, quorumId };
  }

  /** A blob that its payer promised to pay for. */
  async promised({
    slot,
    payer = this.payer,
    terms = {},
    fields = {},
    entrance = ENTRANCE,
    ...wishes
  }: BlobWishes & {
    readonly entrance?: Domain;
    readonly slot?: number;
    readonly payer?: LocalSigner;
    readonly terms?: Partial<PromiseTerms>;
  } = {}): Promise<TestBlob> {
    this.#next += 1;
    const place = slot ?? this.#next;
    const { blob, shape } = await commit(this.#next, wishes);
    const { seed, endSeconds } = this.office();
    const quorumId = quorumOfBlob(seed, { payer: payer.address, slot: place }, this.quorums);
    const retentionEpochs = terms.retentionEpochs ?? 2;
    const header = {
      ...shape,
      submitter: payer.address,
      shardId: SIGNER_NETWORK.shardId,
      submissionIndex: promisedIndex({ epoch: EPOCH, slot: place }),
      expirySeconds: endSeconds + retentionEpochs * SIGNER_NETWORK.epochSeconds,
      ...fields,
    };
    const unsigned = {
      retentionEpochs,
      signBySeconds: START_SECONDS + 40,
      maxFeeWei: 10n ** 17n,
      payerSignature: new Uint8Array(65),
      ...terms,
    };
    const digest = promiseDigest({ header, terms: unsigned }, entrance);
    const payerSignature = terms.payerSignature ?? payer.signDigest(digest);
    return { header, blob, promise: { ...unsigned, payerSignature }, quorumId };
  }

  /** The fee of a promised blob. */
  feeOf({ blob, promise }: TestBlob): bigint {
    return blobFee(blob.layout, promise?.retentionEpochs ?? 0, PRICES);
  }

  /** The rows of one signer, in the order of its arc. */
  rowsFor(signer: number, { header, blob, quorumId }: TestBlob): number[] {
    const { members, snapshot } = this.committee(quorumId);
    const arcs = assignRows(
      members.map(({ index, seats }) => ({ id: index, seats })),
      blob.layout,
      {
        suite: suites[blob.suite],
        commitment: header.commitment,
        seed: snapshot.office.seed,
      },
    );
    const arc = arcs[signer];
    if (arc === undefined) throw new Error('no such signer');
    return arcRows(arc, blob.layout);
  }

  /** The slice message with these rows. */
  async slice({ blob }: TestBlob, rows: readonly number[]): Promise<Uint8Array> {
    const proven = await rowsOf(blob, rows, { signal });
    return encodeSlice({ header: provingHeaderOf(blob), rows: proven });
  }

  /** The packed slice message of a signer's own rows. */
  async packed(signer: number, blob: TestBlob): Promise<Uint8Array> {
    const rows = this.rowsFor(signer, blob);
    const arc = { start: rows[0] ?? 0, count: rows.length };
    return concatBytes(...(await packedSliceOf(blob.blob, arc, { signal })));
  }

  /** What is sent to a signer. */
  async delivery(
    signer: number,
    blob: TestBlob,
    { epoch = EPOCH, slice }: { readonly epoch?: number; readonly slice?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    const { header, promise } = blob;
    const own = slice ?? (await this.slice(blob, this.rowsFor(signer, blob)));
    return encodeDelivery({ epoch, header, promise, slice: own });
  }

  #seal(epoch: number): void {
    const groups = this.quorums === 1 ? [0] : Array.from({ length: this.quorums + 1 }, (_, q) => q);
    const members: Member[] = this.keys.map(({ publicKey }, index) => ({
      index,
      signer: this.addressOf(index),
      seats: 8,
      publicKey,
    }));
    const bodies = members.map(encodeMember);
    const snapshots = groups.map((quorumId) => ({
      epoch,
      quorumId,
      memberCount: members.length,
      totalWeight: BigInt(members.length * 8),
      membersRoot: treeRoot(bodies.map(leafHash)),
      aggregateKey: backend.addKeys(members.map(({ publicKey }) => publicKey)),
    }));
    const startSeconds = START_SECONDS + (epoch - EPOCH) * 60;
    const header: EpochHeader = {
      epoch,
      previous: new Uint8Array(32),
      startSeconds,
      endSeconds: startSeconds + 60,
      seed: keccak256(bigEndianBytes(epoch, 4)),
      orderRoot: new Uint8Array(32),
      orderCount: 0,
      snapshotHashes: snapshots.map(snapshotHash),
    };
    this.chain.headers.set(epoch, header);
    for (const snapshot of snapshots) {
      const committee = verifyMembers(bodies, verifySnapshot(snapshot, header));
      this.chain.committees.set(`${epoch}/${snapshot.quorumId}`, committee);
    }
  }
}

/** A payer's account made of a number. */
export function payerOf(index: number): LocalSigner {
  return signerFromKey(keccak256(utf8Bytes(`payer ${index}`)));
}

async function commit(
  seed: number,
  { bytes = 3000, suite = 0 }: Pick<BlobWishes, 'bytes' | 'suite'>,
): Promise<{ blob: CommittedBlob; shape: Pick<BlobHeader, 'commitment' | 'suite'> & Shape }> {
  const payload = seededRng(seed).fill(new Uint8Array(bytes));
  const blob = await commitBlob(payload, SIGNER_NETWORK.layout, {
    codec,
    suite: suites[suite],
    combiner,
    clock: systemClock(),
    signal,
  });
  const { layout, commitment } = blob;
  return {
    blob,
    shape: {
      suite,
      commitment,
      log2K: layout.log2K,
      cosets: layout.cosets,
      rowSizeBytes: layout.rowBytes,
      sizeBytes: bytes,
    },
  };
}

type Shape = Pick<BlobHeader, 'log2K' | 'cosets' | 'rowSizeBytes' | 'sizeBytes'>;
