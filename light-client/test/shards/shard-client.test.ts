import assert from 'node:assert/strict';
import {
  type Checkpoint,
  checkpointHash,
  type Domain,
  encodeCertificate,
  encodeCheckpoint,
  leafHash,
  nobleBackend,
  STATEMENT_KINDS,
  treePath,
  treeRoot,
} from '@cairn/attestation';
import { bigEndianBytes, isFault, keccak256, parseAddress } from '@cairn/primitives';
import { startTrust } from '../../src/epochs/epoch-trust.ts';
import { ShardTrustError } from '../../src/errors.ts';
import { ShardClient } from '../../src/shards/shard-client.ts';
import {
  BLST,
  certificateOf,
  EPOCH_SECONDS,
  handoverOf,
  NETWORK,
  nextGroup,
  START_SECONDS,
  type TestGroup,
  testGroup,
} from '../support/committees.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const ORDERING_HUB: Domain = {
  chainId: NETWORK.hubChainId,
  address: parseAddress(`0x${'0d'.repeat(20)}`),
};
const TIMES = { graceSeconds: 600, trustingSeconds: 7200, maxDriftSeconds: 60 };
const FIRST = testGroup([3, 3, 2, 2]);

function checkpointOf(
  shardId: number,
  number: number,
  fields: Partial<Checkpoint> = {},
): Checkpoint {
  const root = (name: number): Uint8Array =>
    keccak256(bigEndianBytes(shardId, 4), bigEndianBytes(number, 8), bigEndianBytes(name, 4));
  return {
    shardId,
    number,
    previous: new Uint8Array(32),
    flowRoot: root(1),
    flowLength: 100,
    logRoot: root(2),
    logCount: shardId === 0 ? 0 : 5,
    daRoot: root(3),
    daCount: 1,
    blockNumber: 10 * number,
    blockHash: root(4),
    timeSeconds: START_SECONDS + number,
    ...fields,
  };
}

/** Checkpoints of a shard in a row. */
function streamOf(shardId: number, count: number): readonly Checkpoint[] {
  const stream: Checkpoint[] = [];
  for (let number = 1; number <= count; number += 1) {
    const before = stream.at(-1);
    const previous = before === undefined ? new Uint8Array(32) : checkpointHash(before);
    stream.push(checkpointOf(shardId, number, { previous }));
  }
  return stream;
}

/** Certificates of all checkpoints of a bundle. */
function bundleOf(
  group: TestGroup,
  checkpoints: readonly Checkpoint[],
  { absent = [] }: { readonly absent?: readonly number[] } = {},
): readonly { readonly certificate: Uint8Array }[] {
  const bodies = checkpoints.map(encodeCheckpoint);
  const statement = {
    kind: STATEMENT_KINDS.checkpoints,
    domain: ORDERING_HUB,
    epoch: group.header.epoch,
    quorumId: 0,
    count: bodies.length,
    root: treeRoot(bodies.map(leafHash)),
  };
  return bodies.map((_, leafIndex) => ({
    certificate: encodeCertificate(certificateOf(group, statement, bodies, { absent, leafIndex })),
  }));
}

function only<Item>([item]: readonly Item[]): Item {
  assert.ok(item !== undefined);
  return item;
}

const is =
  (code: string) =>
  (error: unknown): boolean =>
    isFault(error, code);

