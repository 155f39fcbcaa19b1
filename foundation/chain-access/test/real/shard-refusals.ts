import assert from 'node:assert/strict';
import {
  type BlobHeader,
  type Checkpoint,
  type Evidence,
  encodeBlobHeader,
  encodeCheckpoint,
  findEquivocation,
  leafHash,
  STATEMENT_KINDS,
  type Statement,
  signStatement,
  verifySignedLeaf,
} from '@cairn/attestation';
import { keccak256, utf8Bytes } from '@cairn/primitives';
import { readStake } from '../../src/da/hub-facts.ts';
import { refusalOf } from '../../src/da/send-call.ts';
import { submitEvidence } from '../../src/da/slasher-calls.ts';
import { acceptEpoch, acceptHubCheckpoint } from '../../src/shards/mirror-calls.ts';
import { submitBundle } from '../../src/shards/ordering-calls.ts';
import { readHead, readOrder } from '../../src/shards/ordering-facts.ts';
import { newestFinalCheckpoint } from '../../src/shards/read-checkpoint.ts';
import { testSignal } from '../anvil.ts';
import { BLS, type TestSigner } from '../da-network.ts';
import { placeIn, SHARD_CHAIN, type ShardNetwork } from '../shard-network.ts';

const options = () => ({ signal: testSignal() });
/** Longer than the network's committees are believed after their epoch: 30 minutes. */
const LATE_SECONDS = 2 * 3600;

