import { P2pRefusal } from '@cairn/node-runtime/p2p';
import {
  type Clock,
  describeError,
  isFault,
  type Logger,
  type PeerNetwork,
  type Rng,
} from '@cairn/primitives';
import { formatShard, type ShardConfig } from '@cairn/wire-protocol';
import {
  encodePeerRecord,
  encodeRecords,
  encodeSignedRecord,
  MAX_CLOCK_DRIFT_MS,
  MAX_RECORD_ADDRESSES,
  MAX_RECORD_AGE_MS,
  MAX_RECORDS,
  type PeerLog,
  parseSignedRecord,
  RECORDS_PROTOCOL,
  splitRecords,
} from '@cairn/wire-protocol/peers';
import type { PeerBook } from './peer-book.ts';

/** What exchanging records works with. */
export interface RecordOfficeDeps {
  readonly network: Pick<
    PeerNetwork,
    'self' | 'addresses' | 'sign' | 'verify' | 'handle' | 'request'
  >;
  readonly book: PeerBook;
  readonly log: PeerLog;
  /** The shard now; asked each time, since it may change. */
  readonly shard: () => ShardConfig;
  readonly clock: Pick<Clock, 'now'>;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Where this node's segments are had over HTTP; `undefined`: nowhere that others reach. */
  readonly publicUrl: () => string | undefined;
  /** Told of a peer or a shard that was not known. */
  readonly onNewPeer: () => void;
  /** Told of a peer that gave a record which its owner never signed. */
  readonly onLie: (peer: string, reason: string) => Promise<void>;
}

/** How an exchange with a peer ended; `unspoken`: the peer does not know the protocol, or not yet. */
export type Exchange = 'done' | 'wrong log' | 'unspoken' | 'no answer' | 'lied';

/** Own record again after so long, or when what it says changes. */
const SIGN_AGAIN_MS: number = MAX_RECORD_AGE_MS / 10;
/** One look around every few seconds is what a peer needs; a burst when many come at once. */
const QUOTA = { burstItems: 16, itemsPerSecond: 1 };
const TIMEOUT_MS = 10_000;

/**
 * Makes this node's own record and trades records with peers. A record counts once its signature is
 * checked; a peer passes on only what it checked, so one that passes on a forgery has lied.
 */
export class RecordOffice {
  readonly #deps: RecordOfficeDeps;
  #own:
    | { readonly says: string; readonly signedAtMs: number; readonly bytes: Uint8Array }
    | undefined;

  constructor(deps: RecordOfficeDeps) {
    this.#deps = deps;
  }