describe('a light client of shards', () => {
  const open = (clock: VirtualClock, backend: typeof BLST = BLST): ShardClient => {
    const { header, committee } = FIRST;
    const trust = startTrust({ network: NETWORK, header, snapshot: committee.snapshot });
    return new ShardClient({ clock, backend }, { orderingHub: ORDERING_HUB, ...TIMES }, trust);
  };
  const atStart = (): VirtualClock => new VirtualClock(START_SECONDS + 5);

  for (const [name, backend] of [
    ['blst', BLST],
    ['noble', nobleBackend()],
  ] as const) {
    it(`follows checkpoints of all shards over a handover, by ${name} alone`, () => {
      const clock = atStart();
      const client = open(clock, backend);
      const stream = streamOf(1, 3);
      const early = bundleOf(FIRST, [...stream.slice(0, 2), checkpointOf(2, 9)], { absent: [3] });
      for (const offer of early) client.acceptCheckpoint(offer);
      const leaves = [...stream.slice(0, 2), checkpointOf(2, 9)].map(checkpointHash);
      const order = { orderRoot: treeRoot(leaves), orderCount: 3 };
      const second = nextGroup(FIRST, [1, 1, 1, 1, 1], order);
      clock.advanceSeconds(EPOCH_SECONDS);
      client.acceptEpoch(handoverOf(FIRST, second));
      client.acceptCheckpoint(only(bundleOf(second, stream.slice(2))));
      assert.equal(client.head(1)?.checkpoint.number, 3);
      assert.equal(client.head(2)?.checkpoint.number, 9);
      const body = encodeCheckpoint(stream[1] ?? assert.fail());
      const ordered = { body, globalIndex: 1, path: treePath(leaves, 1) };
      assert.equal(client.verifyOrdered(ordered, 3).number, 2);
      const moved = { ...ordered, globalIndex: 2 };
      assert.throws(() => client.verifyOrdered(moved, 3), is('CONTENT_NOT_ORDERED'));
      assert.throws(() => client.verifyOrdered(ordered, 4), is('SHARD_ORDER_UNKNOWN'));
    });
  }

  it('learns the order between two epochs from a checkpoint of the hub', () => {
    const client = open(atStart());
    const leaves = streamOf(1, 4).map(checkpointHash);
    const hub = checkpointOf(0, 2, { logRoot: treeRoot(leaves), logCount: 4 });
    client.acceptCheckpoint(only(bundleOf(FIRST, [hub])));
    assert.equal(client.newestOrder?.count, 4);
  });

  it('refuses too few signatures, another network’s, and an epoch that was not followed', () => {
    const client = open(atStart());
    const { certificate } = only(bundleOf(FIRST, [checkpointOf(1, 1)]));
    const flipped = certificate.slice();
    const last = flipped.length - 150;
    flipped[last] = (flipped[last] ?? 0) ^ 1;
    assert.throws(() => client.acceptCheckpoint({ certificate: flipped }));
    const other = nextGroup(FIRST, [1, 1, 1]);
    const unknown = only(bundleOf(other, [checkpointOf(1, 1)]));
    assert.throws(() => client.acceptCheckpoint(unknown), is('TRUST_EPOCH_UNKNOWN'));
  });

  it('stops with both certificates where two contents of one number were signed', () => {
    const client = open(atStart());
    const first = only(bundleOf(FIRST, [checkpointOf(1, 4)]));
    const second = only(bundleOf(FIRST, [checkpointOf(1, 4, { logCount: 6 })]));
    client.acceptCheckpoint(first);
    client.acceptCheckpoint(first);
    assert.throws(
      () => client.acceptCheckpoint(second),
      (error) => {
        assert.ok(error instanceof ShardTrustError && error.facts.code === 'SHARD_CONFLICT');
        const { evidence } = error.facts;
        assert.deepEqual(evidence.first, first.certificate);
        assert.deepEqual(evidence.second, second.certificate);
        return true;
      },
    );
    const third = only(bundleOf(FIRST, [checkpointOf(2, 1)]));
    assert.throws(() => client.acceptCheckpoint(third), is('SHARD_STOPPED'));
    const next = nextGroup(FIRST, [1, 1, 1]);
    assert.throws(() => client.acceptEpoch(handoverOf(FIRST, next)), is('SHARD_STOPPED'));
  });

  it('stops where a checkpoint does not go on from the one before, in whatever order they come', () => {
    const stream = streamOf(1, 2);
    const stray = { ...(stream[1] ?? assert.fail()), previous: new Uint8Array(32).fill(9) };
    const offers = bundleOf(FIRST, [stream[0] ?? assert.fail(), stray]);
    for (const turn of [offers, [...offers].reverse()]) {
      const client = open(atStart());
      client.acceptCheckpoint(only(turn));
      assert.throws(() => client.acceptCheckpoint(turn[1] ?? assert.fail()), is('SHARD_CONFLICT'));
    }
  });

  it('stops where two peers bring different headers of one epoch', () => {
    const clock = atStart();
    clock.advanceSeconds(EPOCH_SECONDS);
    const client = open(clock);
    client.acceptEpoch(handoverOf(FIRST, nextGroup(FIRST, [1, 1, 1])));
    const other = handoverOf(FIRST, nextGroup(FIRST, [2, 1, 1]));
    assert.throws(() => client.acceptEpoch(other), is('TRUST_CONFLICT'));
    const offer = only(bundleOf(FIRST, [checkpointOf(1, 1)]));
    assert.throws(() => client.acceptCheckpoint(offer), is('TRUST_STOPPED'));
  });

  it('believes no committee after its time: neither a checkpoint nor, later, anything', () => {
    const clock = atStart();
    const client = open(clock);
    const offer = only(bundleOf(FIRST, [checkpointOf(1, 1)]));
    clock.advanceSeconds(EPOCH_SECONDS + TIMES.graceSeconds);
    assert.throws(() => client.acceptCheckpoint(offer), is('CERTIFICATE_TOO_OLD'));
    clock.advanceSeconds(TIMES.trustingSeconds);
    assert.throws(() => client.acceptCheckpoint(offer), is('TRUST_EXPIRED'));
    const body = encodeCheckpoint(checkpointOf(1, 1));
    const ordered = { body, globalIndex: 0, path: [] };
    assert.throws(() => client.verifyOrdered(ordered, 1), is('TRUST_EXPIRED'));
  });
});
