import assert from 'node:assert/strict';
import {
  type BlobHeader,
  type Checkpoint,
  type EpochHeader,
  type Evidence,
  encodeBlobHeader,
  encodeCheckpoint,
  encodeEpochHeader,
  findEquivocation,
  keyToStorageWords,
  leafHash,
  promisedIndex,
  STATEMENT_KINDS,
  type StatementKind,
  signStatement,
  treePath,
  treeRoot,
  verifySignedLeaf,
} from '@cairn/attestation';
import { keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import { readStake } from '../../src/da/hub-facts.ts';
import { refusalOf } from '../../src/da/send-call.ts';
import { submitEvidence } from '../../src/da/slasher-calls.ts';
import type { TransactionSender } from '../../src/send/transaction-sender.ts';
import { Anvil, hasAnvil, testSignal } from '../anvil.ts';
import { BLS, COIN, DaNetwork, SIGNER_COINS, type TestSigner } from '../da-network.ts';

describe('evidence against signers', () => {
  let anvil: Anvil;
  let network: DaNetwork;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil);
  });
  after(async () => anvil?.stop());

  const options = () => ({ signal: testSignal() });
  const signerAt = (index: number): TestSigner => network.signers[index] ?? assert.fail();

  function bringing(evidence: Evidence, sender: TransactionSender = network.payer) {
    const { slasher } = network.deployment.contracts;
    return submitEvidence({ hub: network.hub, slasher, sender }, evidence, options());
  }

  async function refusalTo(evidence: Evidence, sender?: TransactionSender) {
    const error = await bringing(evidence, sender).catch((reason: unknown) => reason);
    return refusalOf(error);
  }

  async function bondedCoins({ address }: TestSigner): Promise<bigint> {
    const { bondedWei } = await readStake(network.hub, address, options());
    return bondedWei / COIN;
  }

  function headerOf(index: bigint, name: string): BlobHeader {
    return {
      suite: 0,
      log2K: 6,
      cosets: 3,
      rowSizeBytes: 64,
      sizeBytes: 1000,
      commitment: keccak256(utf8Bytes(name)),
      submitter: signerAt(3).address,
      shardId: network.entrance.settings.shardId,
      submissionIndex: index,
      expirySeconds: 2_000_000_000,
    };
  }

  /** What a signer signs of a batch, of whose headers the last is looked at. */
  function votedFor(
    { key }: TestSigner,
    headers: readonly BlobHeader[],
    { kind, epoch }: { readonly kind: StatementKind; readonly epoch: number },
    domain = network.entrance.domain,
  ) {
    const bodies = headers.map(encodeBlobHeader);
    const leaves = bodies.map(leafHash);
    const { network: ours } = network.hub;
    const count = leaves.length;
    const statement = { kind, domain, epoch, quorumId: 0, count };
    const signature = signStatement(key, ours, { ...statement, root: treeRoot(leaves) });
    const leafIndex = count - 1;
    const path = treePath(leaves, leafIndex);
    const body = bodies[leafIndex] ?? assert.fail();
    const { publicKey } = key;
    const leaf = { publicKey, statement, body, leafIndex, path, signature };
    return verifySignedLeaf(leaf, ours, BLS);
  }

  /** What a signer signs of a bundle of one checkpoint. */
  function checkpointSigned({ key }: TestSigner, epoch: number, change: Partial<Checkpoint>) {
    const { network: ours } = network.hub;
    const zeros = new Uint8Array(32);
    const roots = { previous: zeros, flowRoot: zeros, logRoot: zeros, daRoot: zeros };
    const counts = { flowLength: 1, logCount: 0, daCount: 0, blockNumber: 70 };
    const about = { shardId: 1, number: 7, blockHash: zeros, timeSeconds: 1_900_000_000 };
    const body = encodeCheckpoint({ ...roots, ...counts, ...about, ...change });
    const address = network.deployment.contracts.orderingHub;
    const domain = { chainId: ours.hubChainId, address };
    const statement = { kind: STATEMENT_KINDS.checkpoints, domain, epoch, quorumId: 0, count: 1 };
    const signature = signStatement(key, ours, { ...statement, root: leafHash(body) });
    const { publicKey } = key;
    return verifySignedLeaf(
      { publicKey, statement, body, leafIndex: 0, path: [], signature },
      ours,
      BLS,
    );
  }

  function handedOver({ key }: TestSigner, header: EpochHeader) {
    const { network: ours } = network.hub;
    const domain = { chainId: ours.hubChainId, address: ours.hub };
    const body = encodeEpochHeader(header);
    const place = { domain, epoch: header.epoch - 1, quorumId: 0, count: 1 };
    const statement = { kind: STATEMENT_KINDS.handover, ...place };
    const signature = signStatement(key, ours, { ...statement, root: keccak256(body) });
    const { publicKey } = key;
    const leaf = { publicKey, statement, body, leafIndex: 0, path: [], signature };
    return verifySignedLeaf(leaf, ours, BLS);
  }

  it('takes all stake of who signed two blobs for one place in two epochs, once', async () => {
    const guilty = signerAt(0);
    const batch = STATEMENT_KINDS.batch;
    const others = [headerOf(8n, 'c'), headerOf(9n, 'd')];
    const first = votedFor(guilty, [...others, headerOf(7n, 'a')], { kind: batch, epoch: 3 });
    const second = votedFor(guilty, [headerOf(7n, 'b')], { kind: batch, epoch: 4 });
    const evidence = findEquivocation(first, second, BLS) ?? assert.fail('no evidence');
    await bringing(evidence);
    const stake = await readStake(network.hub, guilty.address, options());
    assert.equal(stake.bondedWei + stake.unbondingWei, 0n);
    assert.equal(stake.jailedUntilEpoch, Number.POSITIVE_INFINITY);
    const again = signerAt(3).sender;
    assert.equal(await refusalTo(evidence, again), 'AlreadySlashed');
    const turned = findEquivocation(second, first, BLS) ?? assert.fail('no evidence');
    assert.equal(await refusalTo(turned, again), 'AlreadySlashed');
  });

  it('convicts of a promised slot, in batches of whatever kind', async () => {
    const guilty = signerAt(1);
    const index = promisedIndex({ epoch: 3, slot: 2 });
    const place = { kind: STATEMENT_KINDS.promisedBatch, epoch: 3 };
    const first = votedFor(guilty, [headerOf(index, 'a')], place);
    const wrongKind = { ...place, kind: STATEMENT_KINDS.batch };
    const second = votedFor(guilty, [headerOf(index, 'b')], wrongKind);
    await bringing(findEquivocation(first, second, BLS) ?? assert.fail('no evidence'));
    assert.equal(await bondedCoins(guilty), 0n);
  });

  it('convicts of two checkpoints of one number, for the hub that orders them', async () => {
    const guilty = signerAt(1);
    const first = checkpointSigned(guilty, 3, { daCount: 1 });
    const second = checkpointSigned(guilty, 9, { daCount: 2 });
    const evidence = findEquivocation(first, second, BLS) ?? assert.fail('no evidence');
    assert.equal(evidence.call, 'slashCheckpoint');
    await bringing(evidence);
    assert.equal(await refusalTo(evidence, signerAt(3).sender), 'AlreadySlashed');
    const other = checkpointSigned(guilty, 9, { daCount: 2, number: 8 });
    assert.equal(findEquivocation(first, other, BLS), undefined);
  });

  it("counts for entrances of the network's shards only", async () => {
    const guilty = signerAt(2);
    const place = { kind: STATEMENT_KINDS.batch, epoch: 3 };
    const elsewhere = { ...network.entrance.domain, address: guilty.address };
    const [one, two] = ['a', 'b'].map((name) =>
      votedFor(guilty, [headerOf(3n, name)], place, elsewhere),
    );
    assert.ok(one !== undefined && two !== undefined);
    const evidence = findEquivocation(one, two, BLS) ?? assert.fail('no evidence');
    assert.equal(await refusalTo(evidence), 'UnknownDomain');
    assert.equal(await bondedCoins(guilty), SIGNER_COINS[2]);
  });

  it('convicts of two headers for one epoch', async () => {
    const guilty = signerAt(2);
    const zero = new Uint8Array(32);
    const header: EpochHeader = {
      epoch: 5,
      previous: keccak256(utf8Bytes('previous')),
      startSeconds: 1_900_000_000,
      endSeconds: 1_900_000_060,
      seed: keccak256(utf8Bytes('seed')),
      orderRoot: zero,
      orderCount: 0,
      snapshotHashes: [keccak256(utf8Bytes('snapshot'))],
    };
    const other = { ...header, snapshotHashes: [zero, zero, zero] };
    const [first, second] = [handedOver(guilty, header), handedOver(guilty, other)];
    await bringing(findEquivocation(first, second, BLS) ?? assert.fail('no evidence'));
    assert.equal(await bondedCoins(guilty), 0n);
  });

  it('takes nothing from who signed one thing for each place', async () => {
    const innocent = signerAt(3);
    const place = { kind: STATEMENT_KINDS.batch, epoch: 3 };
    const first = votedFor(innocent, [headerOf(7n, 'a')], place);
    const repeated = votedFor(innocent, [headerOf(8n, 'c'), headerOf(7n, 'a')], place);
    const next = votedFor(innocent, [headerOf(8n, 'b')], { ...place, epoch: 4 });
    for (const second of [repeated, next]) {
      assert.equal(findEquivocation(first, second, BLS), undefined);
    }
    const forger = signerAt(2);
    const [one, two] = ['a', 'b'].map((name) => votedFor(forger, [headerOf(6n, name)], place));
    assert.ok(one !== undefined && two !== undefined);
    const evidence = findEquivocation(one, two, BLS) ?? assert.fail('no evidence');
    const key = keyToStorageWords(innocent.key.publicKey).map((word) => BigInt(toHex(word)));
    assert.equal(await refusalTo({ ...evidence, key }), 'BadEvidence');
    assert.equal(await bondedCoins(innocent), SIGNER_COINS[3]);
  });
});
