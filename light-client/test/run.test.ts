import assert from 'node:assert/strict';
import { encodeSnapshot, type Snapshot } from '@cairn/attestation';
import type { CommittedBlob } from '@cairn/erasure-codec';
import {
  DEVNET_CONSENSUS,
  equalBytes,
  Fault,
  type HttpTransport,
  isFault,
  seededRng,
  toHex,
} from '@cairn/primitives';
import { encodeSignedHandover } from '@cairn/wire-protocol/da';
import { createLightClient } from '../src/create-light-client.ts';
import { headOf, startTrust } from '../src/epochs/epoch-trust.ts';
import type { ChainOffer } from '../src/epochs/follow-chain.ts';
import { formatCheckpoint, parseCheckpoint, type RunCheckpoint } from '../src/run/checkpoint.ts';
import type { BlobPlace, ConfirmedBlob, RunBlock, RunChain } from '../src/run/ports.ts';
import { type RunOptions, type RunReport, runLightClient } from '../src/run.ts';
import { headerOfBlob, honestBlob, offerOf, signal } from './support/blobs.ts';
import {
  BLST,
  ENTRANCE,
  EPOCH_SECONDS,
  handoverOf,
  NETWORK,
  nextGroup,
  SHARD_ID,
  START_SECONDS,
  type TestGroup,
  testGroup,
} from './support/committees.ts';
import { type Manner, MemorySigners, replyOf } from './support/signers.ts';
import { VirtualClock } from './support/virtual-clock.ts';

const LAYOUT = { cosets: 3, minLog2K: 6 };
const FIRST = testGroup([1, 1, 1, 1]);
const SECOND = nextGroup(FIRST, [1, 1, 2]);
const START: BlobPlace = { daIndex: 0, leafIndex: 0, block: 0 };

class Unreachable extends Fault<{ readonly code: 'CHAIN_UNREACHABLE' }> {}

/** A chain in memory: what it confirmed, and which epochs it sealed. */
class MemoryChain implements RunChain {
  readonly blobs: ConfirmedBlob[] = [];
  readonly sealed: TestGroup[];
  readonly counted = new Set<string>();
  outages = 0;
  readonly #sockets: ReadonlyMap<never, string> | Map<never, string>;

  constructor(sealed: TestGroup[], sockets: MemorySigners['sockets']) {
    this.sealed = sealed;
    this.#sockets = sockets as Map<never, string>;
  }

  async finalBlock(): Promise<RunBlock> {
    if (this.outages > 0) {
      this.outages -= 1;
      throw new Unreachable({ code: 'CHAIN_UNREACHABLE' }, 'the endpoint is away');
    }
    return { number: this.blobs.length };
  }

  async epochsAfter(epoch: number): Promise<ChainOffer[]> {
    return this.sealed
      .filter(({ header }) => header.epoch > epoch)
      .map(({ header, committee }) => ({ header, snapshot: committee.snapshot as Snapshot }));
  }

  async *blobsFrom({ daIndex, block }: Pick<BlobPlace, 'daIndex' | 'block'>) {
    yield* this.blobs.filter((blob) => blob.daIndex >= daIndex && blob.block >= block);
  }

  async quorum({ epoch }: { readonly epoch: number }) {
    const group = this.sealed.find(({ header }) => header.epoch === epoch) ?? FIRST;
    return { snapshot: encodeSnapshot(group.committee.snapshot), members: group.bodies };
  }

  async isCounted({ root }: { readonly root: Uint8Array }): Promise<boolean> {
    return this.counted.has(toHex(root));
  }

  async sockets() {
    return this.#sockets;
  }

  /** One more batch of one blob. */
  confirm(blob: CommittedBlob, group: TestGroup, change: Partial<ConfirmedBlob> = {}): void {
    const daIndex = this.blobs.length;
    const { certificate } = offerOf(group, blob);
    this.blobs.push({
      root: new Uint8Array(32).fill(daIndex),
      epoch: group.header.epoch,
      quorumId: 0,
      daIndex,
      leafIndex: 0,
      block: daIndex,
      content: { certificate, header: headerOfBlob(blob), isVoid: false },
      ...change,
    });
  }
}

