import {
  type EpochHeader,
  encodeBlobHeader,
  promiseSlotOf,
  STATEMENT_KINDS,
  slotOf,
} from '@cairn/attestation';
import type { RowSuite } from '@cairn/commitments/rows';
import {
  arcRows,
  type BlobLayout,
  packedSliceBytes,
  type RowArc,
  type RowCombiner,
  sliceMessageBytes,
  verifySliceMessage,
} from '@cairn/erasure-codec';
import { type Clock, equalBytes, MIB, rootOf, toHex } from '@cairn/primitives';
import {
  DELIVERY_START_BYTES,
  type DeliveryHead,
  deliveryHeadBytes,
  encodePromiseTerms,
  parseDeliveryHead,
} from '@cairn/wire-protocol/da';
import type { ByteBudget } from '../byte-budget.ts';
import { SignerError } from '../errors.ts';
import { SpareMemory } from '../spare-memory.ts';
import { assertSubmitted, quorumOfHeader, requireLayout } from './check-blob.ts';
import { verifyPromise } from './check-promise.ts';
import { type BodyPace, IncomingBody, type UnreadBody } from './incoming-body.ts';
import type { SignerMetrics } from './metrics.ts';
import type { CoveredPlace, PlaceBook } from './places.ts';
import type { ChainOptions } from './ports.ts';
import type { ProtectionLog } from './protection-log.ts';
import { arcOf, requireOffice, requireSeat, type SignerIdentity } from './seat.ts';
import { type SliceClaim, sliceFileBytes } from './slice-file.ts';
import { leafOf } from './slice-index.ts';
import type { SliceStore } from './slice-store.ts';

/** What taking a delivery needs. */
export interface SliceAcceptorDeps {
  readonly places: Pick<PlaceBook, 'require'>;
  readonly identity: SignerIdentity;
  readonly store: SliceStore;
  readonly protection: Pick<ProtectionLog, 'leafOf'>;
  /** Memory for slices that are being received and checked. */
  readonly budget: ByteBudget;
  /** By their number. */
  readonly suites: Readonly<Record<RowSuite['id'], RowSuite>>;
  readonly combiner: RowCombiner;
  readonly clock: Clock;
  readonly metrics: SignerMetrics;
}

/** Bounds of deliveries. */
export interface SliceAcceptorOptions {
  /** The longest slice message that is taken. */
  readonly maxSliceBytes: number;
  readonly pace: BodyPace;
}

/** What became of a delivery: stored now, or held before with the same promise. */
export type AcceptOutcome = 'stored' | 'held';

/** A slice that would be taken. */
interface Admission {
  readonly place: CoveredPlace;
  readonly claim: SliceClaim;
  readonly layout: BlobLayout;
  readonly suite: RowSuite;
  readonly arc: RowArc<number>;
  /** Gives back what its promise was counted as while it was under way. */
  readonly giveBack: () => void;
}

/** A received slice is in memory twice for a moment: as it came and as it is written. */
const COPIES = 2;
/** Memory of slices that were stored, kept for the next. */
const MAX_IDLE_BYTES: number = 32 * MIB;
/** Form of a slice message without the hashes that follow from its rows: its sixth byte. */
const PACKED_FORM = 1;
/** Bytes by which a slice message says its form. */
const SLICE_START_BYTES = 8;

/**
 * Takes deliveries: head → is the blob of this network, epoch and quorum, submitted or promised and
 * covered, and is this signer one of its holders → is there room → then only the slice → all of it
 * proven → on the disk.
 */
export class SliceAcceptor {
  readonly #deps: SliceAcceptorDeps;
  readonly #options: SliceAcceptorOptions;
  readonly #spare = new SpareMemory({ maxIdleBytes: MAX_IDLE_BYTES });

