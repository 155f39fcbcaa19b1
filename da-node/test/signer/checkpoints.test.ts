import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Checkpoint,
  checkpointHash,
  encodeCheckpoint,
  STATEMENT_KINDS,
  treeRoot,
  verifyVote,
} from '@cairn/attestation';
import { type Clock, isFault, silentLogger, systemClock } from '@cairn/primitives';
import { ProtectionLog } from '../../src/signer/protection-log.ts';
import { CheckpointSigner } from '../../src/signer/shards/sign-checkpoints.ts';
import { ShardWatch } from '../../src/signer/shards/watch-shards.ts';
import { backend, committeeOf, signerAddress, signerKey } from '../dispersal/committee.ts';
import { MemoryShards, NETWORK, ORDERING_HUB } from './memory-shards.ts';

const { signal } = new AbortController();
const NOW_SECONDS = 1_800_000_000;
const EPOCH = 7;
const COMMITTEE = committeeOf(EPOCH, [8, 8, 4, 4], {
  startSeconds: NOW_SECONDS - 10,
  endSeconds: NOW_SECONDS + 50,
});
const ABOUT = {
  kind: STATEMENT_KINDS.checkpoints,
  domain: ORDERING_HUB,
  epoch: EPOCH,
  quorumId: 0,
};
const CLOCK: Clock = { ...systemClock(), now: () => NOW_SECONDS * 1000 };

const is =
  (code: string) =>
  (error: unknown): boolean =>
    isFault(error, code);