  /** Answers peers that exchange records, from now on. */
  open(): Promise<void> {
    return this.#deps.network.handle(
      RECORDS_PROTOCOL,
      { quota: QUOTA },
      async (request, { peer }) => {
        const taken = await this.#take(request, peer);
        if (taken === 'wrong log') throw new P2pRefusal('WRONG_LOG', 'another log is kept here');
        if (taken === 'lied')
          throw new P2pRefusal('FORGED_RECORD', 'a record was not signed by its peer');
        return this.#message();
      },
    );
  }

  /** Tells a peer of this node and others, and takes what it tells. @throws the signal's reason */
  async exchange(peer: string, { signal }: { readonly signal: AbortSignal }): Promise<Exchange> {
    const { network, logger } = this.#deps;
    try {
      const reply = await network.request(peer, RECORDS_PROTOCOL, await this.#message(), {
        signal,
        timeoutMs: TIMEOUT_MS,
      });
      const taken = await this.#take(reply, peer);
      return taken === 'taken' ? 'done' : taken;
    } catch (error) {
      signal.throwIfAborted();
      logger.debug({ peer, reason: describeError(error) }, 'a peer exchanged no records');
      if (isFault(error, 'P2P_PROTOCOL_UNKNOWN')) return 'unspoken';
      const isWrong = isFault(error, 'P2P_REFUSED') && error.message.includes('another log');
      return isWrong ? 'wrong log' : 'no answer';
    }
  }

  /** Takes the records of a message; the first is of who sent it. */
  async #take(bytes: Uint8Array, peer: string): Promise<'taken' | 'wrong log' | 'lied'> {
    const { onLie } = this.#deps;
    let records: readonly Uint8Array[];
    try {
      records = splitRecords(bytes);
    } catch (error) {
      await onLie(peer, describeError(error));
      return 'lied';
    }
    const { book } = this.#deps;
    for (const [at, one] of records.entries()) {
      // Most of what peers tell is known: the bytes that were checked once are good for ever.
      const owner = this.#isOwn(one) ? this.#deps.network.self : book.ownerOf(one);
      if (owner !== undefined && (at > 0 || owner === peer)) continue;
      const verdict = await this.#check(one, at === 0 ? peer : undefined);
      if (verdict === 'wrong log' && at === 0) return 'wrong log';
      if (verdict !== 'forged') continue;
      await onLie(peer, 'a record that its peer did not sign');
      return 'lied';
    }
    return 'taken';
  }

  async #check(
    bytes: Uint8Array,
    sender: string | undefined,
  ): Promise<'good' | 'old' | 'wrong log' | 'forged'> {
    const { book, network, log, clock, onNewPeer } = this.#deps;
    let signed: ReturnType<typeof parseSignedRecord>;
    try {
      signed = parseSignedRecord(bytes);
    } catch (error) {
      return isFault(error) ? 'forged' : Promise.reject(error);
    }
    const { record, body, signature } = signed;
    if (sender !== undefined && record.peer !== sender) return 'forged';
    if (record.chainId !== log.chainId || record.flow !== log.flow) return 'wrong log';
    const ageMs = clock.now() - record.signedAtMs;
    if (ageMs > MAX_RECORD_AGE_MS || ageMs < -MAX_CLOCK_DRIFT_MS) return 'old';
    if (record.peer === network.self) return 'good';
    if ((book.signedAt(record.peer) ?? 0) >= record.signedAtMs) return 'good';
    if (!(await network.verify(record.peer, body, signature))) return 'forged';
    // The message's memory is shared with its other records: keep this one's alone.
    if (book.add({ record, bytes: bytes.slice() }) === 'new') onNewPeer();
    return 'good';
  }

  #isOwn(bytes: Uint8Array): boolean {
    return this.#own !== undefined && Buffer.compare(this.#own.bytes, bytes) === 0;
  }

  /** Own record first, then some of the others, drawn anew each time. */
  async #message(): Promise<Uint8Array> {
    const { book, rng, clock } = this.#deps;
    const oldestMs = clock.now() - MAX_RECORD_AGE_MS;
    const others: Uint8Array[] = [];
    for (const { bytes, record } of book.records()) {
      if (record.signedAtMs >= oldestMs) others.push(bytes);
    }
    // A sample of all, each as likely: the first steps of a shuffle (Durstenfeld's).
    const told = Math.min(others.length, MAX_RECORDS - 1);
    for (let at = 0; told < others.length && at < told; at += 1) {
      const place = at + rng.below(others.length - at);
      const chosen = others[place] as Uint8Array;
      others[place] = others[at] as Uint8Array;
      others[at] = chosen;
    }
    others.length = told;
    return encodeRecords([await this.#ownRecord(), ...others]);
  }

  async #ownRecord(): Promise<Uint8Array> {
    const { network, log, shard, clock, publicUrl } = this.#deps;
    const nowMs = clock.now();
    const addresses = network.addresses.slice(0, MAX_RECORD_ADDRESSES);
    const url = publicUrl();
    const says = `${formatShard(shard())} ${url} ${addresses.join(' ')}`; // the rest never changes
    const held = this.#own;
    const isFresh = held !== undefined && nowMs - held.signedAtMs < SIGN_AGAIN_MS;
    if (isFresh && held.says === says) return held.bytes;
    const facts = { ...log, peer: network.self, shard: shard(), url, addresses };
    // Of two records the later counts, so a change within a millisecond is dated after it.
    const signedAtMs = Math.max(nowMs, (held?.signedAtMs ?? 0) + 1);
    const body = encodePeerRecord({ ...facts, signedAtMs });
    const bytes = encodeSignedRecord(body, await network.sign(body));
    this.#own = { says, signedAtMs, bytes };
    return bytes;
  }
}
