import {
  type BlsBackend,
  type EpochHeader,
  encodeMember,
  encodeSnapshot,
  epochHeaderHash,
} from '@cairn/attestation';
import type { ChainClient } from '@cairn/chain-access';
import {
  BatchFeed,
  type Entrance,
  EpochBook,
  type Finality,
  type FoundBlob,
  type Hub,
  openEntrance,
  openHub,
  type ProvenBlock,
  readPhase,
  readProvenBatch,
  readProvenBlock,
  readProvenHeaderHash,
  requireProvenHash,
  SignerBook,
} from '@cairn/chain-access/da';
import {
  type Address,
  type BlockMark,
  equalBytes,
  type Hex,
  isZeroBytes,
  MAINNET_CONSENSUS,
} from '@cairn/primitives';
import type { TrustAnchor } from '../epochs/epoch-trust.ts';
import { MAX_FOLLOWED_EPOCHS } from '../epochs/epoch-trust.ts';
import type { ChainOffer } from '../epochs/follow-chain.ts';
import { TrustError } from '../errors.ts';
import type { BlobPlace, ConfirmedBlob, RunChain } from '../run/ports.ts';
import type { CertificateOffer } from '../verify-blob-certificate.ts';

interface Waiting {
  readonly signal: AbortSignal;
}

/** Endpoints that have to name the same blocks, by the chain that they are of. */
interface Witnesses {
  readonly hub: ChainClient[];
  readonly entrance: ChainClient[];
}

/** Batches whose blobs are looked through for one with a commitment: the newest. */
const MAX_SEARCHED_BATCHES = 4096;

/** Where a light client's chain is. */
export interface LightChainOptions {
  /** Of the entrance's chain. */
  readonly client: ChainClient;
  /** Of the hub's, where the entrance is one of a consensus shard elsewhere; the same unless told. */
  readonly hubClient?: ChainClient;
  /** The DA entrance; everything else is found from it. */
  readonly entrance: Address;
  /** When a block stays; the chains' own word unless told. */
  readonly finality?: Finality;
  /** A block not after the creation of the contracts, on either chain; 0 unless told. */
  readonly firstBlock?: number;
  readonly backend: Pick<BlsBackend, 'parseKey' | 'parseSignature'>;
  /** Other endpoints of the hub's chain, or of the entrance's, which have to name the same blocks as the one of their chain. */
  readonly witnesses?: readonly ChainClient[];
}

/**
 * One endpoint as a light client uses it. What it answers is checked: epochs and confirmations by
 * `eth_getProof` under a block's hash, members by their snapshot's root, certificates by whoever takes
 * them. What it can do is leave things out, and name a block of a chain of its own: witnesses name
 * theirs, and a caller may bring a hash that it trusts.
 */
export class LightChain implements RunChain<ProvenBlock> {
  readonly entrance: Entrance;
  readonly hub: Hub;
  readonly epochs: EpochBook;
  readonly signers: SignerBook;
  readonly #feed: BatchFeed;
  /** Of the hub's chain, and of the entrance's where that is another. */
  readonly #witnesses: Witnesses;

  private constructor(
    { backend }: Pick<LightChainOptions, 'backend'>,
    { entrance, hub, witnesses }: Pick<LightChain, 'entrance' | 'hub'> & { witnesses: Witnesses },
  ) {
    this.entrance = entrance;
    this.hub = hub;
    this.signers = new SignerBook(hub);
    this.epochs = new EpochBook({ hub, signers: this.signers, backend });
    this.#feed = new BatchFeed({ entrance, epochs: this.epochs, backend });
    this.#witnesses = witnesses;
  }

  /** @throws {ChainError} CHAIN_NO_CONTRACT, CHAIN_UNREACHABLE of a witness too, …; {DaError} DA_CONTRACTS_DIFFER */
  static async open(options: LightChainOptions, { signal }: Waiting): Promise<LightChain> {
    const { client, hubClient = client, entrance: address } = options;
    const { finality = 'tag', firstBlock = 0 } = options;
    const place = { client, finality, firstBlock };
    const entrance = await openEntrance({ ...place, entrance: address }, { signal });
    const { hub: sortition, hubChainId: chainId } = entrance.network;
    const hub = await openHub({ ...place, client: hubClient, sortition, chainId }, { signal });
    const witnesses: Witnesses = { hub: [], entrance: [] };
    for (const witness of options.witnesses ?? []) {
      // One of neither chain names other blocks than the hub's, and is told as that.
      const isThere =
        chainId !== entrance.chainId && (await witness.chainId({ signal })) === entrance.chainId;
      witnesses[isThere ? 'entrance' : 'hub'].push(witness);
    }
    return new LightChain(options, { entrance, hub, witnesses });
  }

