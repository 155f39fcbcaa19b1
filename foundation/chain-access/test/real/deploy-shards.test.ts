import assert from 'node:assert/strict';
import {
  type BlobHeader,
  type Checkpoint,
  checkpointHash,
  DA_LOG_TYPES,
  encodeBlobHeader,
  encodeCheckpoint,
  encodeDaLogLeaf,
  epochHeaderHash,
  leafHash,
  STATEMENT_KINDS,
  type Statement,
  sumVotes,
  treePath,
  treeRoot,
  type VerifiedAggregate,
  verifyBlobContent,
  verifyFileContent,
  verifyOrderedCheckpoint,
  verifyVotes,
} from '@cairn/attestation';
import { encodeRecord } from '@cairn/commitments';
import { epochMirrorAbi, flowAbi, orderingHubAbi, timelockAbi } from '@cairn/contracts';
import {
  chainIdOf,
  DEVNET_CONSENSUS,
  keccak256,
  memoryKeyValueStore,
  parseRoot,
  seededRng,
  sequenceOf,
  silentLogger,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { contentReferenceId } from '@cairn/wire-protocol';
import { snapshotArgument } from '../../src/da/abi-words.ts';
import { Contract } from '../../src/da/contract.ts';
import { certificateArguments, confirmBatch, submitBlobs } from '../../src/da/entrance-calls.ts';
import { EpochBook } from '../../src/da/epoch-book.ts';
import { openEntrance } from '../../src/da/open-entrance.ts';
import { refusalOf, sendCall } from '../../src/da/send-call.ts';
import { SignerBook } from '../../src/da/signer-book.ts';
import { deployGovernance } from '../../src/deploy/deploy-governance.ts';
import { deployJobBoard } from '../../src/deploy/deploy-job-board.ts';
import { deployShard, registerShard, type ShardDeployment } from '../../src/deploy/deploy-shard.ts';
import type { Deployment } from '../../src/deploy/deployment.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import { createTransactionSender } from '../../src/send/create-sender.ts';
import { anchorPlace } from '../../src/shards/anchor-place.ts';
import { askAboutBlob, askAboutFile } from '../../src/shards/content-facts.ts';
import { completeJob, jobBoardAt, postJob, readJob, takeJob } from '../../src/shards/job-board.ts';
import { inputsIdOf, readJobResult, readPostedJob } from '../../src/shards/job-feed.ts';
import { openOrdering } from '../../src/shards/open-ordering.ts';
import { checkpointArgument } from '../../src/shards/ordering-calls.ts';
import { readShard } from '../../src/shards/ordering-facts.ts';
import { proveContent } from '../../src/shards/prove-content.ts';
import { fileProofArgument, proveFile, readPlaces } from '../../src/shards/prove-file.ts';
import { ANVIL_KEYS, Anvil, FIRST_ACCOUNT, hasAnvil, oneSector, testSignal } from '../anvil.ts';
import { BLS, DaNetwork, paidBlob } from '../da-network.ts';

const SHARD_ID = 1;
const SHARD_CHAIN = chainIdOf(31_338);
const ZEROS = new Uint8Array(32);

describe('deploying a consensus shard', () => {
  let hubChain: Anvil;
  let chain: Anvil;
  let network: DaNetwork;
  let epochs: EpochBook;
  let orderingHub: Contract;
  let mirror: Contract;
  let log: Deployment;
  let shard: ShardDeployment;
  let epoch: number;
  /** The first checkpoint that was ordered. */
  let first: Checkpoint | undefined;

  const params = {
    consensus: DEVNET_CONSENSUS,
    genesisSalt: keccak256(utf8Bytes('a network for tests')),
  };
  const options = () => ({ signal: testSignal() });
  const deployer = signerFromKey(ANVIL_KEYS[1]);
  const onShard = () =>
    createTransactionSender({
      client: chain.client,
      signer: deployer,
      journal: memoryKeyValueStore(),
      chainId: SHARD_CHAIN,
      logger: silentLogger(),
      pollMs: 5,
    });

  before(async function () {
    if (!hasAnvil) this.skip();
    const flags = ['--gas-limit', '60000000'];
    [hubChain, chain] = await Promise.all([
      Anvil.start(...flags),
      Anvil.start(...flags, '--chain-id', `${SHARD_CHAIN}`),
    ]);
    // A second for each block, however long this machine takes over it.
    await chain.rpc('anvil_setBlockTimestampInterval', 1);
    network = await DaNetwork.start(hubChain);
    const { hub, deployment } = network;
    epochs = new EpochBook({ hub, signers: new SignerBook(hub), backend: BLS });
    const { contracts } = deployment;
    orderingHub = new Contract(hubChain.client, contracts.orderingHub, orderingHubAbi);
    epoch = await network.turn();
    await network.mine(2);
    await keepTime();
    log = await chain.deploy();
    const { chainId } = deployment;
    const { sortition } = contracts;
    shard = await deployShard(
      {
        client: chain.client,
        signer: deployer,
        pollMs: 5,
        params,
        hub: { chainId, sortition, orderingHub: orderingHub.address },
        shardId: SHARD_ID,
        anchor: await handed(epoch),
        directory: log.contracts.directory,
      },
      options(),
    );
    mirror = new Contract(chain.client, shard.contracts.epochMirror, epochMirrorAbi);
    const entry = { shardId: SHARD_ID, chainId: SHARD_CHAIN, flow: log.contracts.flow };
    const admin = signerFromKey(ANVIL_KEYS[0]);
    const place = { client: hubChain.client, signer: admin, pollMs: 5, params };
    await registerShard(
      { ...place, orderingHub: orderingHub.address, shard: { ...entry, ...shard.contracts } },
      options(),
    );
  });
  after(async () => {
    await Promise.all([hubChain?.stop(), chain?.stop()]);
  });

  /** The shard's clock catches up with the hub's. */
  async function keepTime(): Promise<void> {
    const [hub, own] = await Promise.all(
      [hubChain, chain].map(({ client }) => client.getBlock('latest', options())),
    );
    const next = Math.max(hub?.timestamp ?? 0, (own?.timestamp ?? 0) + 1);
    await chain.rpc('evm_setNextBlockTimestamp', next);
    await chain.mine();
  }

  async function handed(of: number) {
    const { header } = (await epochs.sealed(of, options())) ?? assert.fail(`epoch ${of}`);
    const { snapshot } = await epochs.committee({ epoch: of, quorumId: 0 }, options());
    return { header, snapshots: [snapshot] };
  }

  /** What the committee in office signs. */
  async function signed(statement: Statement): Promise<VerifiedAggregate> {
    const office = { epoch: statement.epoch, quorumId: statement.quorumId };
    const committee = await epochs.committee(office, options());
    const votes = committee.members.map(({ index, signer }) => {
      const voter = network.signers.find(({ address }) => address === signer) ?? assert.fail();
      return { memberIndex: index, signature: network.sign(voter, statement) };
    });
    const context = { network: network.hub.network, statement, committee };
    return sumVotes(verifyVotes(votes, context, BLS), committee, BLS);
  }

  function bundleOf(checkpoints: readonly Checkpoint[]): Statement {
    const domain = { chainId: network.hub.chainId, address: orderingHub.address };
    const root = treeRoot(checkpoints.map(checkpointHash));
    const kind = STATEMENT_KINDS.checkpoints;
    return { kind, domain, epoch, quorumId: 0, count: checkpoints.length, root };
  }

  /** Hands the epoch after the current one over, and enters it. */
  async function handOver(): Promise<void> {
    epoch = await network.turn();
    await network.mine(2);
    await keepTime();
    const { header, snapshots } = await handed(epoch);
    const { hubChainId, hub } = network.hub.network;
    const statement: Statement = {
      kind: STATEMENT_KINDS.handover,
      domain: { chainId: hubChainId, address: hub },
      epoch: epoch - 1,
      quorumId: 0,
      count: 1,
      root: epochHeaderHash(header),
    };
    const { previous, startSeconds, endSeconds, seed, orderRoot, orderCount } = header;
    const fields = [epoch, toHex(previous), startSeconds, endSeconds, toHex(seed)];
    const rest = [toHex(orderRoot), orderCount, header.snapshotHashes.map(toHex)];
    const certificate = certificateArguments(await signed(statement), BLS);
    const call = (seconds: number) => {
      const changed = fields.with(3, seconds);
      const args = [[...changed, ...rest], snapshots.map(snapshotArgument), ...certificate];
      return sendCall(onShard(), { contract: mirror, name: 'acceptEpoch', args }, options());
    };
    const forged = await call(endSeconds + 1).catch((error) => error);
    assert.equal(refusalOf(forged), 'BadSignature');
    await call(endSeconds);
    const again = await call(endSeconds).catch((error) => error);
    assert.equal(refusalOf(again), 'BadEpoch');
  }

  it('takes the epochs that the hub’s committees hand over, and no forged one', async () => {
    const current = (await mirror.read('currentEpoch', [], options())).number(0);
    assert.equal(current, epoch);
    await handOver();
    assert.equal((await mirror.read('headEpoch', [], options())).number(0), epoch);
    assert.equal((await mirror.read('currentEpoch', [], options())).number(0), epoch);
    const hash = (await mirror.read('headerHash', [], options())).bytes(0);
    assert.deepEqual(hash, epochHeaderHash((await handed(epoch)).header));
  });

  it('proves its files and blobs on the hub, on itself, and in a browser’s code', async () => {
    const file = oneSector(seededRng(7));
    await chain.submit(log.contracts.flow, [file]);
    const submittedAt = (await chain.client.getBlock('latest', options())) ?? assert.fail();
    const { header, batch } = await certifiedBlob();
    const content = await checkpointOfShard();
    await ordered(content);
    const root = (await orderingHub.read('orderRoot', [], options())).bytes('root');
    assert.deepEqual(root, checkpointHash(content));

    const record = {
      sequence: sequenceOf(0),
      fileRoot: file.nodes[0]?.root ?? assert.fail(),
      sizeBytes: file.sizeBytes,
      startSector: 1,
      sectors: 1,
      submitter: FIRST_ACCOUNT,
      timeSeconds: submittedAt.timestamp,
    };
    const order = { root, count: 1 };
    const placed = { body: encodeCheckpoint(content), globalIndex: 0, path: [] };
    const logged = { record, path: [], checkpoint: content, ordered: placed, order };
    const longer = { ...logged, record: { ...record, sizeBytes: 1 + file.sizeBytes } };
    const blob = {
      ...{ header: encodeBlobHeader(header), leafIndex: 0, batchPath: [] },
      log: { body: batch, index: 0, path: [] },
    };
    const foreign = { ...blob, header: encodeBlobHeader({ ...header, shardId: 2 }) };
    const asked = async (contract: Contract): Promise<void> => {
      const yes = { isProven: true };
      assert.deepEqual(await askAboutFile(contract, logged, options()), yes);
      const certified = { blob, ordered: placed, order };
      assert.deepEqual(await askAboutBlob(contract, certified, options()), yes);
      assert.deepEqual(await askAboutFile(contract, longer, options()), {
        isProven: false,
        refusal: 'NotLogged',
        reason: 'NotLogged(sequence: 0, logCount: 1)',
      });
      const elsewhere = { ...certified, blob: foreign };
      const no = await askAboutBlob(contract, elsewhere, options());
      assert.ok(!no.isProven && no.refusal === 'BlobOfAnotherShard');
    };
    await asked(orderingHub);
    await tellOrder(root);
    await asked(mirror);

    const proven = verifyOrderedCheckpoint(placed, order);
    const inBrowser = { record: encodeRecord(record), path: [] };
    assert.deepEqual(verifyFileContent(inBrowser, proven).fileRoot, record.fileRoot);
    const { header: office } = await handed(epoch);
    const found = verifyBlobContent(blob, proven, office);
    assert.deepEqual(found.header.commitment, header.commitment);
  });

  async function ordered(content: Checkpoint): Promise<void> {
    const bundle = [content];
    const certificate = certificateArguments(await signed(bundleOf(bundle)), BLS);
    const args = [bundle.map(checkpointArgument), epoch, ...certificate];
    const order = { contract: orderingHub, name: 'submitBundle', args };
    await sendCall(network.payer, order, options());
    first ??= content;
  }

  it('has proofs made of what chains tell, at the first checkpoint that has a file', async () => {
    const rng = seededRng(8);
    await chain.submit(log.contracts.flow, [oneSector(rng), oneSector(rng)]);
    const before = first ?? assert.fail();
    await ordered(await checkpointOfShard(2, checkpointHash(before)));
    await chain.submit(log.contracts.flow, [oneSector(rng)]);
    const ordering = (await openOrdering(network.hub, options())) ?? assert.fail();
    const shardFacts = await readShard(ordering, SHARD_ID, options());
    const deps = { ordering, shard: shardFacts, client: chain.client, backend: BLS };
    for (const [sequence, globalIndex] of [
      [0, 0],
      [1, 1],
      [2, 1],
    ] as const) {
      const proof = await proveFile(deps, sequence, options());
      assert.equal(proof.ordered.globalIndex, globalIndex);
      await orderingHub.read('requireFile', [fileProofArgument(proof)], options());
    }
    await assert.rejects(proveFile(deps, 3, options()), {
      code: 'SHARD_NOT_ORDERED',
      message: 'file 3 of shard 1 is not ordered yet: its newest checkpoint has 3 files',
    });
    const other = { ...deps, shard: { ...shardFacts, shardId: 9 } };
    await assert.rejects(proveFile(other, 0, options()), { code: 'SHARD_NOT_ORDERED' });
    const lying = { ...deps, shard: { ...shardFacts, flow: undefined } };
    await assert.rejects(proveFile(lying, 0, options()), { code: 'SHARD_BAD_PROOF' });
  });

  it('pays for a job over what is ordered, once its result is', async () => {
    const ordering = (await openOrdering(network.hub, options())) ?? assert.fail();
    const shardFacts = await readShard(ordering, SHARD_ID, options());
    const deps = { ordering, shard: shardFacts, client: chain.client, backend: BLS };
    const cite = async (sequence: number, part: { offset: number; length: number }) => {
      const proof = await proveFile(deps, sequence, options());
      const { sizeBytes, fileRoot } = proof.record;
      const { globalIndex } = proof.ordered;
      const place = { chainId: SHARD_CHAIN, globalIndex, root: parseRoot(toHex(fileRoot)) };
      return { content: { ...place, sizeBytes, ...part }, proof };
    };
    const address = await deployJobBoard(
      { client: hubChain.client, signer: deployer, pollMs: 5, orderingHub: orderingHub.address },
      options(),
    );
    const board = jobBoardAt(hubChain.client, address);
    const caller = { board, sender: network.payer };
    const dataset = await cite(0, { offset: 0, length: 10 });
    const inputs = [dataset, await cite(1, { offset: 3, length: 1 })];
    const now = (await hubChain.client.getBlock('latest', options())) ?? assert.fail();
    const deadlineSeconds = now.timestamp + 600;
    const job = { program: keccak256(), inputs, deadlineSeconds, feeWei: 5n };
    const posting = { ...options(), intent: 'a job' };
    const jobId = await postJob(caller, job, posting);
    const elsewhere = { ...dataset, content: { ...dataset.content, globalIndex: 7 } };
    const wrong = { ...job, inputs: [elsewhere] };
    const again = { ...options(), intent: 'a job over another place' };
    const refusal = await postJob(caller, wrong, again).catch((error) => error);
    assert.equal(refusalOf(refusal), 'NotWhatIsProven');
    await takeJob(caller, jobId, { ...options(), intent: 'taken' });
    const result = await cite(2, { offset: 0, length: 1 });
    await completeJob(caller, jobId, result, { ...options(), intent: 'done' });
    const done = (await readJob(board, jobId, options())) ?? assert.fail();
    assert.equal(done.resultId, contentReferenceId(result.content));
    assert.equal(done.worker, done.poster);
    assert.equal(done.feeWei, 5n);
    assert.equal(await readJob(board, jobId + 1, options()), undefined);
    const from = { board, client: hubChain.client };
    const posted = (await readPostedJob(from, jobId, options())) ?? assert.fail();
    assert.deepEqual(
      posted.inputs,
      inputs.map(({ content }) => content),
    );
    assert.equal(inputsIdOf(posted.inputs), done.inputsId);
    assert.deepEqual(await readJobResult(from, jobId, options()), result.content);
    assert.equal(await readPostedJob(from, jobId + 1, options()), undefined);
  });

  it('has references proven at their own places, under a root that outlives the next checkpoint', async () => {
    const ordering = (await openOrdering(network.hub, options())) ?? assert.fail();
    const shardFacts = await readShard(ordering, SHARD_ID, options());
    const deps = { ordering, shard: shardFacts, client: chain.client, backend: BLS };
    const caller = { ordering, sender: network.payer };
    const [, place] = await readPlaces(ordering, options());
    const count = await anchorPlace(caller, place ?? assert.fail(), options());
    assert.equal(count, 2);
    const { record } = await proveFile(deps, 0, options());
    const { sizeBytes } = record;
    const file = { chainId: SHARD_CHAIN, root: parseRoot(toHex(record.fileRoot)), sizeBytes };
    // The first checkpoint has it, and so has the second.
    const content = { ...file, globalIndex: 1, offset: 0, length: 1 };
    const { proof } = await proveContent(deps, content, { ...options(), count });
    assert.equal(proof.ordered.globalIndex, 1);
    await ordered(await checkpointOfShard(3, checkpointHash(proof.checkpoint)));
    assert.deepEqual(await askAboutFile(orderingHub, proof, options()), { isProven: true });
    const block = await hubChain.client.blockNumber(options());
    assert.equal(await anchorPlace(caller, place ?? assert.fail(), options()), 2);
    assert.equal(await hubChain.client.blockNumber(options()), block, 'it is kept already');
    const wrong = [
      [{ ...content, globalIndex: 3 }, 'SHARD_PLACE_NOT_GIVEN'],
      [{ ...content, sizeBytes: sizeBytes + 1 }, 'SHARD_NOT_LOGGED'],
      [{ ...content, root: parseRoot(`0x${'ee'.repeat(32)}`) }, 'SHARD_NOT_LOGGED'],
    ] as const;
    for (const [each, code] of wrong) {
      await assert.rejects(proveContent(deps, each, options()), { code });
    }
    const other = { ...deps, shard: { ...shardFacts, shardId: 9 } };
    await assert.rejects(proveContent(other, content, options()), { code: 'SHARD_BAD_PROOF' });
  });

  /** A blob that the shard's entrance took and the hub's committee certified, and its leaf of the DA log. */
  async function certifiedBlob(): Promise<{ header: BlobHeader; batch: Uint8Array }> {
    const place = { client: chain.client, entrance: shard.contracts.daEntrance, finality: 0 };
    const entrance = await openEntrance({ ...place, network: network.hub.network }, options());
    assert.equal(entrance.settings.shardId, SHARD_ID);
    const caller = { entrance, sender: onShard() };
    const request = { blobs: [paidBlob('of a shard')], epoch };
    const intended = { ...options(), intent: 'a blob of the shard' };
    const open = { contract: entrance.contract, name: 'openEpoch', args: [] };
    await sendCall(caller.sender, open, options());
    const [order] = await submitBlobs(caller, request, intended);
    const { header } = order ?? assert.fail();
    const root = leafHash(encodeBlobHeader(header));
    const kind = STATEMENT_KINDS.batch;
    const domain = { chainId: SHARD_CHAIN, address: entrance.domain.address };
    const statement = { kind, domain, epoch, quorumId: 0, count: 1, root };
    await confirmBatch(caller, await signed(statement), BLS, options());
    const { timestamp } = (await chain.client.getBlock('latest', options())) ?? assert.fail();
    const leaf = { batchRoot: root, epoch, quorumId: 0, count: 1, timeSeconds: timestamp };
    return { header, batch: encodeDaLogLeaf({ type: DA_LOG_TYPES.batch, ...leaf }) };
  }

  /** What the shard's chain holds now, as a checkpoint. */
  async function checkpointOfShard(number = 1, previous: Uint8Array = ZEROS): Promise<Checkpoint> {
    const block = (await chain.client.getBlock('latest', options())) ?? assert.fail();
    const flow = new Contract(chain.client, log.contracts.flow, flowAbi);
    const entrance = new Contract(chain.client, shard.contracts.daEntrance, [
      'function daRoot() view returns (bytes32)',
      'function daCount() view returns (uint64)',
    ]);
    const at = { ...options(), block: block.number };
    return {
      shardId: SHARD_ID,
      number,
      previous,
      flowRoot: (await flow.read('computeFlowRoot', [], at)).bytes(0),
      flowLength: (await flow.read('tree', [], at)).number('currentLength'),
      logRoot: (await flow.read('logRoot', [], at)).bytes(0),
      logCount: (await flow.read('logCount', [], at)).number(0),
      daRoot: (await entrance.read('daRoot', [], at)).bytes(0),
      daCount: (await entrance.read('daCount', [], at)).number(0),
      blockNumber: block.number,
      blockHash: toBytes(block.hash),
      timeSeconds: block.timestamp,
    };
  }

  /** The shard learns the order from a checkpoint of the hub, behind another one of its bundle. */
  async function tellOrder(root: Uint8Array): Promise<void> {
    const block = (await hubChain.client.getBlock('latest', options())) ?? assert.fail();
    await keepTime();
    const hub: Checkpoint = {
      shardId: 0,
      number: 1,
      previous: ZEROS,
      flowRoot: ZEROS,
      flowLength: 0,
      logRoot: root,
      logCount: 1,
      daRoot: ZEROS,
      daCount: 0,
      blockNumber: block.number,
      blockHash: toBytes(block.hash),
      timeSeconds: block.timestamp,
    };
    const bundle = [{ ...hub, shardId: 9 }, hub];
    const path = treePath(bundle.map(checkpointHash), 1).map(toHex);
    const certificate = certificateArguments(await signed(bundleOf(bundle)), BLS);
    const call = (shown: Checkpoint) => {
      const args = [checkpointArgument(shown), [epoch, 2, 1, path], ...certificate];
      return sendCall(
        onShard(),
        { contract: mirror, name: 'acceptHubCheckpoint', args },
        options(),
      );
    };
    const forged = await call({ ...hub, logRoot: keccak256() }).catch((error) => error);
    assert.equal(refusalOf(forged), 'BadSignature');
    await call(hub);
    const known = await mirror.read('orderRoot', [], options());
    assert.deepEqual(known.bytes('root'), root);
    assert.equal(known.number('count'), 1);
  }

  it('hands every admin role to a timelock, on the shard by name and on the hub by stake', async () => {
    const delaySeconds = 3600;
    const terms = { delaySeconds, votingSeconds: 600 };
    const { flow, directory } = log.contracts;
    const { epochMirror, daEntrance } = shard.contracts;
    const place = { client: chain.client, signer: deployer, pollMs: 5, params: terms };
    const account = FIRST_ACCOUNT;
    const own = await deployGovernance(
      { ...place, proposer: { account }, administered: [flow, epochMirror, daEntrance], directory },
      options(),
    );
    assert.equal(own.stakeGovernor, undefined);
    const timelock = new Contract(chain.client, own.timelock, timelockAbi);
    const delay = await timelock.read('getMinDelay', [], options());
    assert.equal(delay.number(0), delaySeconds);
    const admin = await mirror.read('admin', [], options());
    assert.equal(admin.address(0), own.timelock);
    const refusal = await sendCall(
      onShard(),
      { contract: mirror, name: 'transferAdmin', args: [deployer.address] },
      options(),
    ).catch((error) => error);
    assert.equal(refusalOf(refusal), 'NotAdmin');

    const { stakeHub, orderingHub: order, sortition } = network.deployment.contracts;
    const founder = signerFromKey(ANVIL_KEYS[0]);
    const hub = await deployGovernance(
      {
        ...{ client: hubChain.client, signer: founder, pollMs: 5, params: terms },
        proposer: { stakeHub },
        administered: [stakeHub, order, sortition, network.deployment.contracts.daEntrance],
      },
      options(),
    );
    assert.ok(hub.stakeGovernor !== undefined);
    const holder = await orderingHub.read('admin', [], options());
    assert.equal(holder.address(0), hub.timelock);
  });
});

function toBytes(hash: `0x${string}`): Uint8Array {
  return new Uint8Array(Buffer.from(hash.slice(2), 'hex'));
}
