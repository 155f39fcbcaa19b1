import assert from 'node:assert/strict';
import { createTransactionSender, signerFromKey } from '@cairn/chain-access';
import { deployContracts } from '@cairn/chain-access/deploy';
import {
  type MineCaller,
  openMine,
  readBeneficiary,
  readPayments,
  readSealContext,
  readWorkerContext,
  requestMinerId,
  type SealContext,
  submitAnswer,
  type WorkerContext,
} from '@cairn/chain-access/pora';
import { nobleHasher } from '@cairn/commitments';
import { Reader, sectorInFlow } from '@cairn/log-layer';
import {
  hashLimit,
  limitBytes,
  loadPoraKernel,
  numberOf,
  PIECE_BYTES,
  PIECE_SECTORS,
  type PoraAnswer,
  type PoraKernel,
  pieceHash,
  prepareAttempt,
  type RecallRange,
  rangeDigest,
  rangeOfShard,
  recalledSegment,
  type SealTerms,
  scaleX64,
  sealPiece,
} from '@cairn/pora';
import {
  type Address,
  isFault,
  memoryKeyValueStore,
  SECTOR_BYTES,
  SEGMENT_SECTORS,
  sequenceOf,
  silentLogger,
} from '@cairn/primitives';
import {
  ANVIL_KEYS,
  hasAnvil,
  testSignal,
} from '../../../../foundation/chain-access/test/anvil.ts';
import { type OfflineStores, openOffline } from '../../../src/db/open-offline.ts';
import { type TestFile, testFile } from '../../harness.ts';
import { MINING, MiningNetwork, MiningNode } from '../network.ts';

const hasher = nobleHasher;
/** Looked at in one search; one in twenty or so leads to an answer. */
const MAX_NONCES = 2000;

/** What an answer is looked for with. */
interface Search {
  /** Whether the hash of a piece may win, or must miss. */
  readonly wins?: boolean;
  /** First sectors of pieces that will do. */
  readonly place?: (position: number) => boolean;
  readonly range?: RecallRange;
  readonly minerId?: Uint8Array;
}

