import {
  EPOCH_HEADER_BYTES,
  type EpochHeader,
  encodeEpochHeader,
  encodeSnapshot,
  epochHeaderHash,
  parseEpochHeader,
  parseSnapshot,
  SNAPSHOT_BYTES,
} from '@cairn/attestation';
import {
  bigEndianBytes,
  chainIdOf,
  concatBytes,
  equalBytes,
  fromHex,
  keccak256,
  parseAddress,
  readSafeU64,
  toHex,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import { TrustError } from '../errors.ts';
import {
  committeeOf,
  type EpochTrust,
  type FollowedEpoch,
  type HandoverConflict,
  MAX_FOLLOWED_EPOCHS,
} from './epoch-trust.ts';
import { MAX_HANDOVER_BYTES, type TrustBackend } from './follow-handover.ts';

const MAGIC: Uint8Array = utf8Bytes('CLTR');
const VERSION = 1;
/** Magic, version, whether there is a conflict, hub chain, hub, epochs. */
const START_BYTES = 36;
/** At the end, the hash of all before. */
const CHECK_BYTES = 32;

/** Bytes of stored trust at most. */
export const MAX_TRUST_BYTES: number =
  START_BYTES +
  MAX_FOLLOWED_EPOCHS * (EPOCH_HEADER_BYTES.max + SNAPSHOT_BYTES + MAX_HANDOVER_BYTES + 8) +
  2 * MAX_HANDOVER_BYTES +
  16 +
  CHECK_BYTES;

/**
 * Trust as bytes to store, big-endian: "CLTR", version u8 = 1, conflict u8, hub chain u64, hub 20,
 * epochs u16; for each its header (length u32 first), snapshot 256, handover (length u32 first, 0
 * where there was none); for a conflict its epoch u64 and both certificates (length u32 first); the
 * keccak-256 of all that.
 */
export function encodeTrust({ network, epochs, conflict }: EpochTrust): Uint8Array {
  const start = [
    MAGIC,
    Uint8Array.of(VERSION, conflict === undefined ? 0 : 1),
    bigEndianBytes(network.hubChainId, 8),
    fromHex(network.hub),
    bigEndianBytes(epochs.length, 2),
  ];
  const followed = epochs.flatMap(({ committee, handover = new Uint8Array(0) }) => [
    ...withLength(encodeEpochHeader(committee.office)),
    encodeSnapshot(committee),
    ...withLength(handover),
  ]);
  const end =
    conflict === undefined
      ? []
      : [
          bigEndianBytes(conflict.epoch, 8),
          ...withLength(conflict.first),
          ...withLength(conflict.second),
        ];
  const body = concatBytes(...start, ...followed, ...end);
  return concatBytes(body, keccak256(body));
}

/**
 * Trust as this machine stored it: what it says is believed, not proven again. Damage shows; whoever
 * can write there can make it say anything.
 *
 * @throws {TrustError} TRUST_STORED, TRUST_TOO_LARGE; {MessageError}; {QuorumError}
 *   SNAPSHOT_UNKNOWN; {BlsError}
 */
export function parseTrust(bytes: Uint8Array, backend: Pick<TrustBackend, 'parseKey'>): EpochTrust {
  if (bytes.length > MAX_TRUST_BYTES) {
    throw new TrustError(
      { code: 'TRUST_TOO_LARGE', what: 'trust', length: bytes.length, max: MAX_TRUST_BYTES },
      `stored trust has ${MAX_TRUST_BYTES} bytes at most, not ${bytes.length}`,
    );
  }
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECK_BYTES));
  if (!equalBytes(keccak256(body), bytes.subarray(body.length))) throw damaged('hash');
  const reader = new TrustReader(body);
  if (!equalBytes(reader.take(4), MAGIC)) throw damaged('magic');
  const [version, conflicts] = reader.take(2);
  if (version !== VERSION) throw damaged('version');
  if (conflicts !== 0 && conflicts !== 1) throw damaged('conflict');
  const network = {
    hubChainId: chainIdOf(reader.number(8)),
    hub: parseAddress(toHex(reader.take(20))),
  };
  const count = reader.number(2);
  if (count < 1 || count > MAX_FOLLOWED_EPOCHS) throw damaged('epochs');
  const epochs: FollowedEpoch[] = [];
  for (let at = 0; at < count; at += 1) {
    const header = parseEpochHeader(reader.sized());
    assertFollows(header, epochs.at(-1));
    const committee = committeeOf(parseSnapshot(reader.take(SNAPSHOT_BYTES), backend), header);
    const handover = reader.sized();
    epochs.push(handover.length === 0 ? { committee } : { committee, handover });
  }
  const conflict = conflicts === 1 ? reader.conflict() : undefined;
  reader.end();
  return conflict === undefined ? { network, epochs } : { network, epochs, conflict };
}

function assertFollows(header: EpochHeader, before: FollowedEpoch | undefined): void {
  if (before === undefined) return;
  const { office } = before.committee;
  const isNext = header.epoch === office.epoch + 1;
  if (!isNext || !equalBytes(header.previous, epochHeaderHash(office))) throw damaged('order');
}

function withLength(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [bigEndianBytes(bytes.length, 4), bytes];
}

function damaged(what: string): TrustError {
  return new TrustError(
    { code: 'TRUST_STORED', what },
    `the ${what} of stored trust is not what was stored`,
  );
}

/** Reads forward and never past the end. */
class TrustReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw damaged('length');
    const part = this.#bytes.slice(this.#at, end);
    this.#at = end;
    return part;
  }

  number(length: 2 | 4 | 8): number {
    const view = viewOf(this.take(length));
    if (length === 2) return view.getUint16(0);
    if (length === 4) return view.getUint32(0);
    if (view.getUint32(0) >= 2 ** 21) throw damaged('number');
    return readSafeU64(view, 0);
  }

  sized(): Uint8Array {
    const length = this.number(4);
    if (length > MAX_HANDOVER_BYTES) throw damaged('length');
    return this.take(length);
  }

  conflict(): HandoverConflict {
    return { epoch: this.number(8), first: this.sized(), second: this.sized() };
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw damaged('length');
  }
}