/** What two chains refuse from committees of the past and from who signs twice: the last tests of a network. */
export function refusalsOfTwoChains(given: () => ShardNetwork): void {
  const refusal = async (call: Promise<unknown>): Promise<string | undefined> =>
    call.then(
      () => 'nothing: it was taken',
      (error: unknown) => refusalOf(error),
    );

  it('tell the mirror nothing that a relayer made up about the order', async () => {
    const { mirrorCaller, ordering, hub } = given();
    const epoch = await currentEpoch(given());
    const { shard } = await given().placeOf(0);
    const newest = await newestFinalCheckpoint(shard, hub.anvil.client, options());
    while ((await readHead(ordering, 0, options())).number < newest) {
      await given().order([await given().nextCheckpoint(0)], epoch);
    }
    await hub.mine(12);
    await given().keepTime();
    const items = [await given().nextCheckpoint(1), await given().nextCheckpoint(0)];
    const [ofShard, ofHub] = items;
    assert.ok(ofShard !== undefined && ofHub !== undefined);
    const bundle = await given().signBundle(items, epoch);
    const right = { checkpoint: ofHub, epoch, ...placeIn(items, 1) };
    const cases = [
      ['BadSignature', { ...right, checkpoint: { ...ofHub, logRoot: ofHub.blockHash } }],
      ['NotHubCheckpoint', { ...right, checkpoint: ofShard, ...placeIn(items, 0) }],
      ['BadSignature', { ...right, index: 0 }],
      ['BadPath', { ...right, index: 2 }],
      ['EpochClosed', { ...right, epoch: epoch + 1 }],
    ] as const;
    for (const [name, told] of cases) {
      const call = acceptHubCheckpoint(mirrorCaller, told, bundle, BLS, options());
      assert.equal(await refusal(call), name);
    }
  });

  it('order nothing for a committee whose time is over, and hand nothing over on its word', async () => {
    const { hub, ordering, mirrorCaller, anvil } = given();
    const old = await currentEpoch(given());
    const epoch = await hub.turn();
    await hub.mine(62); // past the time of grace of the one before
    const next = await given().nextCheckpoint(1);
    const { count } = await readOrder(ordering, options());
    const caller = { ordering, sender: hub.payer };
    const late = await given().signBundle([next], old);
    assert.equal(await refusal(submitBundle(caller, late, BLS, options())), 'EpochClosed');
    const fresh = await given().signBundle([next], epoch);
    const replayed = [
      ['UnknownSnapshot', { ...late, epoch }],
      ['BadSignature', { ...fresh, signature: late.signature }],
    ] as const;
    for (const [name, bundle] of replayed) {
      assert.equal(await refusal(submitBundle(caller, bundle, BLS, options())), name);
    }
    await submitBundle(caller, fresh, BLS, options());
    assert.equal((await readOrder(ordering, options())).count, count + 1);

    const { handed, signed } = await given().signHandover(epoch);
    const now = await anvil.client.getBlock('latest', options());
    await anvil.rpc('evm_setNextBlockTimestamp', (now?.timestamp ?? 0) + LATE_SECONDS);
    await anvil.mine();
    const handover = acceptEpoch(mirrorCaller, handed, signed, BLS, options());
    assert.equal(await refusal(handover), 'TrustExpired');
  });

  it('take all stake on the hub of who signed two checkpoints or two blobs for one place of the shard', async () => {
    const { hub, ordering, entrance } = given();
    const epoch = await currentEpoch(given());
    const { slasher } = hub.deployment.contracts;
    const [, , one, other] = hub.signers;
    assert.ok(one !== undefined && other !== undefined);
    const bringing = (evidence: Evidence, sender = hub.payer) =>
      submitEvidence({ hub: hub.hub, slasher, sender }, evidence, options());
    const place = { epoch, quorumId: 0, count: 1 };
    const vote = (
      { key }: TestSigner,
      about: Pick<Statement, 'kind' | 'domain'>,
      body: Uint8Array,
    ) => {
      const statement = { ...place, ...about };
      const { network } = hub.hub;
      const signature = signStatement(key, network, { ...statement, root: leafHash(body) });
      const { publicKey } = key;
      const leaf = { publicKey, statement, body, leafIndex: 0, path: [], signature };
      return verifySignedLeaf(leaf, network, BLS);
    };

    const about = { kind: STATEMENT_KINDS.checkpoints, domain: ordering.domain };
    const next = await given().nextCheckpoint(1);
    const forked: Checkpoint = { ...next, blockHash: keccak256(utf8Bytes('another branch')) };
    const votes = [next, forked].map((each) => vote(one, about, encodeCheckpoint(each)));
    await bringing(found(votes));
    // The same number of another shard is another place.
    const elsewhere = vote(other, about, encodeCheckpoint({ ...forked, shardId: 0 }));
    const here = vote(other, about, encodeCheckpoint(next));
    assert.equal(findEquivocation(here, elsewhere, BLS), undefined);

    const batch = { kind: STATEMENT_KINDS.batch, domain: entrance.domain };
    assert.equal(entrance.domain.chainId, SHARD_CHAIN);
    const headerOf = (name: string): BlobHeader => ({
      ...{ suite: 0, log2K: 6, cosets: 3, rowSizeBytes: 64, sizeBytes: 1000 },
      commitment: keccak256(utf8Bytes(name)),
      submitter: one.address,
      shardId: entrance.settings.shardId,
      submissionIndex: 7n,
      expirySeconds: 2_000_000_000,
    });
    const blobs = ['a', 'b'].map((name) => vote(other, batch, encodeBlobHeader(headerOf(name))));
    const evidence = found(blobs);
    await bringing(evidence);
    const { sender } = await hub.guest('who brings it a second time');
    assert.equal(await refusal(bringing(evidence, sender)), 'AlreadySlashed');
    for (const { address } of [one, other]) {
      const stake = await readStake(hub.hub, address, options());
      assert.equal(stake.bondedWei + stake.unbondingWei, 0n);
      assert.equal(stake.jailedUntilEpoch, Number.POSITIVE_INFINITY);
    }
    const [first] = hub.signers;
    assert.ok(first !== undefined);
    assert.ok((await readStake(hub.hub, first.address, options())).bondedWei > 0n);
  });
}

function found([first, second]: readonly ReturnType<typeof verifySignedLeaf>[]): Evidence {
  assert.ok(first !== undefined && second !== undefined);
  return findEquivocation(first, second, BLS) ?? assert.fail('no evidence');
}

async function currentEpoch({ ordering }: ShardNetwork): Promise<number> {
  return (await ordering.hub.sortition.read('currentEpoch', [], options())).number(0);
}
