import assert from 'node:assert/strict';
import { type Hasher, loadHasher, type Segment } from '@cairn/commitments';
import { memoryFileSource, type PreparedFile, prepareFile } from '@cairn/log-layer';
import {
  type Clock,
  type HttpTransport,
  isFault,
  parseAddress,
  sequenceOf,
  silentLogger,
} from '@cairn/primitives';
import { cairnDoor } from '../src/cairn-door.ts';
import { fetchRun, fetchSegment } from '../src/fetch-segment.ts';
import { HolderBook } from '../src/holders.ts';
import type { LocatedFile, LocatedHolder } from '../src/locate-file.ts';
import { NodeRefusal } from '../src/node-refusal.ts';
import type { SegmentDoor } from '../src/segment-door.ts';
import { StorageNode } from '../src/storage-node.ts';
import { aperiodicBytes, CHAIN } from './support/fake-network.ts';

const { signal } = new AbortController();

/** A clock whose waits end when the test says so. */
class HandClock implements Pick<Clock, 'now' | 'monotonic' | 'sleep'> {
  nowMs = 0;
  readonly waits: { readonly durationMs: number; readonly end: () => void }[] = [];
  now(): number {
    return this.nowMs;
  }
  monotonic(): number {
    return this.nowMs;
  }
  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((end, fail) => {
      this.waits.push({ durationMs, end });
      signal.addEventListener('abort', () => fail(signal.reason));
    });
  }
}

/** An answer that comes when the test says so, or fails with the question's signal. */
class Question {
  readonly answer: Promise<Segment | undefined>;
  give: (segment: Segment | undefined) => void = () => undefined;
  constructor(asked: AbortSignal) {
    this.answer = new Promise((resolve, reject) => {
      this.give = resolve;
      asked.addEventListener('abort', () => reject(asked.reason));
    });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('fetching a segment', () => {
  let segment: Segment;
  let file: PreparedFile;
  let hasher: Hasher;
  let clock: HandClock;
  let book: HolderBook;
  let questions: Map<string, Question[]>;
  const bytes = aperiodicBytes(1024);
  before(async () => {
    hasher = await loadHasher();
    file = await prepareFile(memoryFileSource(bytes), { hasher, signal });
    const { root } = file.tree;
    const proof = file.tree.proofAt(0);
    segment = { root, sizeBytes: bytes.length, index: 0, data: bytes, proof };
  });
  beforeEach(() => {
    clock = new HandClock();
    questions = new Map();
    const transport = {} as HttpTransport; // the doors below need none
    book = new HolderBook({ transport, timeoutMs: 1, clock, logger: silentLogger() });
  });
  const holder = (url: string, door: Partial<SegmentDoor> = {}): LocatedHolder => {
    const asked: Question[] = [];
    questions.set(url, asked);
    const { root } = file;
    const entry = {
      chainId: CHAIN,
      root,
      sequence: sequenceOf(0),
      sizeBytes: 1024,
      startSector: 0,
    };
    const fetch: SegmentDoor['fetch'] = (_entry, _index, options) => {
      const question = new Question(options.signal);
      asked.push(question);
      return question.answer;
    };
    return {
      ...{ url, entry, finalized: true, pruned: false, kind: 'cairn', chainId: CHAIN },
      ...{ flow: parseAddress(`0x${'f1'.repeat(20)}`), shard: { id: 0, count: 1 } },
      node: book.node(url),
      door: { fetch, send: async () => 'stored', progress: async () => undefined, ...door },
    };
  };
  const fetchFrom = (...holders: readonly LocatedHolder[]): Promise<{ data: Uint8Array }> => {
    const [first] = holders;
    assert.ok(first !== undefined);
    const located: LocatedFile = {
      ...{ ...first.entry, holders, evidence: [] },
      askable: { nodes: [], indexer: undefined },
    };
    return fetchSegment(located, 0, [], { book, hasher, clock }, signal);
  };
  /** Ends the latest wait. */
  const endWait = async (): Promise<void> => {
    clock.waits.at(-1)?.end();
    await turn();
  };
  const ask = (url: string, at = 0): Question => {
    const question = questions.get(url)?.[at];
    assert.ok(question !== undefined, `${url} was not asked ${at + 1} times`);
    return question;
  };

  it('takes the answer that comes in the same turn as another holder has nothing', async () => {
    const fetched = fetchFrom(holder('a'), holder('b'));
    await turn();
    await endWait(); // a is slow: b is asked too
    ask('a').give(undefined);
    ask('b').give(segment);
    assert.deepEqual((await fetched).data, bytes);
  });

  it('asks again a holder that refuses for now, and no other', async () => {
    for (const retry of ['later', 'never'] as const) {
      let asked = 0;
      const busy = holder(retry, {
        fetch: async () => {
          asked += 1;
          if (asked > 1) return segment;
          const problem = { status: 503, title: '', detail: '', code: 'QUEUE_FULL', retry };
          throw new NodeRefusal(retry, { ...problem, type: 'urn:cairn:fault:QUEUE_FULL' });
        },
      });
      const fetched = fetchFrom(busy);
      fetched.catch(() => undefined); // looked at below
      await turn();
      await endWait();
      if (retry === 'later') assert.deepEqual((await fetched).data, bytes);
      else await assert.rejects(fetched, (error) => isFault(error, 'SDK_SEGMENT_UNAVAILABLE'));
    }
  });

  it('remembers how long a holder was waited for that lost the race', async () => {
    const fetched = fetchFrom(holder('a'), holder('b'));
    await turn();
    clock.nowMs += 3000;
    await endWait();
    ask('b').give(segment);
    await fetched;
    assert.equal(book.expectedMs('a'), 3000);
  });

  it('counts the time of a run for each of its segments', async () => {
    const run = holder('a', {
      fetchRun: async () => {
        clock.nowMs += 40;
        return [segment];
      },
    });
    const located: LocatedFile = {
      ...{ ...run.entry, holders: [run], evidence: [] },
      askable: { nodes: [], indexer: undefined },
    };
    const fetched = fetchRun(located, { first: 0, count: 2 }, [], { book, hasher, clock }, signal);
    await turn();
    assert.equal(book.expectedMs('a'), 20 * 1.25, '40 ms for two, with a request under way');
    ask('a').give({ ...segment, index: 0 });
    await fetched;
  });

  for (const status of [404, 410, 421]) {
    it(`takes ${status} for an empty run`, async () => {
      const transport: HttpTransport = {
        send: async () => ({
          status,
          headers: {},
          bytes: async () => new Uint8Array(0),
          stream: async function* () {},
          discard: async () => undefined,
        }),
        close: async () => undefined,
      };
      const door = cairnDoor(new StorageNode('http://a', { transport, timeoutMs: 1 }));
      assert.deepEqual(await door.fetchRun?.(holder('a').entry, 0, 2, { signal }), []);
    });
  }
});
