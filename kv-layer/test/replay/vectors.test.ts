import assert from 'node:assert/strict';
import { fromHex, parseAddress, utf8Bytes } from '@cairn/primitives';
import { isAdmin, isWriterOfStream } from '../../src/replay/role.ts';
import { parseStreamId } from '../../src/stream-id.ts';
import { ALICE, BOB, CAROL, Model, streamNumber } from '../support/model.ts';
import { kvVectors, type ReplayCheck } from '../support/vectors.ts';

const ACCOUNTS = { A: ALICE, B: BOB, C: CAROL } as const;

describe('replay of the known answers', () => {
  for (const { name, watchedStreams, steps } of kvVectors().replay) {
    it(`${name}: every result and every read`, () => {
      const model = new Model(watchedStreams.map(parseStreamId));
      for (const { seq, sender, tags, blob, result, why = '', then = [] } of steps) {
        const entry = {
          sequence: seq,
          sender: parseAddress(sender),
          tags: fromHex(tags),
          bytes: fromHex(blob),
        };
        assert.equal(model.apply(entry), result, `${name}, sequence ${seq}: ${why}`);
        for (const check of then) assertCheck(model, check);
      }
    });
  }
});

function assertCheck(model: Model, check: ReplayCheck): void {
  if (check.call !== undefined) {
    const [, stream, key = '', version] =
      /^kv_getValue\(0x(\d+),"(\w+)"(?:,(\d+))?\)$/.exec(check.call) ?? [];
    const at = version === undefined ? Number.POSITIVE_INFINITY : Number(version);
    const row = model.get(streamNumber(Number(stream)), utf8Bytes(key), at);
    assert.equal(row?.version ?? 0, check.version, check.call);
    assert.equal(Buffer.from(row?.value ?? []).toString(), check.data, check.call);
    return;
  }
  const view = model.at(Number.POSITIVE_INFINITY);
  for (const [name, expected] of Object.entries(check)) {
    const [, role, who, stream = '1'] = /^(isAdmin|writer)([ABC])(?:_s(\d))?$/.exec(name) ?? [];
    assert.ok(who === 'A' || who === 'B' || who === 'C', name);
    const test = role === 'isAdmin' ? isAdmin : isWriterOfStream;
    assert.equal(test(view, ACCOUNTS[who], streamNumber(Number(stream))), expected, name);
  }
}