/** Everything that a run is made of, over blobs that all members hold in their manner. */
async function world(
  blobs: readonly CommittedBlob[],
  manners: (blob: number) => (signer: number) => Manner = () => () => ({}),
) {
  const clock = new VirtualClock(START_SECONDS + 5);
  const holders = [...blobs.entries()].flatMap(([at, blob]) =>
    [FIRST, SECOND].map(({ committee }) => new MemorySigners(blob, committee, clock, manners(at))),
  );
  const asked: string[] = [];
  const handovers = new Map<number, ReturnType<typeof handoverOf>>();
  const transport: HttpTransport = {
    async send(request) {
      const named = /\/v1\/da\/handovers\/(\d+)$/.exec(request.url)?.[1];
      if (named !== undefined) {
        const found = handovers.get(Number(named));
        const body = found === undefined ? new Uint8Array(0) : encodeSignedHandover(found);
        return replyOf(found === undefined ? 404 : 200, body);
      }
      asked.push(request.url);
      const own = holders.filter((_, at) =>
        request.url.includes(toHex(blobs[at >> 1]?.commitment ?? new Uint8Array(0))),
      );
      const isNewer = clock.now() / 1000 >= START_SECONDS + EPOCH_SECONDS;
      return (own[isNewer ? 1 : 0] ?? assert.fail(request.url)).send(request);
    },
    close: async () => undefined,
  };
  const sockets = new Map(
    [FIRST, SECOND].flatMap(({ committee }) =>
      committee.members.map(({ signer }) => [signer, `http://${signer}.test:31/`] as const),
    ),
  );
  const chain = new MemoryChain([FIRST], sockets);
  const trust = startTrust({
    network: NETWORK,
    header: FIRST.header,
    snapshot: FIRST.committee.snapshot,
  });
  const saved: string[] = [];
  const start = async (checkpoint?: RunCheckpoint, options: Partial<RunOptions> = {}) => {
    const client = await createLightClient({
      ...{ params: DEVNET_CONSENSUS, entrance: ENTRANCE, shardId: SHARD_ID, transport, clock },
      trust: checkpoint?.trust ?? trust,
      rng: seededRng(saved.length + 1),
      backend: BLST,
    });
    const store = {
      save: async (now: RunCheckpoint) => {
        saved.push(formatCheckpoint(now));
      },
    };
    const from = checkpoint?.next ?? START;
    const { samples = [] } = checkpoint ?? {};
    const deps = { client, chain, clock, store, transport };
    const reports = runLightClient(deps, { signal, from, samples, isOnce: true, ...options });
    return { client, reports };
  };
  return { clock, chain, saved, asked, handovers, start };
}

async function all(reports: AsyncIterable<RunReport>): Promise<string[]> {
  const seen: string[] = [];
  for await (const report of reports) {
    const { daIndex } = report.blob;
    if (report.kind === 'judged') seen.push(`${daIndex} ${report.verdict.kind}`);
    else if (report.kind === 'skipped') seen.push(`${daIndex} ${report.reason}`);
    else seen.push(`${daIndex} ${report.error.code}`);
  }
  return seen;
}