  constructor(deps: SliceAcceptorDeps, options: SliceAcceptorOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Reads a delivery and keeps its slice.
   *
   * @throws {SignerError} for everything this signer must or will not keep; {WireError}, {MessageError},
   *   {SliceError}, {CodecError} for what is no delivery or no slice; {StorageError} DISK_FULL;
   *   {QueueFullError}; what the chain throws; the signal's reason
   */
  async accept(body: UnreadBody, { signal }: ChainOptions): Promise<AcceptOutcome> {
    const { clock } = this.#deps;
    const incoming = new IncomingBody(body.stream, { clock }, this.#options.pace);
    const { head, headBytes } = await readHead(incoming, signal);
    const admission = await this.#admit(head, signal);
    if (admission === undefined) return 'held';
    try {
      await this.#receive(admission, incoming, { headBytes, ...body }, signal);
      return 'stored';
    } finally {
      admission.giveBack();
    }
  }

  async #receive(
    { place, claim, layout, suite, arc }: Admission,
    incoming: IncomingBody,
    about: { readonly headBytes: number; readonly declaredBytes: number | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const { budget, store, metrics, combiner } = this.#deps;
    const start = await incoming.take(SLICE_START_BYTES, signal);
    const wholeBytes = sliceMessageBytes(layout, arc.count);
    const sliceBytes = isPacked(start) ? packedSliceBytes(layout, arc) : wholeBytes;
    this.#assertLength(sliceBytes, about.declaredBytes, about.headBytes);
    await store.assertRoom(claim, arc.count);
    const release = await budget.take(COPIES * wholeBytes, signal);
    metrics.bodyBytes.set(budget.usedBytes);
    try {
      const bytes = this.#spare.take(sliceBytes);
      await incoming.fill(bytes, signal, start);
      await incoming.end(signal);
      const { commitment } = claim.header;
      const expected = { commitment, layout, rows: arcRows(arc, layout) };
      const slice = verifySliceMessage(bytes, expected, { suite, combiner });
      this.#assertSlot(claim.header, place);
      await store.put(claim, slice, { signal });
      metrics.storedBytes.add(sliceBytes);
      this.#spare.giveBack(bytes);
    } finally {
      release();
      metrics.bodyBytes.set(budget.usedBytes);
    }
  }

  /** What to expect of the slice; `undefined` if it is held already. */
  async #admit(head: DeliveryHead, signal: AbortSignal): Promise<Admission | undefined> {
    const { places, identity, suites, clock } = this.#deps;
    const { header, epoch } = head;
    const place = places.require(header);
    const { chain, network } = place;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const office = await requireOffice({ epoch, nowSeconds }, { chain, network }, { signal });
    const layout = requireLayout(header, { network, office, nowSeconds });
    const quorumId = quorumOfHeader(header, office);
    this.#assertSlot(header, place);
    if (this.#isHeld(head, quorumId)) return undefined;
    const seat = await requireSeat({ epoch, quorumId }, { chain, identity }, { signal });
    const suite = suites[header.suite === 1 ? 1 : 0];
    const arc = arcOf(seat, layout, { suite, commitment: header.commitment });
    const claim = { header, epoch, quorumId, firstRow: arc.start, promise: undefined };
    if (head.promise === undefined) {
      const submitted = await chain.submission(header.submissionIndex, { signal });
      assertSubmitted(header, submitted, { epoch, quorumId });
      return { place, claim, layout, suite, arc, giveBack: () => undefined };
    }
    const about = { place, claim, layout, office, rows: arc.count };
    return { ...(await this.#admitPromise(head, about, signal)), place, layout, suite, arc };
  }

  /** The claim of a blob whose promise is good and covered, and counts from now on. */
  async #admitPromise(
    { header, promise: terms }: DeliveryHead,
    about: {
      readonly place: CoveredPlace;
      readonly claim: SliceClaim;
      readonly layout: BlobLayout;
      readonly office: EpochHeader;
      readonly rows: number;
    },
    signal: AbortSignal,
  ): Promise<Pick<Admission, 'claim' | 'giveBack'>> {
    const { clock } = this.#deps;
    const { claim, layout, office, rows } = about;
    const { chain, network, cover } = about.place;
    const { epoch, quorumId } = claim;
    const prices = await chain.prices(epoch, { signal });
    const slot = promiseSlotOf(header.submissionIndex);
    if (prices === undefined || terms === undefined || slot === undefined) {
      throw new SignerError(
        { code: 'EPOCH_UNKNOWN', epoch, quorumId },
        `prices of epoch ${epoch} are not known here yet`,
      );
    }
    const nowSeconds = Math.floor(clock.now() / 1000);
    const promise = verifyPromise({ header, terms }, layout, {
      network,
      office,
      prices,
      nowSeconds,
    });
    const paid = { ...claim, promise };
    const { feeWei } = promise;
    const added = { slot, feeWei, fileBytes: sliceFileBytes(paid, rows) };
    const payer = { payer: header.submitter, office, quorumId };
    return { claim: paid, giveBack: await cover.reserve(payer, added, { signal }) };
  }

  #isHeld({ header, epoch, promise }: DeliveryHead, quorumId: number): boolean {
    const held = this.#deps.store.get(leafOf(header));
    if (held === undefined || held.epoch !== epoch || held.quorumId !== quorumId) return false;
    if (promise === undefined || held.promise === undefined) return true;
    return equalBytes(encodePromiseTerms(promise), encodePromiseTerms(held.promise.terms));
  }

  /** Nothing else may be held or signed for in this place. @throws {SignerError} SLOT_HELD, SLOT_SIGNED */
  #assertSlot(header: DeliveryHead['header'], { network }: CoveredPlace): void {
    const { store, protection } = this.#deps;
    const leaf = leafOf(header);
    const { submissionIndex } = header;
    const kind = STATEMENT_KINDS.batch; // both kinds of batches share their slots
    const statement = { kind, domain: network.entrance };
    const slot = slotOf({ statement, body: encodeBlobHeader(header) });
    const signed = slot === undefined ? undefined : protection.leafOf(slot);
    if (slot !== undefined && signed !== undefined && rootOf(signed) !== leaf) {
      throw new SignerError(
        { code: 'SLOT_SIGNED', slot: toHex(slot), signed: rootOf(signed), asked: leaf },
        `another blob was signed for as ${submissionIndex}`,
      );
    }
    store.assertFree(header);
  }

  #assertLength(sliceBytes: number, declaredBytes: number | undefined, headBytes: number): void {
    const { maxSliceBytes } = this.#options;
    if (sliceBytes > maxSliceBytes) {
      throw new SignerError(
        { code: 'WIRE_TOO_LONG', what: 'slice', max: maxSliceBytes },
        `this signer's slice of the blob has ${sliceBytes} bytes, it takes ${maxSliceBytes}`,
      );
    }
    const expectedBytes = headBytes + sliceBytes;
    if (declaredBytes === undefined || declaredBytes === expectedBytes) return;
    throw new SignerError(
      { code: 'WIRE_LENGTH', what: 'delivery', expectedBytes, actualBytes: declaredBytes },
      `a delivery of this signer's rows has ${expectedBytes} bytes, not ${declaredBytes}`,
    );
  }
}

/** Whether a slice message leaves out the hashes that follow from its rows. */
function isPacked(start: Uint8Array): boolean {
  return start[5] === PACKED_FORM;
}

async function readHead(
  incoming: IncomingBody,
  signal: AbortSignal,
): Promise<{ readonly head: DeliveryHead; readonly headBytes: number }> {
  const start = await incoming.take(DELIVERY_START_BYTES, signal);
  const headBytes = deliveryHeadBytes(start);
  const bytes = await incoming.take(headBytes, signal, start);
  return { head: parseDeliveryHead(bytes), headBytes };
}
