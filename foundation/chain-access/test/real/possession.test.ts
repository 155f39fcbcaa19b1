import assert from 'node:assert/strict';
import {
  commitBytes,
  type FileCommitment,
  type Hasher,
  loadHasher,
  proveFileSector,
  segmentDataBytes,
  verifySegment,
} from '@cairn/commitments';
import {
  type Address,
  DEVNET_CONSENSUS,
  keccak256,
  memoryKeyValueStore,
  seededRng,
  silentLogger,
  systemClock,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { bond, setRoles } from '../../src/da/hub-calls.ts';
import { ROLES } from '../../src/da/hub-facts.ts';
import { type Hub, openHub } from '../../src/da/open-hub.ts';
import { deployDa } from '../../src/deploy/deploy-da.ts';
import { DEVNET_POSSESSION, deployPossession } from '../../src/deploy/deploy-possession.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import {
  DutyKeeper,
  DutySet,
  fundDuty,
  openDuty,
  openPeriod,
  openPossession,
  type Possession,
  readDuty,
  readDutyPayments,
  readDutySpans,
  readLogRecords,
  reportMissedPeriod,
  type SectorSource,
  seedBlockOf,
  startDuty,
  windowEndOf,
} from '../../src/possession/index.ts';
import { createTransactionSender } from '../../src/send/create-sender.ts';
import type { TransactionSender } from '../../src/send/transaction-sender.ts';
import { ANVIL_KEYS, Anvil, FIRST_ACCOUNT, hasAnvil, testSignal } from '../anvil.ts';

const COIN = 10n ** 18n;
const PRICE = 1000n;
const DEPOSIT = 2n * COIN;

interface StoredFile {
  readonly bytes: Uint8Array;
  readonly commitment: FileCommitment;
}