describe('signing checkpoints of shards', () => {
  let folder: string;
  let chains: MemoryShards;
  let protection: ProtectionLog;
  let watch: ShardWatch;
  let signer: CheckpointSigner;

  const open = async (mayCreate: boolean): Promise<void> => {
    protection = await ProtectionLog.open({
      path: join(folder, 'protection.log'),
      publicKey: signerKey(0).publicKey,
      mayCreate,
    });
    const shared = { chains, orderingHub: ORDERING_HUB, protection, clock: CLOCK };
    watch = new ShardWatch({ ...shared, logger: silentLogger() });
    signer = new CheckpointSigner({
      ...shared,
      watch,
      network: NETWORK,
      times: { epochSeconds: 60, graceSeconds: 60 },
      identity: { address: signerAddress(0), key: signerKey(0), backend },
      chain: {
        epochHeader: async (epoch) => (epoch === EPOCH ? COMMITTEE.snapshot.office : undefined),
        committee: async (epoch) => (epoch === EPOCH ? COMMITTEE : undefined),
      },
    });
  };
  const sign = (...checkpoints: readonly Checkpoint[]) =>
    signer.sign({ epoch: EPOCH, checkpoints }, { signal });
  const offered = (shardId: number): readonly Checkpoint[] =>
    watch.offers().filter((each) => each.shardId === shardId);
  const only = (shardId: number, number: number): Checkpoint => {
    const found = offered(shardId).find((each) => each.number === number);
    if (found === undefined) throw new Error(`checkpoint ${number} of ${shardId} is not offered`);
    return found;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-checkpoints-'));
    chains = new MemoryShards();
    chains.finals.set(0, 3).set(1, 5);
    await open(true);
  });
  afterEach(async () => {
    await protection.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('offers what comes after the ordered ones, each linked to the one before, 16 at most', async () => {
    await chains.orderNext(1, 2);
    await watch.look({ signal });
    deepEqual(
      offered(1).map(({ number }) => number),
      [3, 4, 5],
    );
    deepEqual(only(1, 3).previous, (await chains.head(1)).hash);
    deepEqual(only(1, 4).previous, checkpointHash(only(1, 3)));
    chains.finals.set(1, 100);
    await watch.look({ signal });
    equal(offered(1).length, 16);
  });

  it('begins a shard whose chain was long when it joined with its first number, once that is final', async () => {
    chains.firsts.set(1, 1000);
    chains.finals.set(1, 999);
    await watch.look({ signal });
    deepEqual(offered(1), []);
    chains.finals.set(1, 1001);
    await watch.look({ signal });
    deepEqual(
      offered(1).map(({ number }) => number),
      [1000, 1001],
    );
    const first = only(1, 1000);
    deepEqual(first.previous, new Uint8Array(32));
    const past = { ...(await chains.content(1, 999)), number: 999, previous: first.previous };
    await rejects(sign(past), is('CHECKPOINT_SEQUENCE'));
    await rejects(sign(only(1, 1001)), is('CHECKPOINT_SEQUENCE'));
    await rejects(sign({ ...first, previous: checkpointHash(past) }), is('CHECKPOINT_DIFFERS'));
    await sign(first, only(1, 1001));
    chains.order(1, checkpointHash(first));
    await watch.look({ signal });
    deepEqual(
      offered(1).map(({ number }) => number),
      [1001],
    );
  });

  it('goes on with other shards while one is away, and keeps what it knew of that', async () => {
    await watch.look({ signal });
    chains.away.add(1);
    chains.finals.set(0, 4);
    await watch.look({ signal });
    equal(offered(0).length, 4);
    equal(offered(1).length, 5);
  });

  it('signs a bundle over several shards under one root', async () => {
    await watch.look({ signal });
    const items = [only(1, 1), only(0, 1), only(1, 2)];
    const vote = await sign(...items);
    const statement = { ...ABOUT, count: 3, root: treeRoot(items.map(checkpointHash)) };
    const signature = backend.parseSignature(vote.signature);
    const context = { network: NETWORK, statement, committee: COMMITTEE };
    verifyVote({ memberIndex: 0, signature }, context, backend);
    deepEqual(await sign(...items), vote, 'again and again');
  });

  it('refuses what its own node does not say, what is not final, and what leaves a gap', async () => {
    await watch.look({ signal });
    const lie = { ...only(1, 1), logCount: 9 };
    await rejects(sign(only(0, 1), lie), is('CHECKPOINT_DIFFERS'));
    await rejects(sign(only(1, 2)), is('CHECKPOINT_SEQUENCE'));
    await rejects(sign({ ...only(1, 1), shardId: 9 }), is('SHARD_UNKNOWN'));
    const upTo5 = [1, 2, 3, 4, 5].map((number) => only(1, number));
    const sixth = { ...only(1, 5), number: 6 };
    await rejects(sign(...upTo5, sixth), is('CHECKPOINT_NOT_FINAL'));
    equal(protection.slots, 0, 'a refused bundle takes no number');
    await rejects(
      signer.sign({ epoch: EPOCH + 1, checkpoints: [only(1, 1)] }, { signal }),
      is('EPOCH_UNKNOWN'),
    );
  });

  it('never signs two contents of one number, after a restart and in another epoch too', async () => {
    await watch.look({ signal });
    await sign(only(1, 1));
    const before = only(1, 1);
    await protection.close();
    chains.histories.set(1, 1); // its chain went back behind what was final
    await open(false);
    await watch.look({ signal });
    ok(only(1, 1).logRoot !== before.logRoot);
    await rejects(sign(only(1, 1)), is('SLOT_SIGNED'));
    const bodies = [encodeCheckpoint(only(1, 1))];
    await rejects(
      protection.protect({ ...ABOUT, epoch: 99 }, bodies, { signal }),
      is('SLOT_SIGNED'),
    );
    equal((await sign(before)).count, 1, 'what was signed is signed again');
  });

  it('stops a stream of which the hub ordered another content, and no other stream', async () => {
    await watch.look({ signal });
    await sign(only(1, 1));
    chains.order(1, new Uint8Array(32).fill(7));
    await watch.look({ signal });
    equal(offered(1).length, 0);
    equal(offered(0).length, 3);
  });

  it('forgets old numbers and still refuses them: the newest of each stream stays', async () => {
    await watch.look({ signal });
    await sign(only(1, 1), only(1, 2), only(0, 1));
    const first = only(1, 1);
    await protection.forget(EPOCH + 1, { signal });
    equal(protection.slots, 2);
    equal(protection.oldestEpoch, undefined, 'nothing more is to be forgotten');
    const later = { ...ABOUT, epoch: EPOCH + 1 };
    const other = encodeCheckpoint({ ...first, logCount: 9 });
    await rejects(protection.protect(later, [other], { signal }), is('STREAM_SIGNED'));
    const third = encodeCheckpoint(only(1, 3));
    await protection.protect(later, [third], { signal });
    await protection.close();
    await open(false);
    await rejects(protection.protect(later, [other], { signal }), is('STREAM_SIGNED'));
  });
});