describe('answers that the mining contract refuses, by name', () => {
  let network: MiningNetwork;
  let stores: OfflineStores;
  let file: TestFile;
  let fileStart: number;
  let caller: MineCaller;
  let minerId: Uint8Array;
  /** Looks for answers; what is sent is checked by the reference. */
  let kernel: PoraKernel;
  const sealContexts: SealContext[] = [];
  let nextNonce = 1;
  let sent = 0;

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await MiningNetwork.start();
    kernel = await loadPoraKernel();
    // 1,172 sectors of data, padded to 1,216: the file's end is 44 sectors of zeros.
    file = await testFile(300_000, 5);
    await network.submit(file);
    await network.submit(await testFile(600_000, 6)); // mining goes up to a whole segment
    const config = await network.config('store', { mining: { autostart: false } });
    const node = new MiningNode(config);
    await node.start();
    await node.upload(file, 0);
    await network.nextEpoch();
    await node.until(({ isSealed, sealedSegments }) => isSealed && sealedSegments >= 2);
    await node.stop();
    const { dataDirectory } = config.node;
    stores = await openOffline(dataDirectory, { logger: silentLogger(), signal: testSignal() });
    fileStart = (await stores.log.entryAt(sequenceOf(0)))?.startSector ?? Number.NaN;
    caller = await open(network.deployment.contracts);
    minerId = await requestMinerId(caller, { signal: testSignal(), intent: 'id' });
  });
  after(async () => {
    await stores?.close();
    await network?.stop();
  });

  async function open(contracts: {
    readonly poraMine: Address;
    readonly flow: Address;
  }): Promise<MineCaller> {
    const { client } = network.anvil;
    const mine = await openMine(
      client,
      { mine: contracts.poraMine, flow: contracts.flow },
      { signal: testSignal() },
    );
    const sender = createTransactionSender({
      client,
      signer: signerFromKey(ANVIL_KEYS[1]),
      journal: memoryKeyValueStore(),
      chainId: await client.chainId({ signal: testSignal() }),
      logger: silentLogger(),
      pollMs: 10,
    });
    return { mine, sender };
  }

  const context = (): Promise<WorkerContext> =>
    readWorkerContext(caller.mine, minerId, { signal: testSignal() });

  /** An answer that the contract takes, unless the search asks for another. */
  async function find({ wins = true, place, ...search }: Search = {}): Promise<PoraAnswer> {
    const worker = await context();
    const id = search.minerId ?? minerId;
    const range = search.range ?? rangeOfShard({ id: 0, count: 1 }, worker.flowLength);
    const limit = hashLimit(worker.poraTarget, scaleX64(worker.flowLength, 1));
    const lastData = fileStart + Math.floor(file.bytes.length / SECTOR_BYTES) - PIECE_SECTORS;
    const isData = (position: number): boolean => position >= fileStart && position <= lastData;
    for (const end = nextNonce + MAX_NONCES; nextNonce < end; ) {
      const nonce = new Uint8Array(32);
      new DataView(nonce.buffer).setUint32(28, nextNonce);
      nextNonce += 1;
      const digests = { minerId: id, subtask: worker.subtaskDigest, range: rangeDigest(range) };
      kernel.setPuzzle(digests, limitBytes(limit));
      kernel.prepare(nonce);
      const segment = recalledSegment(kernel.recall(0), range) ?? 0;
      for (let piece = 1; piece < 64; piece += place === undefined ? 7 : 1) {
        const position = segment * SEGMENT_SECTORS + piece * PIECE_SECTORS;
        if (!(place ?? isData)(position)) continue;
        const sealContext = await sealContextOf(position);
        const terms = { minerId: id, context: sealContext.digest, position };
        if (kernelWins(piece, plainAt(position), terms) !== wins) continue;
        const sealed = sealPiece(plainAt(position), terms);
        const attempt = prepareAttempt(nonce, digests);
        assert.equal(numberOf(pieceHash(sealed, piece, attempt)) <= limit, wins);
        assert.equal(recalledSegment(attempt.recall, range) ?? 0, segment);
        const { log, segments } = stores;
        const reader = new Reader({ segments }, { cacheBytes: 0 });
        const deps = { log, reader, hasher };
        const path = await sectorInFlow(position, worker.flowLength, deps, testSignal());
        assert.ok(path !== undefined);
        return {
          contextDigest: worker.contextDigest,
          nonce,
          minerId: id,
          range,
          recallPosition: position,
          pieceIndex: piece,
          sealedContextDigest: sealContext.digest,
          sealed,
          siblings: path.siblings.slice(4),
        };
      }
    }
    throw new Error(`none of ${MAX_NONCES} nonces leads to what was looked for`);
  }

  /** Whether the hash of a piece wins in the prepared attempt. */
  function kernelWins(index: number, plain: Uint8Array, terms: SealTerms): boolean {
    const { minerId, context, position } = terms;
    kernel.segment.set(plain);
    kernel.seal({ minerId, position, contexts: [context] });
    kernel.segment.copyWithin(index * PIECE_BYTES, 0, PIECE_BYTES);
    const held = new Uint8Array(8);
    held[index >> 3] = 1 << (index & 7);
    return kernel.find(0, held) !== undefined;
  }

  async function sealContextOf(position: number): Promise<SealContext> {
    const last = position + PIECE_SECTORS - 1;
    const known = sealContexts.find(({ start, end }) => start <= last && last < end);
    if (known !== undefined) return known;
    const found = await readSealContext(caller.mine, last, { signal: testSignal() });
    sealContexts.push(found);
    return found;
  }

  function plainAt(position: number): Uint8Array {
    const plain = new Uint8Array(PIECE_BYTES);
    const from = (position - fileStart) * SECTOR_BYTES;
    if (from >= 0) plain.set(file.bytes.subarray(from, from + PIECE_BYTES));
    return plain;
  }

  const submit = (answer: PoraAnswer, by: MineCaller = caller) => {
    sent += 1;
    return submitAnswer(by, answer, { signal: testSignal(), intent: `answer ${sent}` });
  };

  async function refused(name: string, answer: PoraAnswer, by?: MineCaller): Promise<void> {
    await assert.rejects(submit(answer, by), (error) => {
      assert.ok(isFault(error, 'TX_REVERTED'), String(error));
      assert.equal(Reflect.get(error.facts, 'errorName'), name);
      assert.match(error.message, new RegExp(name));
      return true;
    });
  }

  const payments = async (): Promise<bigint> => {
    const { address } = signerFromKey(ANVIL_KEYS[1]);
    return readPayments(caller.mine, address, { signal: testSignal() });
  };

  it('takes and pays one answer, and refuses it again', async () => {
    const answer = await find();
    const before = await payments();
    const { rewardWei } = await submit(answer);
    assert.ok(rewardWei > 0n);
    assert.equal(await payments(), before + rewardWei);
    await refused('AnswerRepeated', answer);
    assert.equal(await payments(), before + rewardWei);
  });

  it('refuses what another miner sealed, and ids that nobody asked for', async () => {
    const answer = await find();
    const thief = await requestMinerId(await open(network.deployment.contracts), {
      signal: testSignal(),
      intent: 'another id',
    });
    assert.notDeepEqual(thief, minerId);
    await refused('NotInFlow', { ...answer, minerId: thief });
    const own = await find({ minerId: thief });
    await refused('NotInFlow', { ...own, sealed: answer.sealed });
    await refused('MinerIdUnknown', { ...answer, minerId: new Uint8Array(32).fill(3) });
    await refused('MinerIdZero', { ...answer, minerId: new Uint8Array(32) });
  });

  it('refuses answers to another network’s mine', async () => {
    const other = await deployContracts(
      {
        client: network.anvil.client,
        signer: signerFromKey(ANVIL_KEYS[0]),
        params: { pricePerSectorWei: 1000n, blocksPerEpoch: 40, mining: MINING },
        logger: silentLogger(),
        pollMs: 10,
      },
      { signal: testSignal() },
    );
    const there = await open(other.contracts);
    const answer = await find();
    await refused('MinerIdUnknown', answer, there);
    const id = await requestMinerId(there, { signal: testSignal(), intent: 'id there' });
    const beneficiary = await readBeneficiary(there.mine, id, { signal: testSignal() });
    assert.equal(beneficiary, there.sender.address);
    // The same content lies at the same place of its flow, under contexts of its own.
    await network.submit(file, other);
    let worker: WorkerContext;
    do {
      await network.anvil.mine(7);
      worker = await readWorkerContext(there.mine, id, { signal: testSignal() });
    } while (worker.poraTarget === 0n || worker.flowLength < SEGMENT_SECTORS);
    await refused('OtherContext', { ...answer, minerId: id }, there);
    const { contextDigest } = worker;
    const range = rangeOfShard({ id: 0, count: 1 }, worker.flowLength);
    await refused('OtherSealContext', { ...answer, minerId: id, contextDigest, range }, there);
    await network.nextEpoch();
  });

  it('refuses zeros of padding, which nobody has to store', async () => {
    const place = (position: number): boolean =>
      position >= fileStart + 1184 && position + PIECE_SECTORS <= fileStart + 1216;
    await refused('ZeroSeal', await find({ place }));
    const gap = (position: number): boolean =>
      position > 0 && position + PIECE_SECTORS <= fileStart && position < SEGMENT_SECTORS;
    await refused('ZeroSeal', await find({ place: gap }));
  });

  it('refuses what the nonce did not draw, and what is out of range or of the flow', async () => {
    const answer = await find();
    const { range, recallPosition } = answer;
    await refused('WrongRecallPosition', await moved(answer, recallPosition + PIECE_SECTORS));
    await refused('RecallBeyondFlow', { ...answer, recallPosition: 2 ** 40 });
    await refused('SealOffsetTooLarge', { ...answer, pieceIndex: 64 });
    const of = (change: Partial<RecallRange>): PoraAnswer => ({
      ...answer,
      range: { ...range, ...change },
    });
    await refused('RangeBeyondFlow', of({ mineLength: range.mineLength + SEGMENT_SECTORS }));
    await refused('RangeTooShort', of({ mineLength: range.mineLength - SEGMENT_SECTORS }));
    await refused('StartNotAligned', of({ startPosition: SEGMENT_SECTORS }));
    await refused('ShardIdOutsideMask', of({ shardId: 1n }));
    await refused('ShardMaskNotContiguous', of({ shardMask: 2n ** 64n - 3n }));
    await refused('TooManyShards', of({ shardMask: 2n ** 64n - 2n ** 20n }));
    await refused('TargetMissed', await find({ wins: false }));
    const sealedContextDigest = new Uint8Array(32).fill(9);
    await refused('OtherSealContext', { ...answer, sealedContextDigest });
    await submit(answer); // and nothing was wrong with it
  });

  it('refuses answers outside their window and of a past epoch', async () => {
    await network.nextEpoch();
    const answer = await find();
    await network.anvil.mine(30);
    await refused('SubtaskOver', answer);
    await network.nextEpoch();
    await refused('OtherContext', answer);
  });

  /** The answer of a piece as if it were drawn, with the piece that lies there. */
  async function moved(answer: PoraAnswer, position: number): Promise<PoraAnswer> {
    const { digest } = await sealContextOf(position);
    const { log, segments } = stores;
    const reader = new Reader({ segments }, { cacheBytes: 0 });
    const { flowLength } = await context();
    const path = await sectorInFlow(position, flowLength, { log, reader, hasher }, testSignal());
    const sealed = sealPiece(plainAt(position), { minerId, context: digest, position });
    const siblings = path?.siblings.slice(4) ?? [];
    return { ...answer, recallPosition: position, sealedContextDigest: digest, sealed, siblings };
  }
});
