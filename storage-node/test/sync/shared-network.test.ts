import { deepEqual, equal, rejects } from 'node:assert/strict';
import {
  chainIdOf,
  isFault,
  type PeerHandler,
  type PeerNetwork,
  parseAddress,
  rootOf,
  sequenceOf,
} from '@cairn/primitives';
import {
  encodePeerRecord,
  encodeRecords,
  encodeSegmentQuestion,
  encodeSignedRecord,
  type PeerLog,
  RECORDS_PROTOCOL,
  SEGMENTS_PROTOCOL,
} from '@cairn/wire-protocol/peers';
import { SharedNetwork } from '../../src/sync/shared-network.ts';

const SELF = '12D3KooWEjVdmtKHk6TYGVtjdCQSp6ubPkhcW6A2v5zVHWuSXyWL';
const OTHER = '12D3KooWLTG3F4KQUvcHCYMkgYgMjMPxEwDhbBFh8RLYPLB5mGQG';
const flow = parseAddress(`0x${'f1'.repeat(20)}`);
const [one, two, three] = [1, 2, 3].map((id): PeerLog => ({ chainId: chainIdOf(id), flow })) as [
  PeerLog,
  PeerLog,
  PeerLog,
];
const quota = { quota: { burstItems: 9, itemsPerSecond: 9 } };
const signal = new AbortController().signal;

/** A network of one peer, which keeps what it is told. */
class OnePeer implements PeerNetwork {
  readonly self = SELF;
  readonly addresses = [`/ip4/127.0.0.1/tcp/4001/p2p/${SELF}`];
  readonly handlers = new Map<string, PeerHandler>();
  readonly dropped: [string, number][] = [];
  stops = 0;
  peers = (): readonly string[] => [OTHER];
  dialled = (): readonly string[] => [OTHER];
  connect = async (): Promise<string> => OTHER;
  drop = async (peer: string, durationMs: number): Promise<void> => {
    this.dropped.push([peer, durationMs]);
  };
  discover = async (): Promise<readonly string[]> => [];
  handle: PeerNetwork['handle'] = async ({ id }, _, handler) => {
    if (this.handlers.has(id)) throw new Error(`${id} is answered already`);
    this.handlers.set(id, handler);
  };
  request = async (): Promise<Uint8Array> => new Uint8Array();
  subscribe = (): void => undefined;
  publish = async (): Promise<void> => undefined;
  sign = async (): Promise<Uint8Array> => new Uint8Array(64);
  verify = async (): Promise<boolean> => true;
  stop = async (): Promise<void> => {
    this.stops += 1;
  };

  async ask(id: string, request: Uint8Array): Promise<number | undefined> {
    return (await this.handlers.get(id)?.(request, { peer: OTHER, signal }))?.[0];
  }
}

function recordOf(log: PeerLog): Uint8Array {
  const facts = { peer: OTHER, shard: { id: 0, count: 1 }, url: undefined, addresses: [] };
  const body = encodePeerRecord({ ...log, ...facts, signedAtMs: 1 });
  return encodeRecords([encodeSignedRecord(body, new Uint8Array(64))]);
}

describe('one network for several chains', () => {
  let network: OnePeer;
  let shared: SharedNetwork;
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 0;
    network = new OnePeer();
    shared = new SharedNetwork({ network, clock: { monotonic: () => nowMs } });
  });

  it('takes what peers ask to the chain that it is about', async () => {
    for (const log of [one, two]) {
      const view = shared.viewFor(log);
      const answer: PeerHandler = async () => Uint8Array.of(log.chainId);
      await view.handle(RECORDS_PROTOCOL, quota, answer);
      await view.handle(SEGMENTS_PROTOCOL, quota, answer);
    }
    const question = (log: PeerLog): Uint8Array =>
      encodeSegmentQuestion({
        ...log,
        sequence: sequenceOf(0),
        root: rootOf(new Uint8Array(32)),
        indexes: [0],
      });
    for (const log of [one, two]) {
      equal(await network.ask(RECORDS_PROTOCOL.id, recordOf(log)), log.chainId);
      equal(await network.ask(SEGMENTS_PROTOCOL.id, question(log)), log.chainId);
    }
    // What is of no chain here, or nothing at all, is judged by one of them, as by a node with one chain.
    equal(await network.ask(RECORDS_PROTOCOL.id, recordOf(three)), 1);
    equal(await network.ask(SEGMENTS_PROTOCOL.id, Uint8Array.of(1, 2, 3)), 1);
  });

  it('leaves a peer to the other chains until none has a use for it', async () => {
    const [first, second] = [shared.viewFor(one), shared.viewFor(two)];
    await first.drop(OTHER, 1000);
    deepEqual(network.dropped, []);
    deepEqual([first.peers(), second.peers()], [[], [OTHER]]);
    deepEqual([first.dialled(), second.dialled()], [[], [OTHER]]);
    await rejects(first.connect('', { signal }), (error) => isFault(error, 'PEER_LEFT'));
    equal(await second.connect('', { signal }), OTHER);
    await second.drop(OTHER, 500);
    deepEqual(network.dropped, [[OTHER, 500]]);
    nowMs = 1000;
    deepEqual([first.peers(), second.peers()], [[OTHER], [OTHER]], 'it may come back');
  });

  it('is stopped by its owner alone', async () => {
    await shared.viewFor(one).stop();
    equal(network.stops, 0);
  });
});
