import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { StreamReads } from '@cairn/kv-layer';
import { seededRng, sequenceOf, silentLogger } from '@cairn/primitives';
import { drawEntry, inputOf, openState } from '../../../test/support/history.ts';
import { streamNumber } from '../../../test/support/model.ts';
import { sortedKeyValueStore } from '../../../test/support/sorted-store.ts';
import { QuickValues } from '../../src/doors/quick-values.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
const WHOLE = { start: 0, length: 262_144, signal };

let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

async function world() {
  const state = await openState({ kv: sortedKeyValueStore(), hasher }, [STREAM], { signal });
  const reads = new StreamReads(state);
  let count = 0;
  const onAnswer = (): void => {
    count += 1;
  };
  const answers = { state, reads } as never; // all that the door asks them for
  const door = new QuickValues({ answers, logger: silentLogger(), onAnswer });
  const post = (...params: readonly unknown[]): unknown => {
    const call = { jsonrpc: '2.0', method: 'kv_getValue', params, id: 7 };
    const text = door.answer(Buffer.from(JSON.stringify(call)));
    return text === undefined ? undefined : JSON.parse(text).result;
  };
  const get = (url: string): unknown => {
    let sent: unknown;
    const reply = {
      destroyed: false,
      writeHead: () => undefined,
      end: (text: string) => (sent = JSON.parse(text)),
    };
    const isTaken = door.take(
      { method: 'GET', url } as IncomingMessage,
      reply as unknown as ServerResponse,
    );
    assert.equal(isTaken, sent !== undefined);
    return sent;
  };
  return { state, reads, post, get, answered: () => count };
}

function base64(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}

function addressOf(key: Uint8Array): string {
  return `/v1/streams/${STREAM}/value?key=${Buffer.from(key).toString('base64url')}`;
}

describe('values that are given at once', () => {
  it('are those of the newest version, however often they were asked for before and while entries come and go', async () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const rng = seededRng(seed);
      const { state, reads, post, get, answered } = await world();
      const keys = ['k', 'key', 'key-', 'zz', 'k3', 'key7', 'never'].map((key) => Buffer.from(key));
      const askAll = (): readonly unknown[] =>
        keys.flatMap((key) => [post(STREAM, base64(key), 0, 262_144), get(addressOf(key))]);
      for (let step = 0; step < 40; step += 1) {
        const next = Number(state.nextSequence);
        const entries = Array.from({ length: 1 + rng.below(4) }, (_, at) =>
          inputOf(drawEntry(rng, next + at, [STREAM])),
        );
        const isBack = next > 3 && rng.below(3) === 0;
        const change = isBack
          ? state.rollback(sequenceOf(next - 1 - rng.below(3)), { signal })
          : state.apply(entries, { signal });
        let isDone = false;
        void change.then(() => {
          isDone = true;
        });
        // What is asked meanwhile must not be given later.
        while (!isDone) {
          askAll();
          await Promise.resolve();
        }
        await change;
        const [first, second] = [askAll(), askAll()];
        assert.deepEqual(second, first, `seed ${seed}, step ${step}`);
        for (const [index, key] of keys.entries()) {
          const { version, valueBytes, bytes } = await reads.value(STREAM, key, WHOLE);
          const expected = { version, data: base64(bytes), size: valueBytes };
          // Values in files are left to the method.
          const isHere = valueBytes <= 1024;
          for (const given of first.slice(2 * index, 2 * index + 2)) {
            assert.deepEqual(given, isHere ? expected : undefined, `seed ${seed}, step ${step}`);
          }
        }
      }
      assert.ok(answered() > 1000);
    }
  });

  it('are not given to a question that only reads like one that was answered', async () => {
    const { state, post, get } = await world();
    const rng = seededRng(5);
    await state.apply([inputOf(drawEntry(rng, 0, [STREAM]))], { signal });
    const key = base64(Uint8Array.of(0xff, 0xff, 0xff)); // four slashes
    assert.deepEqual(post(STREAM, key, 0, 262_144), { version: 0, data: '', size: 0 });
    assert.equal(post(`${STREAM} ${key.slice(0, 1)}`, key.slice(1), 0, 262_144), undefined);
    assert.equal(post(`${STREAM}/`, key, 0, 262_144), undefined);
    assert.equal(post(STREAM, `${key}=`, 0, 262_144), undefined);
    const address = addressOf(Buffer.from('never'));
    assert.deepEqual(get(address), { version: 0, data: '', size: 0 });
    assert.equal(get(`${address}&length=3`), undefined);
    assert.equal(get(`${address}=`), undefined);
  });
});
