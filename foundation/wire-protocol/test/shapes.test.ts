import assert from 'node:assert/strict';
import { CommitmentError } from '@cairn/commitments';
import {
  chainIdOf,
  Fault,
  isFault,
  parseAddress,
  parseRoot,
  QueueFullError,
  sequenceOf,
  stringifyJson,
} from '@cairn/primitives';
import fc from 'fast-check';
import {
  type Endpoints,
  formatEndpoints,
  parseEndpoints,
  parseEndpointsText,
} from '../src/endpoints.ts';
import {
  type EntryEconomics,
  entryEconomicsJson,
  parseEntryEconomics,
} from '../src/entry-economics.ts';
import { WireError } from '../src/errors.ts';
import { faultAdvice, faultRows, parseProblem, problemOf } from '../src/fault-table.ts';
import { networkOf } from '../src/networks.ts';
import {
  type FileStat,
  fileStatJson,
  isHeld,
  type NodeStatus,
  nodeStatusJson,
  parseFileStat,
  parseHeldBitmap,
  parseNodeStatus,
} from '../src/node-shapes.ts';
import { storageRoutes } from '../src/route-table.ts';
import { filePath, segmentPath } from '../src/routes.ts';

const ROOT = parseRoot(`0x${'12'.repeat(32)}`);
const FLOW = parseAddress(`0x${'34'.repeat(20)}`);
const overWire = (json: Parameters<typeof stringifyJson>[0]): unknown =>
  JSON.parse(stringifyJson(json));

describe('endpoints', () => {
  const endpoints: Endpoints = {
    version: 1,
    chains: [
      {
        name: 'hub',
        rpc: 'http://127.0.0.1:8545',
        chainId: chainIdOf(31_337),
        contracts: { flow: FLOW },
      },
      {
        name: 'shard-1',
        rpc: 'http://127.0.0.1:8546',
        chainId: chainIdOf(31_338),
        contracts: {},
        logShard: 1,
      },
    ],
    indexer: 'http://127.0.0.1:12345',
    storage: [{ rpc: 'http://127.0.0.1:5678', shard: { id: 0, count: 1 }, chain: 'hub' }],
    kv: ['http://127.0.0.1:6789'],
    dispersers: [{ rest: 'http://127.0.0.1:3101', chain: 'shard-1' }],
    da: {
      rest: 'http://127.0.0.1:3100',
      grpc: '127.0.0.1:51001',
      signers: [],
      chain: 'hub',
    },
    keys: ['keys/dev-0.hex'],
  };

  it('come back as they were written', () => {
    assert.deepEqual(parseEndpointsText(formatEndpoints(endpoints)), endpoints);
  });

  it('may grow: unknown fields are passed over, missing lists are empty', () => {
    assert.deepEqual(parseEndpoints({ version: 1, chains: [], future: { a: 1 } }), {
      version: 1,
      chains: [],
      storage: [],
      kv: [],
      keys: [],
    });
  });

  it('refuse another version, kind or URL', () => {
    assert.throws(
      () => parseEndpoints({ version: 2 }),
      (error) => isFault(error, 'WIRE_VERSION'),
    );
    assert.throws(
      () => parseEndpoints({ version: 1, kv: ['ftp://x'] }),
      (error) => isFault(error, 'WIRE_FIELD'),
    );
    assert.throws(
      () => parseEndpointsText('{'),
      (error) => isFault(error, 'WIRE_JSON'),
    );
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.throws(
          () => parseEndpoints(value),
          (error) => error instanceof Fault,
        );
      }),
    );
  });
});