describe('a light client that runs', () => {
  it('gives a verdict for each confirmed blob, in the order of the chain', async () => {
    const blobs = [await honestBlob(100, LAYOUT), await honestBlob(5000, LAYOUT)];
    const { chain, start, saved } = await world(blobs, (blob) => (signer) => ({
      isSilent: blob === 1 && signer > 0,
    }));
    const [first, second] = blobs as [CommittedBlob, CommittedBlob];
    const content = { certificate: new Uint8Array(9), header: headerOfBlob(first), isVoid: true };
    const old = headerOfBlob(first, { expirySeconds: START_SECONDS });
    chain.confirm(first, FIRST);
    chain.confirm(second, FIRST);
    chain.confirm(first, FIRST, { content });
    chain.confirm(first, FIRST, { content: undefined });
    chain.confirm(first, FIRST, { content: { ...content, header: old, isVoid: false } });
    chain.confirm(first, FIRST, { epoch: FIRST.header.epoch - 1 });
    chain.confirm(first, FIRST, { content: { ...content, isVoid: false } });
    chain.confirm(first, FIRST);
    const { reports } = await start();
    assert.deepEqual(await all(reports), [
      '0 available',
      '1 unavailable', // one of four members holds 63 of 256 rows, and 64 are needed
      '2 VOID',
      '3 UNTOLD',
      '4 EXPIRED',
      '5 BEFORE_TRUST',
      '6 MESSAGE_FIELD',
      '7 available',
    ]);
    const last = parseCheckpoint(saved.at(-1) ?? '', BLST);
    assert.deepEqual(last.next, { daIndex: 7, leafIndex: 1, block: 7 });
  });

  it('follows the epochs that the chain sealed, and takes their blobs', async () => {
    const blob = await honestBlob(100, LAYOUT);
    const { clock, chain, start } = await world([blob]);
    chain.sealed.push(SECOND);
    const { reports, client } = await start();
    assert.deepEqual(await all(reports), []);
    assert.equal(headOf(client.trust).committee.office.epoch, FIRST.header.epoch, 'not begun yet');
    clock.advanceSeconds(EPOCH_SECONDS);
    chain.confirm(blob, SECOND);
    const later = await start();
    assert.deepEqual(await all(later.reports), ['0 available']);
    assert.equal(headOf(later.client.trust).committee.office.epoch, SECOND.header.epoch);
  });

  it('takes epochs from the committee before, where a signer has its handover', async () => {
    const { clock, chain, start, handovers } = await world([]);
    chain.sealed.push(SECOND);
    clock.advanceSeconds(EPOCH_SECONDS);
    const strict = await start(undefined, { needsHandovers: true });
    assert.deepEqual(await all(strict.reports), []);
    assert.equal(headOf(strict.client.trust).committee.office.epoch, FIRST.header.epoch);
    handovers.set(SECOND.header.epoch, handoverOf(SECOND, FIRST)); // signed by others: no reason to stop
    assert.deepEqual(await all((await start()).reports), []);
    handovers.set(SECOND.header.epoch, handoverOf(FIRST, SECOND, [2]));
    const again = await start(undefined, { needsHandovers: true });
    assert.deepEqual(await all(again.reports), []);
    const head = headOf(again.client.trust);
    assert.equal(head.committee.office.epoch, SECOND.header.epoch);
    assert.ok(head.handover !== undefined);
    const other = nextGroup(FIRST, [2, 2]);
    handovers.set(SECOND.header.epoch, handoverOf(FIRST, other));
    const differs = (error: unknown) => isFault(error, 'TRUST_CHAIN_DIFFERS');
    await assert.rejects(all((await start()).reports), differs, 'chain and committee disagree');
  });

  it('takes no epoch that does not continue the last, and none after too long a pause', async () => {
    const { clock, chain, start } = await world([]);
    chain.sealed.push(nextGroup(FIRST, [1, 1], { previous: new Uint8Array(32).fill(3) }));
    clock.advanceSeconds(EPOCH_SECONDS);
    const differs = (error: unknown) => isFault(error, 'TRUST_CHAIN_DIFFERS');
    await assert.rejects(all((await start()).reports), differs);
    clock.advanceSeconds(DEVNET_CONSENSUS.trustingSeconds);
    const expired = (error: unknown) => isFault(error, 'TRUST_EXPIRED');
    await assert.rejects(all((await start()).reports), expired);
  });

  it('takes a late certificate only where the chain has confirmed its batch', async () => {
    const blob = await honestBlob(100, LAYOUT);
    const { clock, chain, start } = await world([blob]);
    clock.advanceSeconds(EPOCH_SECONDS + DEVNET_CONSENSUS.graceSeconds);
    // its rows are asked of the first committee's members: both have the same accounts
    chain.confirm(blob, FIRST);
    assert.deepEqual(await all((await start()).reports), ['0 CERTIFICATE_TOO_OLD']);
    chain.counted.add(toHex(chain.blobs[0]?.root ?? new Uint8Array(0)));
    const [verdict] = await all((await start()).reports);
    assert.match(verdict ?? '', /^0 (un)?available$/);
  });

  it('goes on from a checkpoint with the same draw, and leaves no blob out', async () => {
    const large = await honestBlob(2 ** 20, LAYOUT); // more than 256 data rows: sampled
    const blobs = [await honestBlob(100, LAYOUT), large, await honestBlob(200, LAYOUT)];
    const { chain, start, saved, asked } = await world(blobs);
    for (const blob of blobs) chain.confirm(blob, FIRST);
    const stop = new AbortController();
    const { reports } = await start(undefined, { signal: stop.signal, parallel: 1 });
    const cut = async () => {
      for await (const { blob } of reports) {
        if (blob.daIndex === 0) continue;
        stop.abort(new Error('power cut')); // after the verdict was seen, before it was kept
      }
    };
    await assert.rejects(cut(), /power cut/);
    const kept = parseCheckpoint(saved.at(-1) ?? '', BLST);
    assert.equal(kept.next.daIndex, 0);
    assert.equal(kept.next.leafIndex, 1);
    const [draw] = kept.samples;
    assert.ok(draw !== undefined && draw.answered.length < draw.drawn);
    const rowsAsked = () =>
      new Set(
        asked
          .filter((url) => url.includes(toHex(large.commitment)))
          .flatMap((url) => new URL(url).searchParams.get('index')?.split(',') ?? []),
      );
    const before = rowsAsked();
    const again = await start(kept);
    assert.deepEqual(await all(again.reports), ['1 available', '2 available']);
    assert.deepEqual(rowsAsked(), before, 'nothing was drawn anew');
    assert.deepEqual(parseCheckpoint(saved.at(-1) ?? '', BLST).samples, []);
  });

  it('waits for an endpoint that is away', async () => {
    const blob = await honestBlob(100, LAYOUT);
    const { chain, start } = await world([blob]);
    chain.confirm(blob, FIRST);
    chain.outages = 3;
    const waits: unknown[] = [];
    const { reports } = await start(undefined, { onWait: (error) => waits.push(error) });
    assert.deepEqual(await all(reports), ['0 available']);
    assert.equal(waits.length, 3);
  });
});

describe('a checkpoint', () => {
  it('is refused where a field is not what was stored', async () => {
    const trust = startTrust({
      network: NETWORK,
      header: FIRST.header,
      snapshot: FIRST.committee.snapshot,
    });
    const text = formatCheckpoint({ trust, next: START, samples: [] });
    const back = parseCheckpoint(text, BLST);
    assert.ok(equalBytes(headOf(back.trust).committee.office.seed, FIRST.header.seed));
    const file = JSON.parse(text) as Record<string, unknown>;
    for (const change of [
      { version: 2 },
      { trust: 'none' },
      { trust: '0x00' },
      { next: null },
      { next: { daIndex: -1, leafIndex: 0, block: 0 } },
      { samples: {} },
      { samples: [{}] },
    ]) {
      assert.throws(() => parseCheckpoint(JSON.stringify({ ...file, ...change }), BLST), Fault);
    }
    assert.throws(() => parseCheckpoint('no JSON', BLST), Fault);
  });
});