  /** @throws {TrustError} TRUST_WITNESS_DIFFERS; {ChainError} CHAIN_BLOCK_UNKNOWN, … */
  async finalBlock({ signal }: Waiting): Promise<ProvenBlock> {
    const { client } = this.hub;
    const number = await this.hub.finalBlock({ signal });
    const block = await client.getBlock(number, { signal });
    if (block === undefined) throw new Error('unreachable: the endpoint lost its final block');
    await assertNamed(block, this.#witnesses.hub, { signal });
    return readProvenBlock(client, block.hash, { signal });
  }

  /**
   * The newest epoch as of a block whose hash the caller trusts: where following begins.
   *
   * @throws {TrustError} TRUST_EPOCH_UNKNOWN before the first epoch; {ChainError} CHAIN_BAD_PROOF,
   *   CHAIN_BLOCK_UNKNOWN
   */
  async anchorAt(hash: Hex, { signal }: Waiting): Promise<TrustAnchor> {
    const block = await readProvenBlock(this.hub.client, hash, { signal });
    const newest = await readProvenHeaderHash(this.hub, block, { signal });
    const { epoch } = await readPhase(this.hub, { block: block.number, signal });
    for (const candidate of isZeroBytes(newest) ? [] : [epoch + 1, epoch]) {
      const sealed = await this.epochs.sealed(candidate, { signal });
      if (sealed === undefined || !equalBytes(epochHeaderHash(sealed.header), newest)) continue;
      return this.anchorOf(candidate, { signal });
    }
    throw new TrustError(
      { code: 'TRUST_EPOCH_UNKNOWN', epoch, oldest: epoch, newest: epoch },
      `no epoch is sealed as of block ${block.number}`,
    );
  }

  /**
   * A sealed epoch as something to begin from, where the caller believes it: `proveEpoch` gives a reason.
   *
   * @throws {DaError} DA_EPOCH_UNKNOWN, …
   */
  async anchorOf(epoch: number, options: Waiting): Promise<TrustAnchor> {
    return { network: this.hub.network, ...(await this.#offerOf(epoch, options)) };
  }

  /** At most 96. @throws {ChainError} CHAIN_BAD_PROOF for more, and where they do not lead to the newest */
  async epochsAfter(epoch: number, block: ProvenBlock, options: Waiting): Promise<ChainOffer[]> {
    const newest = await readProvenHeaderHash(this.hub, block, options);
    const offers: ChainOffer[] = [];
    let last = (await this.epochs.sealed(epoch, options))?.header;
    for (let next = epoch + 1; ; next += 1) {
      if (last !== undefined && equalBytes(epochHeaderHash(last), newest)) return offers;
      const sealed = await this.epochs.sealed(next, options);
      if (sealed === undefined || offers.length === MAX_FOLLOWED_EPOCHS) {
        requireProvenHash('newest epoch header', newest, hashOf(last));
      }
      const offer = await this.#offerOf(next, options);
      offers.push(offer);
      last = offer.header;
    }
  }

  /**
   * Proves the header of an epoch by a block whose hash the caller trusts: each header up to the newest
   * as of that block continues the one before, and the block's state holds the hash of the newest.
   *
   * @throws {ChainError} CHAIN_BAD_PROOF, CHAIN_BLOCK_UNKNOWN; {DaError} DA_EPOCH_UNKNOWN
   */
  async proveEpoch(epoch: number, hash: Hex, options: Waiting): Promise<void> {
    const block = await readProvenBlock(this.hub.client, hash, options);
    const newest = await readProvenHeaderHash(this.hub, block, options);
    let last: EpochHeader | undefined;
    for (let next = epoch; ; next += 1) {
      const header = (await this.epochs.sealed(next, options))?.header;
      if (header === undefined) requireProvenHash('newest epoch header', newest, hashOf(last));
      if (header === undefined) return;
      if (last !== undefined) requireProvenHash('epoch header', header.previous, hashOf(last));
      if (equalBytes(hashOf(header), newest)) return;
      last = header;
    }
  }

  /**
   * Seconds after an epoch's end for which its committee is believed here: half the time that stake
   * which leaves stays locked, so that whoever signed falsely can still pay, and 14 days at most.
   */
  async trustingSeconds(options: Waiting): Promise<number> {
    const delay = (await this.hub.stakeHub.read('unbondDelay', [], options)).number(0);
    return Math.min(MAINNET_CONSENSUS.trustingSeconds, Math.floor(delay / 2));
  }

  async *blobsFrom(
    { daIndex, block: fromBlock }: Pick<BlobPlace, 'daIndex' | 'block'>,
    { number }: ProvenBlock,
    options: Waiting,
  ): AsyncGenerator<ConfirmedBlob, void, void> {
    const toBlock = this.#isHere ? number : await this.entrance.finalBlock(options);
    for await (const page of this.#feed.forward({ fromBlock, toBlock }, options)) {
      for (const confirmation of page.confirmations) {
        if (confirmation.daIndex < daIndex) continue;
        const { root, epoch, quorumId } = confirmation;
        const place = { root, epoch, quorumId, daIndex: confirmation.daIndex };
        const batch = { ...place, block: confirmation.block.number };
        const blobs = await this.#feed.blobsOf(confirmation, options);
        if (blobs === undefined) yield { ...batch, leafIndex: 0, content: undefined };
        else for (const blob of blobs) yield { ...batch, ...leafOf(blob) };
      }
    }
  }

  /**
   * The newest confirmed blob, or the newest with a commitment.
   *
   * @param commitment - 32 bytes; any blob that counts unless told
   * @returns `undefined` where none of the newest 4,096 batches tells of it
   */
  async findBlob(
    commitment: Uint8Array | undefined,
    options: Waiting,
  ): Promise<FoundBlob | undefined> {
    const toBlock = await this.entrance.finalBlock(options);
    const { firstBlock } = this.entrance;
    let searched = 0;
    const pages = this.#feed.backward({ fromBlock: firstBlock, toBlock }, options);
    for await (const confirmations of pages) {
      for (const confirmation of confirmations) {
        if (searched === MAX_SEARCHED_BATCHES) return undefined;
        searched += 1;
        const blobs = (await this.#feed.blobsOf(confirmation, options)) ?? [];
        const found = blobs.findLast(
          ({ header, isVoid }) =>
            !isVoid && (commitment === undefined || equalBytes(header.commitment, commitment)),
        );
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** @throws {DaError} DA_EPOCH_UNKNOWN, DA_QUORUM_EMPTY, … */
  async quorum(
    office: { readonly epoch: number; readonly quorumId: number },
    options: Waiting,
  ): Promise<Required<Omit<CertificateOffer, 'certificate'>>> {
    const { snapshot, members } = await this.epochs.committee(office, options);
    return { snapshot: encodeSnapshot(snapshot), members: members.map(encodeMember) };
  }

  async isCounted(
    leaf: { readonly root: Uint8Array; readonly leafIndex: number },
    block: ProvenBlock,
    options: Waiting,
  ): Promise<boolean> {
    const at = this.#isHere ? block : await this.#entranceBlock(options);
    const batch = await readProvenBatch(this.entrance, leaf, at, options);
    return batch !== undefined && !batch.isVoid;
  }

  async sockets(options: Waiting): Promise<ReadonlyMap<Address, string>> {
    await this.signers.refresh(options);
    const sockets = new Map<Address, string>();
    for (const { signer, socket } of this.signers.all()) {
      if (socket !== undefined && /^https?:\/\//i.test(socket)) sockets.set(signer, socket);
    }
    return sockets;
  }

  /** Whether entrance and hub are on one chain, whose blocks count for both then. */
  get #isHere(): boolean {
    return this.entrance.chainId === this.hub.chainId;
  }

  async #entranceBlock(options: Waiting): Promise<ProvenBlock> {
    const { client } = this.entrance;
    const block = await client.getBlock(await this.entrance.finalBlock(options), options);
    if (block === undefined) throw new Error('unreachable: the endpoint lost its final block');
    await assertNamed(block, this.#witnesses.entrance, options);
    return readProvenBlock(client, block.hash, options);
  }

  async #offerOf(epoch: number, options: Waiting): Promise<ChainOffer> {
    const { snapshot } = await this.epochs.committee({ epoch, quorumId: 0 }, options);
    return { header: snapshot.office, snapshot };
  }
}

function leafOf({ certificate, header, isVoid, leafIndex }: FoundBlob) {
  return { leafIndex, content: { certificate, header, isVoid } };
}

function hashOf(header: EpochHeader | undefined): Uint8Array {
  return header === undefined ? new Uint8Array(32) : epochHeaderHash(header);
}

/** @throws {TrustError} TRUST_WITNESS_DIFFERS */
async function assertNamed(
  { number, hash }: BlockMark,
  witnesses: readonly ChainClient[],
  options: Waiting,
): Promise<void> {
  for (const witness of witnesses) {
    const other = await witness.getBlock(number, options);
    if (other === undefined || other.hash === hash) continue; // it lags, or agrees
    throw witnessDiffers(number, hash, witness.endpoint, other.hash);
  }
}

function witnessDiffers(block: number, hash: string, witness: string, other: string): TrustError {
  return new TrustError(
    { code: 'TRUST_WITNESS_DIFFERS', block, hash, witness, witnessHash: other },
    `block ${block} has the hash ${hash}, but ${witness} names ${other}`,
  );
}
