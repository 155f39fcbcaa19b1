import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { promisedIndex, sumVotes, verifyVote } from '@cairn/attestation';
import { addressOf, createTransactionSender, randomKey, signerFromKey } from '@cairn/chain-access';
import { EpochBook, readPayer, readStake, SignerBook } from '@cairn/chain-access/da';
import { layoutOf } from '@cairn/erasure-codec';
import {
  type Clock,
  DEVNET_CONSENSUS,
  isFault,
  keccak256,
  memoryKeyValueStore,
  seededRng,
  silentLogger,
  systemClock,
  utf8Bytes,
} from '@cairn/primitives';
import { promiseDigest } from '@cairn/wire-protocol/da';
import {
  ANVIL_KEYS,
  Anvil,
  hasAnvil,
  testSignal,
} from '../../../foundation/chain-access/test/anvil.ts';
import { BLS, COIN, DaNetwork } from '../../../foundation/chain-access/test/da-network.ts';
import { ChainEntrance } from '../../src/chain/chain-entrance.ts';
import { ChainEpochs } from '../../src/chain/chain-epochs.ts';
import { ChainSignerFacts } from '../../src/chain/chain-signer-facts.ts';
import type { DaChain } from '../../src/chain/connect-chain.ts';
import { joinSigners } from '../../src/chain/join-signers.ts';
import { fillUp } from '../../src/chain/keep-deposit.ts';
import type { BlobOrder, PromisedOrder, SubmittedOrder } from '../../src/disperser/blob-order.ts';
import { statementOfBatch } from '../../src/disperser/collect-votes.ts';
import type { DispersalEpoch, SignedBatch } from '../../src/disperser/ports.ts';
import { whileTicking } from './while-ticking.ts';

const { schedule, graceSeconds } = DEVNET_CONSENSUS;
const logger = silentLogger();

