import { deepEqual, equal, ok } from 'node:assert/strict';
import { promisedIndex, sumVotes, verifyVote } from '@cairn/attestation';
import { signerFromKey } from '@cairn/chain-access';
import { EpochBook, openEntrance, readBatch, readPayer, SignerBook } from '@cairn/chain-access/da';
import {
  type Clock,
  keccak256,
  memoryKeyValueStore,
  rootOf,
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
import { seedOf } from '../../../test/support/soak.ts';
import { ChainEntrance } from '../../src/chain/chain-entrance.ts';
import { ChainEpochs } from '../../src/chain/chain-epochs.ts';
import type { DaChain } from '../../src/chain/connect-chain.ts';
import { fillUp } from '../../src/chain/keep-deposit.ts';
import type { PromisedOrder } from '../../src/disperser/blob-order.ts';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import { BlobStore } from '../../src/disperser/blob-store.ts';
import { statementOfBatch } from '../../src/disperser/collect-votes.ts';
import { BatchConfirmer } from '../../src/disperser/confirm-batches.ts';
import type { DispersalEpoch } from '../../src/disperser/ports.ts';
import { whileTicking } from './while-ticking.ts';

const SEED = seedOf(20_261_125);
const DEEPEST = 16;
/** No block that a reorganisation here takes back was final. */
const FINALITY = DEEPEST + 1;
const RETENTION_EPOCHS = 2;
const ROW_BYTES = 64;
const ROWS = 256;
const logger = silentLogger();

describe(`batches on a chain that reorganises itself (seed ${SEED})`, () => {
  const rng = seededRng(SEED);
  const payer = signerFromKey(ANVIL_KEYS[1]);
  const store = new BlobStore(memoryKeyValueStore());
  let signal: AbortSignal;
  let anvil: Anvil;
  let network: DaNetwork;
  let chain: DaChain;
  let epochs: ChainEpochs;
  let entrance: ChainEntrance;
  let confirmer: BatchConfirmer;
  let open: DispersalEpoch;
  let nowSeconds = 0;
  const clock: Clock = { ...systemClock(), now: () => nowSeconds * 1000 };

  before(async function () {
    if (!hasAnvil) this.skip();
    signal = testSignal(900_000);
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil);
    const { hub, deployment } = network;
    const signers = new SignerBook(hub);
    const place = { client: anvil.client, firstBlock: deployment.block, finality: FINALITY };
    chain = {
      client: anvil.client,
      chainId: hub.chainId,
      hub,
      entrance: await openEntrance(
        { ...place, entrance: deployment.contracts.daEntrance },
        { signal },
      ),
      signers,
      epochs: new EpochBook({ hub, signers, backend: BLS }),
      close: async () => undefined,
    };
    const deps = { chain, sender: network.payer, clock, logger };
    epochs = new ChainEpochs({ ...deps, stopping: signal }, { pollMs: 5, socketsMs: 0 });
    entrance = new ChainEntrance({ ...deps, backend: BLS }, { pollMs: 5 });
    confirmer = new BatchConfirmer({ store, epochs, entrance, backend: BLS, logger });
    await fillUp({ entrance: chain.entrance, sender: network.payer, logger }, COIN, signal);
    await network.turn();
    nowSeconds = (await anvil.client.getBlock('latest', { signal }))?.timestamp ?? 0;
    await anvil.rpc('anvil_setBlockTimestampInterval', 0); // an epoch is long enough for all depths
    // The epoch's prices are fixed by a call, and count once that is final.
    open = await whileTicking(() => mineAtOnce(1), epochs.openEpoch({ signal }));
  });
  after(() => anvil?.stop());

  /** Blocks with no time between them. */
  const mineAtOnce = (blocks: number): Promise<unknown> =>
    anvil.rpc('anvil_mine', `0x${blocks.toString(16)}`, '0x0');
  const balance = async (): Promise<bigint> =>
    (await readPayer(chain.entrance, payer.address, { signal })).balanceWei;
  const feeWei = (): bigint =>
    BigInt(ROWS * ROW_BYTES * RETENTION_EPOCHS) * open.pricePerByteEpochWei;

  /** A blob that its quorum signed, as the disperser keeps it. @returns the batch's root */
  async function dispersed(slot: number): Promise<{ root: Uint8Array; id: BlobRecord['id'] }> {
    const { office } = open;
    const { shardId, epochSeconds, graceSeconds } = chain.entrance.settings;
    const header = {
      suite: 0,
      log2K: 6,
      cosets: 3,
      rowSizeBytes: ROW_BYTES,
      sizeBytes: 1000,
      commitment: keccak256(utf8Bytes(`blob ${slot}`)),
      submitter: payer.address,
      shardId,
      submissionIndex: promisedIndex({ epoch: office.epoch, slot }),
      expirySeconds: office.endSeconds + RETENTION_EPOCHS * epochSeconds,
    };
    const terms = {
      retentionEpochs: RETENTION_EPOCHS,
      signBySeconds: office.endSeconds + graceSeconds / 2,
      maxFeeWei: feeWei(),
    };
    const digest = promiseDigest({ header, terms }, chain.entrance.domain);
    const promise = { ...terms, payerSignature: payer.signDigest(digest) };
    const order: PromisedOrder = { header, epoch: office.epoch, quorumId: 0, promise };
    const committee = await epochs.committee(office.epoch, 0, { signal });
    if (committee === undefined) throw new Error('the quorum is not known');
    const place = { epoch: office.epoch, quorumId: 0, orders: [order] };
    const statement = statementOfBatch(place, { entrance: chain.entrance.domain });
    const votes = committee.members.map(({ index, signer }) => {
      const voter = network.signers.find(({ address }) => address === signer);
      if (voter === undefined) throw new Error('a member is none of the signers');
      const vote = { memberIndex: index, signature: network.sign(voter, statement) };
      return verifyVote(vote, { network: chain.hub.network, statement, committee }, BLS);
    });
    const { absent, signature } = sumVotes(votes, committee, BLS);
    const { root } = statement;
    const id = rootOf(keccak256(utf8Bytes(`payload ${slot}`)));
    const record: BlobRecord = {
      id,
      sizeBytes: 1000,
      account: '',
      arrival: slot,
      acceptedMs: 0,
      stage: 'dispersed',
      path: 'promise',
      voidOrders: 0,
      holders: committee.members.map(({ index }) => index),
      commitment: header.commitment,
      order,
      batch: { root, leafIndex: 0 },
      certificate: new Uint8Array(1),
    };
    await store.put([record], { batch: { root, ...place, ids: [id], absent, signature } });
    return { root, id };
  }

  const stageOf = async (id: BlobRecord['id']): Promise<BlobRecord['stage'] | undefined> =>
    (await store.get(id))?.stage;

  /** What a disperser does from here on, with blocks coming: confirms until it is final. */
  async function finish(root: Uint8Array, id: BlobRecord['id']): Promise<number> {
    let confirmations = 0;
    for (;;) {
      const stage = await stageOf(id);
      if (stage === 'final') return confirmations;
      if (stage === 'dispersed') {
        confirmations += 1;
        await confirmer.confirm(root, { signal });
        await mineAtOnce(FINALITY + 1);
      } else await confirmer.finish(root, { signal });
    }
  }

  /** The transaction comes back in some block of the new branch, or in none. */
  async function reorganise(depth: number, transaction: string | undefined): Promise<void> {
    const back: [string, number][] = [];
    if (transaction !== undefined) {
      const raw = String(await anvil.rpc('eth_getRawTransactionByHash', transaction));
      back.push([raw, rng.below(depth)]);
    }
    await anvil.rpc('anvil_reorg', depth, back);
  }

  it(`are confirmed again after reorganisations of depth 1 to ${DEEPEST}, and paid for once`, async () => {
    for (let depth = 1; depth <= DEEPEST; depth += 1) {
      const before = await balance();
      const { root, id } = await dispersed(depth);
      await confirmer.confirm(root, { signal });
      const first = await store.get(id);
      equal(first?.stage, 'confirmed', `depth ${depth}`);
      equal(await balance(), before - feeWei());
      await mineAtOnce(depth - 1);
      const isBack = rng.below(2) === 1;
      await reorganise(depth, isBack ? first?.confirmation?.transaction : undefined);
      const isThere = (await readBatch(chain.entrance, root, { signal })) !== undefined;
      equal(isThere, isBack, `depth ${depth}`);
      equal(await balance(), isBack ? before - feeWei() : before, `depth ${depth}`);
      if (isBack) await mineAtOnce(FINALITY + 1);
      equal(await finish(root, id), isBack ? 0 : 1, `depth ${depth}: confirmations after it`);
      const { confirmation } = (await store.get(id)) ?? {};
      const block = await chain.entrance.finalBlock({ signal });
      ok((confirmation?.block ?? Number.POSITIVE_INFINITY) <= block, `depth ${depth}`);
      equal(await balance(), before - feeWei(), `depth ${depth} is paid for once`);
    }
  });

  it('fail honestly where the chain takes a confirmation back after its time', async () => {
    const before = await balance();
    const { root, id } = await dispersed(DEEPEST + 1);
    await confirmer.confirm(root, { signal });
    await reorganise(1, undefined);
    await confirmer.finish(root, { signal });
    equal(await stageOf(id), 'dispersed');
    const { graceSeconds } = chain.entrance.settings;
    const closed = open.office.endSeconds + graceSeconds + 1;
    await anvil.rpc('evm_setNextBlockTimestamp', closed);
    await mineAtOnce(1);
    nowSeconds = closed;
    await confirmer.confirm(root, { signal });
    const record = await store.get(id);
    ok(record?.order !== undefined);
    deepEqual(record.trouble, { code: 'STALLED', epoch: open.office.epoch });
    await mineAtOnce(FINALITY + 1);
    const { order, batch } = record;
    equal((await entrance.fateOf({ order, batch }, { signal })).kind, 'void');
    equal(await balance(), before);
  });
});