describe('duties of possession on a real chain', () => {
  let anvil: Anvil;
  let hasher: Hasher;
  let hub: Hub;
  let possession: Possession;
  let flow: Address;
  let provider: TransactionSender;
  let payer: TransactionSender;
  let files: readonly StoredFile[];
  let set: DutySet;
  let id: number;
  const options = () => ({ signal: testSignal() });

  const senderOf = (key: string): TransactionSender =>
    createTransactionSender({
      client: anvil.client,
      signer: signerFromKey(key),
      journal: memoryKeyValueStore(),
      chainId: hub.chainId,
      logger: silentLogger(),
      pollMs: 5,
      rebroadcastMs: 200,
      finalBlocks: 1,
    });

  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
    hasher = await loadHasher();
    ({ flow } = (await anvil.deploy()).contracts);
    const { client } = anvil;
    const place = { client, signer: signerFromKey(ANVIL_KEYS[0]), pollMs: 5 };
    const genesisSalt = keccak256(utf8Bytes('duties'));
    const consensus = DEVNET_CONSENSUS;
    const params = { consensus, genesisSalt, genesisDelayBlocks: 60 };
    const { contracts, block } = await deployDa({ ...place, params }, options());
    const { stakeHub, entropy, sortition } = contracts;
    const duties = { ...place, stakeHub, entropy, flow, params: DEVNET_POSSESSION };
    const address = await deployPossession(duties, options());
    const { finalityBlocks: finality } = consensus.schedule;
    hub = await openHub({ client, sortition, firstBlock: block, finality }, options());
    possession = await openPossession(client, address, options());
    payer = senderOf(ANVIL_KEYS[0]);
    provider = senderOf(ANVIL_KEYS[1]);
    const rng = seededRng(20_261_123);
    files = [700, 300_000, 5000, 40_000].map((length) => {
      const bytes = rng.fill(new Uint8Array(length));
      return { bytes, commitment: commitBytes(hasher, bytes) };
    });
    for (const { commitment } of files) {
      const { shape, nodes } = commitment;
      const { sizeBytes } = shape;
      await anvil.submit(flow, [
        { sizeBytes, tags: new Uint8Array(), nodes, submitter: FIRST_ACCOUNT },
      ]);
    }
    const caller = { hub, sender: provider };
    await bond(caller, 5n * COIN, { ...options(), intent: 'bond' });
    await setRoles(caller, ROLES.provider, { ...options(), intent: 'roles' });
  });
  after(async () => anvil?.stop());

  /** The sectors of the files, as a node that keeps them proves them. */
  const source: SectorSource = {
    async sector({ entry, sector }) {
      const file = files.find(({ commitment }) => toHex(commitment.root) === toHex(entry.fileRoot));
      if (file === undefined) throw new Error('no such file');
      const { root, shape, tree } = file.commitment;
      const index = Math.floor(sector / 1024);
      const data = new Uint8Array(segmentDataBytes(shape, index));
      data.set(file.bytes.subarray(index * 262_144, index * 262_144 + data.length));
      const { sizeBytes } = shape;
      const claim = { root, sizeBytes, index, data, proof: tree.proofAt(index) };
      return proveFileSector(verifySegment(claim, hasher), sector % 1024, hasher);
    },
  };

  const keeper = (): DutyKeeper =>
    new DutyKeeper(
      {
        possession,
        sender: provider,
        set,
        source,
        hasher,
        clock: systemClock(),
        logger: silentLogger(),
      },
      { id, pollMs: 5 },
    );
  const head = () => anvil.client.blockNumber(options());
  const mineTo = async (block: number) => {
    const blocks = block - (await head());
    if (blocks > 0) await anvil.mine(blocks);
  };

  it('begin with files that are proven to be in the log, and stake', async () => {
    const { client } = anvil;
    const range = { fromBlock: 0, toBlock: await head() };
    const records = await readLogRecords(client, flow, range, options());
    assert.deepEqual(
      records.map(({ fileRoot }) => toHex(fileRoot)),
      files.map(({ commitment }) => toHex(commitment.root)),
    );
    const sequences = [0, 1, 3];
    set = new DutySet(records.filter(({ sequence }) => sequences.includes(sequence)));
    const caller = { possession, sender: provider };
    const recordsUpTo = (toBlock: number) =>
      readLogRecords(client, flow, { fromBlock: 0, toBlock }, options());
    const wish = { priceWei: PRICE, recordsUpTo, sequences };
    id = await openDuty(caller, wish, { ...options(), intent: 'first' });
    await startDuty(caller, id, DEPOSIT, options());
    const duty = await readDuty(possession, id, options());
    assert.equal(duty?.provider, provider.address);
    assert.equal(duty?.entries, 3);
    assert.equal(duty?.sectors, set.sectors);
    assert.deepEqual(duty?.setRoot, set.root());
  });

  it('are answered by themselves and paid, and a missed period costs stake', async () => {
    const fund = { id, periods: 3, priceWei: PRICE };
    await fundDuty({ possession, sender: payer }, fund, { ...options(), intent: 'fund' });
    const [span] = await readDutySpans(possession, id, options());
    assert.ok(span !== undefined);
    assert.equal(await keeper().look(options()), 'nothing due');
    for (const period of [span.from, span.from + 1]) {
      await mineTo(seedBlockOf(possession.terms, period));
      assert.equal(await keeper().look(options()), 'answered');
      assert.equal(await keeper().look(options()), 'settled');
    }
    const { address } = provider;
    assert.equal(await readDutyPayments(possession, address, options()), 2n * PRICE);

    const period = span.from + 2;
    await mineTo(windowEndOf(possession.terms, period) + 1);
    assert.equal(await keeper().look(options()), 'nothing due');
    const stakeOf = async () =>
      (await hub.stakeHub.read('accountOf', [address], options())).inner(0).wide('bonded');
    const before = await stakeOf();
    const place = { id, span: 0, period };
    const reporter = { possession, sender: payer };
    await assert.rejects(reportMissedPeriod(reporter, place, options()), /SeedUnknown/);
    await openPeriod({ possession, sender: payer }, period, options());
    await reportMissedPeriod(reporter, place, options());
    assert.equal(before - (await stakeOf()), DEPOSIT / 10n);
    assert.equal(await readDutyPayments(possession, address, options()), 2n * PRICE);
    assert.equal(await readDutyPayments(possession, payer.address, options()), PRICE);
  });

  it('run until they are told to stop, and not with other files', async () => {
    const fund = { id, periods: 1, priceWei: PRICE };
    await fundDuty({ possession, sender: payer }, fund, { ...options(), intent: 'again' });
    const spans = await readDutySpans(possession, id, options());
    const period = spans[1]?.from ?? 0;
    await mineTo(seedBlockOf(possession.terms, period));
    const other = new DutySet(
      (
        await readLogRecords(anvil.client, flow, { fromBlock: 0, toBlock: await head() }, options())
      ).slice(0, 2),
    );
    const deps = { possession, sender: provider, source, hasher, clock: systemClock() };
    const wrong = new DutyKeeper({ ...deps, set: other, logger: silentLogger() }, { id });
    await assert.rejects(wrong.run(testSignal()), { code: 'POSSESSION_OTHER_SET' });
    const stop = new AbortController();
    const running = keeper().run(stop.signal);
    while ((await readDutyPayments(possession, provider.address, options())) < 3n * PRICE) {
      await systemClock().sleep(10, testSignal());
    }
    stop.abort(new Error('told to stop'));
    await assert.rejects(running, /told to stop/);
  });
});