describe('the chain as roles of a node see it', () => {
  const rng = seededRng(20_261_123);
  let anvil: Anvil;
  let network: DaNetwork;
  let chain: DaChain;
  let epochs: ChainEpochs;
  let entrance: ChainEntrance;
  /** Time of the newest block: blocks are mined faster than seconds pass. */
  let nowSeconds = 0;
  const clock: Clock = { ...systemClock(), now: () => nowSeconds * 1000 };
  let signal: AbortSignal;
  const payer = signerFromKey(ANVIL_KEYS[1]);

  const look = async (): Promise<void> => {
    nowSeconds = (await anvil.client.getBlock('latest', { signal }))?.timestamp ?? 0;
  };
  const mine = async (blocks: number): Promise<void> => {
    await network.mine(blocks);
    await look();
  };
  const senderOf = (key: Uint8Array | string) =>
    createTransactionSender({
      client: anvil.client,
      signer: signerFromKey(key),
      journal: memoryKeyValueStore(),
      chainId: chain.chainId,
      logger,
      pollMs: 5,
      finalBlocks: 1,
    });

  before(async function () {
    signal = testSignal(900_000);
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil);
    const { hub } = network;
    const signers = new SignerBook(hub);
    chain = {
      client: anvil.client,
      chainId: hub.chainId,
      hub,
      entrance: network.entrance,
      signers,
      epochs: new EpochBook({ hub, signers, backend: BLS }),
      close: async () => undefined,
    };
    const sender = network.payer;
    const deps = { chain, sender, clock, logger };
    epochs = new ChainEpochs({ ...deps, stopping: signal }, { pollMs: 5, socketsMs: 0 });
    entrance = new ChainEntrance({ ...deps, backend: BLS }, { pollMs: 5 });
  });
  after(async () => anvil?.stop());

  /** A promise of the payer's, under a slot of an epoch. */
  const orderOf = ({ office, ...prices }: DispersalEpoch, slot: number): PromisedOrder => {
    const { shardId, epochSeconds } = chain.entrance.settings;
    const retentionEpochs = 2;
    const header = {
      suite: 0,
      log2K: 6,
      cosets: 3,
      rowSizeBytes: 64,
      sizeBytes: 1000,
      commitment: keccak256(utf8Bytes(`blob ${slot}`)),
      submitter: payer.address,
      shardId,
      submissionIndex: promisedIndex({ epoch: office.epoch, slot }),
      expirySeconds: office.endSeconds + retentionEpochs * epochSeconds,
    };
    const maxFeeWei = BigInt(256 * 64 * retentionEpochs) * prices.pricePerByteEpochWei;
    const terms = { retentionEpochs, signBySeconds: office.endSeconds, maxFeeWei };
    const digest = promiseDigest({ header, terms }, chain.entrance.domain);
    const promise = { ...terms, payerSignature: payer.signDigest(digest) };
    return { header, epoch: office.epoch, quorumId: 0, promise };
  };
  /** A batch that all members but the last signed. */
  const signedBy = async (orders: readonly BlobOrder[]): Promise<SignedBatch> => {
    const [{ epoch, quorumId } = { epoch: 0, quorumId: 0 }] = orders;
    const committee = await epochs.committee(epoch, quorumId, { signal });
    if (committee === undefined) throw new Error('the quorum is not known');
    const about = { entrance: chain.entrance.domain };
    const statement = statementOfBatch({ epoch, quorumId, orders }, about);
    const votes = committee.members.slice(0, -1).map(({ index, signer }) => {
      const voter = network.signers.find(({ address }) => address === signer);
      if (voter === undefined) throw new Error('a member is none of the signers');
      const vote = { memberIndex: index, signature: network.sign(voter, statement) };
      return verifyVote(vote, { network: chain.hub.network, statement, committee }, BLS);
    });
    const { absent, signature } = sumVotes(votes, committee, BLS);
    return { root: statement.root, epoch, quorumId, orders, committee, absent, signature };
  };
  /** The epoch that takes blobs, once a final block holds its prices. */
  const openWhileMining = async (which: { readonly after?: number }): Promise<DispersalEpoch> => {
    await look();
    return whileTicking(() => network.mine(1), epochs.openEpoch({ ...which, signal }));
  };
  const fates: { open?: DispersalEpoch; confirmed?: BlobOrder; left?: BlobOrder } = {};

  it('makes an account a signer once, and knows whose key it holds', async () => {
    const account = randomKey(rng);
    const owner = addressOf(account);
    await anvil.rpc('anvil_setBalance', owner, `0x${(10n * COIN).toString(16)}`);
    const key = BLS.openKey(BLS.secretFromMaterial(rng.fill(new Uint8Array(32))));
    const { hub, signers } = chain;
    const deps = { hub, signers, sender: senderOf(account), key, backend: BLS, logger };
    const sent = () => anvil.client.getTransactionCount(owner, 'latest', { signal });
    const socket = 'http://signer.example:3201';
    await joinSigners(deps, { bondWei: 2n * COIN, socket }, { signal });
    await mine(schedule.finalityBlocks);
    equal(await sent(), 3);
    await joinSigners(deps, { bondWei: 2n * COIN, socket }, { signal });
    equal(await sent(), 3, 'what holds already is left');

    const moved = `${socket}/elsewhere/`;
    await joinSigners(deps, { bondWei: 3n * COIN, socket: moved }, { signal });
    await mine(schedule.finalityBlocks);
    equal(await sent(), 5);
    equal((await readStake(hub, owner, { signal })).bondedWei, 3n * COIN);
    equal(await epochs.socketOf(owner, { signal }), `${socket}/elsewhere`);

    const other = BLS.openKey(BLS.secretFromMaterial(rng.fill(new Uint8Array(32))));
    const elsewhere = joinSigners({ ...deps, key: other }, { bondWei: 0n, socket }, { signal });
    await rejects(elsewhere, (error) => isFault(error, 'NODE_OTHER_KEY'));
  });

  it('fills a deposit up once it is below half', async () => {
    const deps = { entrance: chain.entrance, sender: network.payer, logger };
    const balance = async () =>
      (await readPayer(chain.entrance, payer.address, { signal })).balanceWei;
    await fillUp(deps, COIN, signal);
    equal(await balance(), COIN);
    await fillUp(deps, 2n * COIN, signal);
    equal(await balance(), COIN, 'half is enough');
    await fillUp(deps, 3n * COIN, signal);
    equal(await balance(), 3n * COIN);
  });

  it('waits for an epoch, fixes its prices and gives it while it takes blobs', async () => {
    equal(await epochs.committee(1, 0, { signal }), undefined);
    const waiting = epochs.openEpoch({ signal });
    await network.turn();
    const open = await openWhileMining({});
    equal(await waiting, open);
    equal(open.office.epoch, 1);
    equal(open.pricePerByteEpochWei, 1n);
    const { marginSeconds } = chain.entrance.settings;
    equal(open.takesUntilSeconds, open.office.endSeconds - marginSeconds);
    equal(await epochs.openEpoch({ signal }), open, 'nothing is read again');
    equal(await epochs.committee(1, 1, { signal }), undefined);
    fates.open = open;
  });

  it('confirms a batch once, whoever asks, and knows when that is final', async () => {
    const { open } = fates;
    if (open === undefined) throw new Error('there is no epoch');
    const orders = [orderOf(open, 0), orderOf(open, 1)];
    const batch = await signedBy(orders);
    const outcome = await entrance.confirm(batch, { signal });
    ok(outcome.kind === 'confirmed');
    deepEqual(outcome.voidLeaves, []);
    const { kind: _, ...whereAndWhat } = outcome;
    await mine(schedule.finalityBlocks + 1);
    deepEqual(await entrance.finalConfirmation(batch.root, { signal }), whereAndWhat);

    const account = randomKey(rng);
    await anvil.rpc('anvil_setBalance', addressOf(account), `0x${COIN.toString(16)}`);
    const sender = senderOf(account);
    const rival = new ChainEntrance({ chain, sender, backend: BLS, clock, logger }, { pollMs: 5 });
    deepEqual(await rival.confirm(batch, { signal }), outcome);
    const [first] = orders;
    if (first === undefined) throw new Error('there is no order');
    const place = { root: batch.root, leafIndex: 0 };
    equal((await entrance.fateOf({ order: first, batch: place }, { signal })).kind, 'counted');
    Object.assign(fates, { confirmed: first });
  });

  it('tells leaves that are void, and a confirmation that the chain took back', async () => {
    const { open, confirmed } = fates;
    if (open === undefined || confirmed === undefined) throw new Error('there is no epoch');
    const poor = { ...orderOf(open, 2) };
    const { payerSignature: _, ...terms } = { ...poor.promise, maxFeeWei: 1n };
    const digest = promiseDigest({ header: poor.header, terms }, chain.entrance.domain);
    const unpaid = { ...poor, promise: { ...terms, payerSignature: payer.signDigest(digest) } };
    const batch = await signedBy([orderOf(open, 3), unpaid]);
    const outcome = await entrance.confirm(batch, { signal });
    ok(outcome.kind === 'confirmed');
    deepEqual(outcome.voidLeaves, [1]);
    await anvil.reorg(1);
    equal(await entrance.finalConfirmation(batch.root, { signal }), undefined);
    fates.left = orderOf(open, 4);
  });

  it('orders blobs that are paid first, once, and waits for the block that stays', async () => {
    const { open } = fates;
    if (open === undefined) throw new Error('there is no epoch');
    const blobs = [5000, 70].map((sizeBytes, at) => ({
      commitment: keccak256(utf8Bytes(`paid ${at}`)),
      suite: 0,
      layout: layoutOf(sizeBytes, { cosets: 3, minLog2K: 6 }),
      retentionEpochs: 2,
    }));
    const submission = { intent: 'submitBlobs:test', epoch: open.office.epoch, blobs };
    const submitted = async (block?: number): Promise<bigint> => {
      const at = block === undefined ? { signal } : { signal, block };
      return (await chain.entrance.contract.read('submissionCount', [], at)).wide(0);
    };
    const before = await submitted();
    const ordering = entrance.submit(submission, { signal });
    const untilSubmitted = async (): Promise<void> => {
      while ((await submitted()) === before) await clock.sleep(10, signal);
    };
    await untilSubmitted();
    const undone = await anvil.client.blockNumber({ signal });
    await anvil.reorg(1); // the call is taken back before it is final, and sent again
    equal(await submitted(undone), before);
    await mine(1 + schedule.finalityBlocks);
    await untilSubmitted();
    await mine(schedule.finalityBlocks);
    const orders = await ordering;
    equal(await submitted(), before + 2n);
    deepEqual(
      orders.map(({ header }) => [header.sizeBytes, header.submissionIndex]),
      [
        [5000, before],
        [70, before + 1n],
      ],
    );
    deepEqual(await entrance.submit(submission, { signal }), orders, 'asked again, it is the same');
    equal(await submitted(), before + 2n);

    const held = orders.map(({ transaction, block, ...place }): SubmittedOrder => {
      const submittedAt = { transaction, block, signBySeconds: open.office.endSeconds };
      return { ...place, submitted: submittedAt };
    });
    const [first] = held;
    if (first === undefined) throw new Error('there is no order');
    equal(await entrance.holds(first, { signal }), true);
    const other = { ...first, header: { ...first.header, sizeBytes: 4999 } };
    equal(await entrance.holds(other, { signal }), false);

    const batch = await signedBy(held);
    const outcome = await entrance.confirm(batch, { signal });
    ok(outcome.kind === 'confirmed');
    await mine(schedule.finalityBlocks + 1);
    equal((await entrance.finalConfirmation(batch.root, { signal }))?.block, outcome.block);
    const place = { root: batch.root, leafIndex: 0 };
    equal((await entrance.fateOf({ order: first, batch: place }, { signal })).kind, 'counted');
  });

  it('gives signers prices, deposits and submissions of final blocks', async () => {
    const { open, confirmed } = fates;
    if (open === undefined || confirmed === undefined) throw new Error('there is no epoch');
    const facts = new ChainSignerFacts(chain);
    await mine(schedule.finalityBlocks);
    deepEqual(await facts.prices(1, { signal }), { basePerBlobWei: 0n, pricePerByteEpochWei: 1n });
    equal(await facts.prices(2, { signal }), undefined);
    deepEqual(await facts.epochHeader(1, { signal }), open.office);
    equal(await facts.epochHeader(7, { signal }), undefined);
    equal((await facts.submission(0n, { signal }))?.header.sizeBytes, 5000);
    equal(await facts.submission(2n, { signal }), undefined);
    const slots = [0, 1, 7].map((slot) => ({ epoch: 1, slot }));
    const account = await facts.account(payer.address, slots, { signal });
    deepEqual(account.charged, [true, true, false]);
    ok(account.freeWei < 3n * COIN && account.freeWei > 2n * COIN);
  });

  it('says of a promise that was not charged in time that it never will be', async () => {
    const { open, left } = fates;
    if (open === undefined || left === undefined) throw new Error('there is no epoch');
    const fate = entrance.fateOf({ order: left, batch: undefined }, { signal });
    await network.turn();
    const next = await openWhileMining({ after: 1 });
    equal(next.office.epoch, 2);
    await mine(schedule.epochBlocks + graceSeconds); // some blocks came faster than their seconds
    deepEqual(await fate, { kind: 'void' });
    deepEqual(await entrance.confirm(await signedBy([left]), { signal }), { kind: 'closed' });
  });
});
