import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import {
  type Domain,
  encodeBlobHeader,
  leafHash,
  STATEMENT_KINDS,
  treeRoot,
  verifyVote,
} from '@cairn/attestation';
import { chainIdOf, parseAddress } from '@cairn/primitives';
import type { BatchVote } from '@cairn/wire-protocol/da';
import type { OtherPlaces, SignerPlace } from '../../src/signer/places.ts';
import { ENTRANCE } from '../signer/headers.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import {
  backend,
  EPOCH,
  MemoryChain,
  NETWORK,
  SIGNER_NETWORK,
  type TestBlob,
  World,
} from '../signer/world.ts';

const SHARD = 8;
const AWAY = 9;
const ELSEWHERE: Domain = {
  chainId: chainIdOf(31_338),
  address: parseAddress(`0x${'db'.repeat(20)}`),
};

/** A shard's chain that can be made to answer nothing at all. */
class SilentChain extends MemoryChain {
  isSilent = false;

  override async committee(
    ...args: Parameters<MemoryChain['committee']>
  ): ReturnType<MemoryChain['committee']> {
    if (this.isSilent) return new Promise(() => undefined);
    return super.committee(...args);
  }

  override async finalSeconds(): Promise<number> {
    if (this.isSilent) throw new Error('the endpoint of the shard is away');
    return super.finalSeconds();
  }
}