describe('node shapes', () => {
  const stat: FileStat = {
    chainId: chainIdOf(5),
    root: ROOT,
    entries: [
      {
        sequence: sequenceOf(3),
        sizeBytes: 300,
        startSector: 4,
        paddedSectors: 2,
        submitter: FLOW,
        tags: new Uint8Array([1, 2]),
        block: 9,
        finalized: true,
        ownedSegments: 1,
        heldSegments: 1,
        pruned: false,
      },
    ],
  };
  const status: NodeStatus = {
    version: '0.1.0',
    chainId: chainIdOf(5),
    flow: FLOW,
    shard: { id: 1, count: 2 },
    head: 12,
    synced: true,
    nextSequence: sequenceOf(4),
    logSyncBlock: { number: 12, hash: ROOT },
  };

  const answer = { block: 7, transactionHash: ROOT, minerId: ROOT, beneficiary: FLOW, sector: 16 };
  const economics: EntryEconomics = {
    chainId: chainIdOf(5),
    root: ROOT,
    sequence: sequenceOf(3),
    chargedSectors: 2,
    paidWei: 2n ** 80n,
    pricePerSectorWei: 2n ** 79n,
    termSeconds: 1000,
    paidUntil: 1_800_000_000,
    renewalWei: 2n ** 200n,
    lastProven: { file: answer, chunk: answer, fromBlock: 3 },
    replicas: { least: 1, most: 2, nodes: 3 },
  };

  it('say amounts beyond 2^53 exactly, and what is not known not at all', () => {
    assert.deepEqual(parseEntryEconomics(overWire(entryEconomicsJson(economics))), economics);
    const { paidWei: _paid, paidUntil: _until, ...rest } = economics;
    const { beneficiary: _nobody, ...unpaid } = answer;
    const young = { ...rest, lastProven: { chunk: unpaid, fromBlock: 3 } };
    assert.deepEqual(parseEntryEconomics(overWire(entryEconomicsJson(young))), young);
    const json = overWire(entryEconomicsJson(economics));
    for (const renewalWei of ['-1', '1e9', '0x1', 5, '9'.repeat(79)]) {
      assert.throws(
        () => parseEntryEconomics({ ...(json as object), renewalWei }),
        (error) => error instanceof WireError,
        String(renewalWei),
      );
    }
  });

  it('come back over JSON', () => {
    assert.deepEqual(parseFileStat(overWire(fileStatJson(stat))), stat);
    assert.deepEqual(parseNodeStatus(overWire(nodeStatusJson(status))), status);
    const { head: _head, logSyncBlock: _block, ...young } = status;
    assert.deepEqual(parseNodeStatus(overWire(nodeStatusJson(young))), young);
  });

  it('refuse anything else with a named fault', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.throws(
          () => parseFileStat(value),
          (error) => error instanceof Fault,
        );
        assert.throws(
          () => parseEntryEconomics(value),
          (error) => error instanceof Fault,
        );
        assert.throws(
          () => parseNodeStatus(value),
          (error) => error instanceof Fault,
        );
      }),
    );
  });

  it('read bitmaps of exactly the right length', () => {
    const held = parseHeldBitmap(new Uint8Array([0b1000_0001, 0b10]), 10);
    assert.deepEqual(
      Array.from({ length: 10 }, (_, index) => isHeld(held, index)),
      [true, false, false, false, false, false, false, true, false, true],
    );
    assert.throws(
      () => parseHeldBitmap(new Uint8Array(1), 10),
      (error) => isFault(error, 'WIRE_LENGTH'),
    );
    assert.throws(
      () => parseHeldBitmap(new Uint8Array([0, 0b100]), 10),
      (error) => isFault(error, 'WIRE_FIELD'),
    );
    assert.ok(parseHeldBitmap(new Uint8Array([255]), 8));
  });
});

describe('fault table', () => {
  it('answers codes by row, by family, and others as internal', () => {
    assert.equal(faultAdvice('QUEUE_FULL').retry, 'later');
    assert.equal(faultAdvice('WIRE_MAGIC').status, 400);
    assert.equal(faultAdvice('PROOF_LENGTH').status, 422);
    assert.equal(faultAdvice('constructor').status, 500);
    for (const [code, advice] of faultRows()) {
      assert.match(code, /^[A-Z_]+$/);
      assert.ok(advice.status >= 400 && advice.status < 600 && advice.title.length > 0, code);
    }
  });

  it('says what happened, and keeps sentences of internal errors to itself', () => {
    const ours = problemOf(
      new WireError({ code: 'WIRE_BASE64', length: 1, position: 0 }, 'not base64'),
    );
    assert.equal(ours.detail, 'not base64');
    assert.equal(ours.status, 400);
    assert.equal(problemOf(new CommitmentError({ code: 'FILE_EMPTY' }, 'empty')).status, 422);
    assert.equal(
      problemOf(new QueueFullError({ code: 'QUEUE_FULL', running: 1, waiting: 2 }, 'full')).status,
      503,
    );
    const disk = new (class extends Fault {})({ code: 'DISK_FULL' }, '/var/lib/secret is full');
    assert.deepEqual([problemOf(disk).status, problemOf(disk).detail], [507, 'The disk is full']);
    const internal = problemOf(new Error('/home/someone/secret'));
    assert.deepEqual(
      [internal.code, internal.status, internal.detail],
      ['INTERNAL', 500, 'Internal error'],
    );
    assert.deepEqual(parseProblem(overWire({ ...ours })), ours);
  });
});

describe('networks and routes', () => {
  it('know networks by name only', () => {
    assert.equal(networkOf('mainnet')?.chainId, 16_661);
    assert.equal(networkOf('devnet')?.chainId, 31_337);
    assert.equal(networkOf('toString'), undefined);
    for (const name of ['mainnet', 'testnet', 'devnet', 'minimal']) {
      assert.equal(networkOf(name)?.name, name);
    }
  });

  it('describe every route with an id of its own and plain JSON schemas', () => {
    const routes = storageRoutes();
    assert.equal(new Set(routes.map((route) => route.id)).size, routes.length);
    assert.deepEqual(JSON.parse(JSON.stringify(routes)), routes);
    const put = routes.find((route) => route.id === 'putSegment');
    assert.deepEqual(put?.params?.['required'], ['root', 'index']);
  });

  it('build paths that no name can break', () => {
    assert.equal(segmentPath(ROOT, 3, 7), `/v1/segments/${ROOT}/3?seq=7`);
    assert.equal(filePath(ROOT, 'a b/ü?#'), `/v1/files/${ROOT}/a%20b/%C3%BC%3F%23`);
  });
});
