import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '@cairn/attestation';
import { readPhase } from '@cairn/chain-access/da';
import { type Governance, readNamedContracts } from '@cairn/chain-access/governance';
import { newestFinalCheckpoint } from '@cairn/chain-access/shards';
import { LightChain } from '@cairn/light-client/chain';
import {
  type Address,
  chainIdOf,
  parseRoot,
  seededRng,
  sequenceOf,
  toHex,
} from '@cairn/primitives';
import { parseFilePlaceProof } from '@cairn/wire-protocol';
import { hasAnvil, oneSector, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import { governHub } from '../../../foundation/chain-access/test/governed-hub.ts';
import { SHARD_CHAIN, ShardNetwork } from '../../../foundation/chain-access/test/shard-network.ts';
import { formatKnownEpoch, type KnownEpoch, readKnownEpoch } from '../../src/known-epoch.ts';
import { run } from '../../src/main.ts';
import { findGlobalIndex } from '../../src/place-file.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

const options = () => ({ signal: testSignal() });

describe('the order of two shards from the command line', () => {
  let network: ShardNetwork;
  let folder: string;
  const files = [oneSector(seededRng(31)), oneSector(seededRng(32)), oneSector(seededRng(33))];
  const roots = files.map(({ nodes }) => nodes[0]?.root ?? assert.fail());

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await ShardNetwork.start();
    folder = await mkdtemp(join(tmpdir(), 'cairn-chain-'));
    const { hub, anvil, log, entrance } = network;
    const contracts = hub.deployment.contracts;
    const endpoints = {
      version: 1,
      chains: [
        { name: 'hub', rpc: hub.anvil.url, chainId: hub.hub.chainId, contracts },
        { name: 'one', rpc: anvil.url, chainId: entrance.chainId, contracts: log.contracts },
      ],
      storage: [],
      kv: [],
      keys: [],
      da: { signers: [], chain: 'hub' },
    };
    await writeFile(join(folder, 'endpoints.json'), JSON.stringify(endpoints));
    await anvil.submit(log.contracts.flow, files.slice(0, 2));
    await network.mine(30);
    await orderNext(1);
    await orderNext(0);
  });
  after(async () => {
    await network?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const epochNow = async (): Promise<number> => {
    const block = await network.hub.hub.finalBlock(options());
    return (await readPhase(network.hub.hub, { ...options(), block })).epoch;
  };
  /** What `cairn da quorum --out` writes; this chain's blocks are final at a depth. */
  const knownEpoch = async (): Promise<KnownEpoch> => {
    const { hub } = network;
    const place = { client: hub.anvil.client, entrance: hub.entrance.domain.address };
    const light = await LightChain.open({ ...place, backend: BLS, finality: 2 }, options());
    const { entrance, epochs, signers } = light;
    const close = async (): Promise<void> => undefined;
    const chain = { light, hub: light.hub, entrance, epochs, signers, close };
    return readKnownEpoch(chain, await epochNow(), options());
  };
  /** Has all final checkpoints of a shard ordered that are not yet. @returns how many */
  const orderNext = async (shardId: number): Promise<number> => {
    const { shard, client } = await network.placeOf(shardId);
    const next: Checkpoint[] = [await network.nextCheckpoint(shardId)];
    const chain = shardId === 0 ? network.hub.anvil.client : network.anvil.client;
    assert.equal(client, chain);
    const newest = await newestFinalCheckpoint(shard, chain, options());
    while ((next.at(-1)?.number ?? newest) < newest) {
      next.push(await network.nextCheckpoint(shardId, next.at(-1)));
    }
    await network.order(next, await epochNow());
    return next.length;
  };
  const cairn = async (...args: readonly string[]) => {
    const io = fakeIo({ cwd: folder });
    const exit = await run(args, contextOf(io));
    return { exit, out: io.out(), err: io.err() };
  };
  const asked = (...args: readonly string[]) => cairn(...args, '--endpoints', 'endpoints.json');
  const wrote = async (name: string, value: unknown): Promise<string> => {
    await writeFile(join(folder, name), JSON.stringify(value));
    return name;
  };

  it('lists shards and the checkpoints of all of them in one order', async () => {
    const { exit, out, err } = await asked('chain', 'shards', '--json');
    assert.equal(exit, 0, err);
    const { shards } = JSON.parse(out);
    const [hub, one] = shards;
    assert.deepEqual([hub.shardId, one.shardId, one.chainId], [0, 1, SHARD_CHAIN]);
    assert.equal(one.contracts.flow, network.log.contracts.flow);
    assert.ok(one.newest.number >= 2 && one.newest.ageSeconds >= 0);
    assert.match((await asked('chain', 'shards')).out, /^SHARD +CHAIN .*\n *0 .*\n *1 +31338 /);

    const all = JSON.parse((await asked('chain', 'checkpoints', '--json')).out).checkpoints;
    const indexes = all.map(({ globalIndex }: { globalIndex: number }) => globalIndex);
    assert.deepEqual(indexes, [...all.keys()]);
    const last = all.filter(({ shardId }: { shardId: number }) => shardId === 1).at(-1);
    assert.deepEqual([last.logCount, last.number], [2, one.newest.number]);
    const some = ['chain', 'checkpoints', '--shard', '1', '--from', '1', '--limit', '1'];
    const page = JSON.parse((await asked(...some, '--json')).out).checkpoints;
    assert.deepEqual(page, [all[1]]);
    assert.match((await asked(...some)).out, /^PLACE .*\n *1 +1 +2 .* epoch \d+\n$/);
    assert.equal((await asked('chain', 'checkpoints', '--shard', '7')).exit, 3);
    assert.equal((await asked('chain', 'checkpoints', '--limit', '1001')).exit, 2);
  });

  it('proves a file’s place to whoever trusts the epoch, without any network', async () => {
    // A checkpoint of the hub whose block is after those of the shard were ordered.
    await network.hub.mine(12);
    await orderNext(0);
    const proven = await asked('chain', 'prove', toHex(roots[1] ?? assert.fail()), '-o', 'p.json');
    assert.equal(proven.exit, 0, proven.err);
    assert.match(proven.err, /at sequence 1, in shard 1, at global index \d+; signed by epoch \d+/);
    const proof = parseFilePlaceProof(await readFile(join(folder, 'p.json'), 'utf8'));
    assert.equal(proof.certificates.length, 2);
    const again = await asked('chain', 'prove', '1', '--shard', '1', '-o', 'p.json');
    assert.equal(again.exit, 1, 'nothing is overwritten unasked');

    await writeFile(join(folder, 'e.json'), formatKnownEpoch(await knownEpoch()));
    const { exit, out, err } = await cairn('verify', 'p.json', '--trust', 'e.json');
    assert.equal(exit, 0, err);
    const root = toHex(roots[1] ?? assert.fail());
    const index = proof.globalIndex;
    assert.equal(out, `file ${root} at sequence 1, in shard 1, at global index ${index}\n`);
    const told = JSON.parse((await cairn('verify', 'p.json', '--trust', 'e.json', '--json')).out);
    assert.deepEqual([told.root, told.sequence, told.globalIndex], [root, 1, index]);

    const hub = ['chain', 'checkpoints', '--shard', '0', '--limit', '1', '--json'];
    const [checkpoint] = JSON.parse((await asked(...hub)).out).checkpoints;
    await wrote('c.json', checkpoint);
    assert.equal((await cairn('verify', 'p.json', '--trust', 'c.json')).out, out);
  });

  it('finds the place of a file that is cited, where nodes and its chain name the same', async () => {
    const { globalIndex } = parseFilePlaceProof(await readFile(join(folder, 'p.json'), 'utf8'));
    const file = { root: parseRoot(toHex(roots[1] ?? assert.fail())), sequence: sequenceOf(1) };
    const find = (changes: object = {}) =>
      findGlobalIndex(
        { ...file, chainId: chainIdOf(SHARD_CHAIN), ...changes },
        { endpoints: 'endpoints.json' },
        contextOf(fakeIo({ cwd: folder })),
      );
    assert.equal(await find(), globalIndex);
    await assert.rejects(find({ sequence: sequenceOf(0) }), { code: 'CLI_MISMATCH' });
    await assert.rejects(find({ chainId: network.hub.hub.chainId }), {
      code: 'CLI_USAGE',
      message: 'the order has no files of chain 31337: give their place with --global-index',
    });
  });

  it('believes no proof that was changed, and says what is wrong with it', async () => {
    const proof = JSON.parse(await readFile(join(folder, 'p.json'), 'utf8'));
    const faultOf = async (changed: object, trust = 'e.json') => {
      const name = await wrote('bad.json', { ...proof, ...changed });
      const { exit, out } = await cairn('verify', name, '--trust', trust, '--json');
      return [exit, JSON.parse(out).error?.code];
    };
    const flipped = (hex: string, at: number): string =>
      `${hex.slice(0, at)}${hex[at] === '0' ? '1' : '0'}${hex.slice(at + 1)}`;
    const { record, checkpoint, globalIndex, places, certificates } = proof;
    const [own, hub] = certificates;
    assert.deepEqual(await faultOf({ record: flipped(record, 40) }), [4, 'CONTENT_NOT_LOGGED']);
    assert.deepEqual(await faultOf({ checkpoint: flipped(checkpoint, 300) }), [
      4,
      'CONTENT_NOT_ORDERED',
    ]);
    assert.deepEqual(await faultOf({ globalIndex: globalIndex + 1 }), [4, 'CONTENT_NOT_ORDERED']);
    assert.deepEqual(await faultOf({ certificates: [own] }), [4, 'CLI_PLACE_UNTRUSTED']);
    const count = places[0].count + 1;
    const longer = [{ ...places[0], count }];
    assert.deepEqual(await faultOf({ places: longer }), [4, 'CLI_PLACE_UNTRUSTED']);
    assert.deepEqual(await faultOf({ record: '0x' }), [4, 'CLI_PROOF_FILE']);
    const other = flipped(hub, 430); // in what the committee signed
    assert.deepEqual(await faultOf({ certificates: [own, other] }), [4, 'SIGNATURE_WRONG']);

    const known = JSON.parse(await readFile(join(folder, 'e.json'), 'utf8'));
    const { ordering: _, ...alone } = known;
    await wrote('alone.json', alone);
    assert.deepEqual(await faultOf({}, 'alone.json'), [4, 'CLI_PLACE_UNTRUSTED']);
    assert.deepEqual(await faultOf({}, 'endpoints.json'), [2, 'CLI_EPOCH_FILE']);
  });

  it('says what is not ordered yet, and what has no place', async () => {
    await network.anvil.submit(network.log.contracts.flow, files.slice(2));
    const late = await asked('chain', 'prove', '2');
    assert.equal(late.exit, 5, late.err);
    assert.match(
      late.err,
      /file 2 of shard 1 is not ordered yet: its newest checkpoint has 2 files/,
    );
    const none = await asked('chain', 'prove', `0x${'ab'.repeat(32)}`);
    assert.equal(none.exit, 3, none.err);
    assert.equal((await asked('chain', 'prove', 'nothing')).exit, 2);
    assert.equal((await asked('chain', 'prove', '0', '--shard', '0')).exit, 2);
    const wrong = ['chain', 'prove', '0', '--shard-rpc', network.hub.anvil.url];
    const { exit, err } = await asked(...wrong);
    assert.equal(exit, 2, err);
    assert.match(err, /shard 1 is chain 31338, and the endpoint serves chain 31337/);
  });

  describe('what stake decides', () => {
    const GOVERNED = { delaySeconds: 30, votingDelaySeconds: 20, votingSeconds: 60 };
    let governance: Governance;
    let directory: Address;

    before(async () => {
      const { hub } = network;
      const { governance: made, log } = await governHub(hub, GOVERNED);
      governance = made;
      directory = log.directory;
      const endpoints = JSON.parse(await readFile(join(folder, 'endpoints.json'), 'utf8'));
      endpoints.chains[0].contracts = { ...endpoints.chains[0].contracts, directory };
      await wrote('governed.json', endpoints);
      for (const [index, { accountKey }] of hub.signers.entries()) {
        const path = join(folder, `${index}.key`);
        await writeFile(path, `${toHex(accountKey)}\n`, { mode: 0o600 });
      }
      await hub.mine(1);
    });
    const governed = (...args: readonly string[]) => cairn(...args, '--endpoints', 'governed.json');
    const as = (index: number, ...args: readonly string[]) =>
      governed(...args, '--key-file', `${index}.key`, '--json');
    const told = async (asked: ReturnType<typeof cairn>) => {
      const { exit, out, err } = await asked;
      assert.equal(exit, 0, `${out}${err}`);
      return JSON.parse(out);
    };
    const refused = async (asked: ReturnType<typeof cairn>): Promise<readonly [number, string]> => {
      const { exit, out } = await asked;
      return [exit, JSON.parse(out).error?.code];
    };
    const addShard = () => {
      const { flow } = network.log.contracts;
      const rpc = ['--shard-rpc', network.anvil.url];
      return ['chain', 'propose', 'add-shard', '2', ...rpc, '--flow', flow, '--finality', '2'];
    };

    it('has the timelock administer the Directory and all that it names', async () => {
      const { client, timelock } = governance;
      const named = await readNamedContracts(client, directory, options());
      const administered: string[] = [];
      for (const [name, at] of named) {
        const admin = await client
          .call(at, 'function admin() view returns (address)', [], options())
          .catch(() => undefined);
        if (admin === undefined) continue;
        assert.equal(String(admin[0]).toLowerCase(), timelock.address, name);
        administered.push(name);
      }
      for (const name of [
        'directory',
        'flow',
        'stakeHub',
        'sortition',
        'orderingHub',
        'daEntrance',
      ]) {
        assert.ok(administered.includes(name), `${name} of ${administered.join(', ')}`);
      }
    });

    it('builds one proposal that replaces a module, with whatever else is to pass with it', async () => {
      const { sortition, daEntrance, stakeHub } = network.hub.deployment.contracts;
      const more = [
        '--call',
        `orderingHub.changeShard(1, ${sortition}, ${sortition}, ${sortition}, 9)`,
      ];
      const set = ['chain', 'propose', 'set-module', 'sortition', daEntrance, ...more, '--dry-run'];
      const { calls } = await told(governed(...set, '--json'));
      assert.deepEqual(
        calls.map(({ words }: { words: string }) => words),
        [
          `stakeHub.setModule(${sortition}, false)`,
          `stakeHub.setModule(${daEntrance}, true)`,
          `directory.set(sortition, ${daEntrance})`,
          ...more.slice(1),
        ],
      );
      const market = ['chain', 'propose', 'set-module', 'market', stakeHub, '--json'];
      assert.deepEqual(await refused(governed(...market)), [6, 'CLI_NO_KEY']);
      const dry = await refused(governed(...market, '--dry-run'));
      assert.deepEqual(dry, [1, 'GOVERNANCE_NO_MODULE']);
      const bad = ['chain', 'propose', 'calls', '--call', 'nobody.knows()', '--dry-run', '--json'];
      assert.deepEqual(await refused(governed(...bad)), [2, 'GOVERNANCE_BAD_CALL']);
      const none = await refused(asked('chain', 'proposals', '--json'));
      assert.deepEqual(none, [2, 'CLI_NO_GOVERNOR']);
    });

    it('adds a shard of a long chain by one proposal that stake voted for', async () => {
      const dry = await told(governed(...addShard(), '--dry-run', '--json'));
      assert.match(dry.calls[0].words, /^orderingHub\.addShard\(2, 31338, 0x/);
      const { id, ...proposed } = await told(as(0, ...addShard()));
      assert.equal(proposed.state, 'pending');
      assert.equal(proposed.calls.length, 1);
      const text = ['--description', proposed.description];
      const number = ['--first-checkpoint', `${firstIn(dry.calls[0].words)}`];
      const again = await refused(as(0, ...addShard(), ...number, ...text));
      assert.deepEqual(again, [1, 'GOVERNANCE_PROPOSED']);
      assert.deepEqual(await refused(as(0, 'chain', 'vote', id, 'for')), [
        5,
        'GOVERNANCE_TOO_EARLY',
      ]);
      await network.hub.mine(21);
      assert.deepEqual(await refused(as(0, 'chain', 'queue', id)), [1, 'GOVERNANCE_STATE']);
      const first = await told(as(0, 'chain', 'vote', id, 'for', '--reason', 'it is time'));
      assert.deepEqual([first.state, first.votes.for], ['active', 8]);
      assert.deepEqual(await refused(as(0, 'chain', 'vote', id, 'for')), [1, 'GOVERNANCE_VOTED']);
      await told(as(1, 'chain', 'vote', id, 'abstain'));
      await network.hub.mine(60);
      assert.match(
        (await governed('chain', 'proposals', id)).out,
        /succeeded: anyone may queue it/,
      );
      const queued = await told(as(3, 'chain', 'queue', id));
      assert.equal(queued.state, 'queued');
      assert.deepEqual(await refused(as(3, 'chain', 'execute', id)), [5, 'GOVERNANCE_TOO_EARLY']);
      await network.hub.mine(31);
      assert.equal((await told(as(3, 'chain', 'execute', id))).state, 'executed');
      assert.deepEqual(await refused(as(3, 'chain', 'execute', id)), [1, 'GOVERNANCE_STATE']);
      await network.hub.mine(3);
      const { shards } = await told(governed('chain', 'shards', '--json'));
      const two = shards.find(({ shardId }: { shardId: number }) => shardId === 2);
      assert.ok(two.firstCheckpoint > 2 && two.newest === null, JSON.stringify(two));
    });
  });
});

/** The last argument of a call in words. */
function firstIn(words: string): number {
  return Number(/(\d+)\)$/.exec(words)?.[1]);
}