describe('a signer of two shards', () => {
  let home: World;
  /** The same epochs and committees, and another entrance with payers and orders of its own. */
  let shard: SilentChain;
  let signer: RunningSigner;

  beforeEach(async () => {
    home = new World(4);
    shard = new SilentChain();
    for (const [epoch, header] of home.chain.headers) shard.headers.set(epoch, header);
    for (const [name, members] of home.chain.committees) shard.committees.set(name, members);
    const place: SignerPlace = {
      chain: shard,
      network: { ...SIGNER_NETWORK, entrance: ELSEWHERE, shardId: SHARD },
    };
    const others: OtherPlaces = {
      of: (shardId) => (shardId === SHARD ? place : shardId === AWAY ? 'away' : undefined),
      all: () => [place],
    };
    signer = await RunningSigner.start(home, 0, {}, others);
  });
  afterEach(() => signer.remove());

  /** A blob that is submitted on the shard, at an index of it. */
  const onShard = async (submissionIndex: bigint): Promise<TestBlob> => {
    const kept = home.chain.submissions.get(submissionIndex);
    const blob = await home.submitted({ fields: { shardId: SHARD, submissionIndex } });
    if (kept === undefined) home.chain.submissions.delete(submissionIndex);
    else home.chain.submissions.set(submissionIndex, kept);
    const { header, quorumId } = blob;
    shard.submissions.set(submissionIndex, { header, epoch: EPOCH, quorumId, isFinal: true });
    return blob;
  };
  const promisedOnShard = (slot: number, entrance = ELSEWHERE): Promise<TestBlob> =>
    home.promised({ slot, entrance, fields: { shardId: SHARD } });
  const offer = async (blob: TestBlob): Promise<string | undefined> =>
    (await signer.put(await home.delivery(0, blob))).code;
  const codeOf = async (...blobs: readonly TestBlob[]): Promise<string | undefined> =>
    (await signer.vote(blobs)).code;
  const check = (vote: BatchVote | undefined, blob: TestBlob, domain: Domain): void => {
    ok(vote !== undefined);
    const root = treeRoot([leafHash(encodeBlobHeader(blob.header))]);
    const { kind, epoch, quorumId, count, signature } = vote;
    const statement = { kind, domain, epoch, quorumId, count, root };
    const committee = home.committee(quorumId);
    const signed = backend.parseSignature(signature);
    verifyVote(
      { memberIndex: 0, signature: signed },
      { network: NETWORK, statement, committee },
      backend,
    );
  };

  it('keeps blobs with the same index on both, and signs each in the name of its own', async () => {
    const here = await home.submitted();
    const there = await onShard(here.header.submissionIndex);
    await signer.deliver(here, there);
    equal(signer.signer.status().heldBlobs, 2);
    const votes = [(await signer.vote([here])).vote, (await signer.vote([there])).vote] as const;
    check(votes[0], here, ENTRANCE);
    check(votes[1], there, ELSEWHERE);
    throws(() => check(votes[0], here, ELSEWHERE), { code: 'SIGNATURE_WRONG' });
    throws(() => check(votes[1], there, ENTRANCE), { code: 'SIGNATURE_WRONG' });
    const [other] = signer.signer.status().others;
    deepEqual(other, { shardId: SHARD, chainId: 31_338, entrance: ELSEWHERE.address });
  });

  it('refuses a batch of both, blobs of a shard that it does not serve, and says which are only away', async () => {
    const here = await home.submitted();
    const there = await onShard(2n);
    await signer.deliver(here, there);
    equal(await codeOf(here, there), 'BLOB_MISPLACED');
    equal(await codeOf(there, here), 'BLOB_MISPLACED');
    for (const [shardId, code] of [
      [77, 'BLOB_MISPLACED'],
      [AWAY, 'SHARD_AWAY'],
    ] as const) {
      const blob = await home.submitted({ fields: { shardId } });
      const slice = await home.slice(blob, home.rowsFor(0, blob));
      equal((await signer.put(await home.delivery(0, blob, { slice }))).code, code);
      equal(await codeOf(blob), code);
    }
    equal(signer.signer.protection.slots, 0);
  });

  it('believes each chain about its own blobs only', async () => {
    const here = await home.submitted();
    const moved = { ...here, header: { ...here.header, shardId: SHARD } };
    equal(await offer(moved), 'BLOB_UNKNOWN', 'ordered on the hub, and not there');
    shard.headers.clear(); // what a mirror without the epoch leaves the entrance with: no prices
    equal(await offer(await promisedOnShard(1)), 'EPOCH_UNKNOWN');
  });

  it('covers promises of a shard by the deposit there, and takes none that was made to another entrance', async () => {
    const here = await home.promised({ slot: 1 });
    const there = await promisedOnShard(1);
    equal(await offer(there), 'PROMISE_UNCOVERED');
    shard.deposits.set(home.payer.address, 5n * home.feeOf(there));
    await signer.deliver(here, there);
    equal(await offer(await promisedOnShard(2)), 'PROMISE_UNCOVERED');
    equal(await offer(await promisedOnShard(3, ENTRANCE)), 'PROMISE_NOT_SIGNED');
    const { vote } = await signer.vote([there], { kind: STATEMENT_KINDS.promisedBatch });
    check(vote, there, ELSEWHERE);
  });

  it('signs nothing else for a place of the shard after a restart, and the same place of the other', async () => {
    const there = await onShard(1n);
    await signer.deliver(there);
    equal(await codeOf(there), undefined);
    await signer.restart();
    equal(signer.signer.status().heldBlobs, 1);
    equal(await offer(await onShard(1n)), 'SLOT_SIGNED');
    const here = await home.submitted({ fields: { submissionIndex: 1n } });
    await signer.deliver(here);
    equal(await codeOf(here), undefined);
  });

  it('votes and tidies up for one while the chain of the other hangs', async () => {
    const here = await home.submitted();
    const unpaid = await home.promised();
    const there = await onShard(5n);
    await signer.deliver(here, unpaid, there);
    shard.isSilent = true;
    const hanging = Array.from({ length: 8 }, () => signer.vote([there]).catch(() => undefined));
    equal(await codeOf(here), undefined);
    const late = home.office().endSeconds + SIGNER_NETWORK.graceSeconds + 1;
    home.clock.seconds = late;
    home.chain.finalAt = late;
    const stop = new AbortController();
    const tidying = signer.signer.run(stop.signal).catch(() => undefined);
    while (signer.signer.status().heldBlobs > 2) await new Promise((next) => setTimeout(next, 5));
    stop.abort();
    await tidying;
    await signer.stop();
    await Promise.all(hanging);
    await signer.open();
    equal(signer.signer.status().heldBlobs, 2);
  });
});
