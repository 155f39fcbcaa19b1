import assert from 'node:assert/strict';
import { seededRng, viewOf } from '@cairn/primitives';
import { mutate } from '../../../test/support/mutate.ts';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { encodeBatch } from '../../src/batch/encode-batch.ts';
import { decodeBatch } from '../../src/batch/parse-batch.ts';
import { BatchError } from '../../src/errors.ts';
import { ALICE, BOB, CAROL, Model, streamNumber } from '../support/model.ts';

const SEED = seedOf(20_261_123);
const INPUTS = runsOf(200_000);
const NINE =
  /^(Commit|SenderNoWritePermission|VersionConfliction|TagsMismatch|DataParseError: (Invalid stream data|Stream read\/write\/access_control list too long)|WritePermissionDenied: stream: 0x[0-9a-f]{64}, key: .{1,64}|AccessControlPermissionDenied: operation: [A-Z_]+, stream: 0x[0-9a-f]{64}, key: .{1,64}, account: 0x[0-9a-f]{40})$/su;

describe('hostile batches', () => {
  it(`${INPUTS} of them change nothing unless they commit, and stop nothing`, () => {
    const rng = seededRng(SEED);
    const streams = [streamNumber(1), streamNumber(2)];
    const senders = [ALICE, BOB, CAROL];
    const seeds = Array.from({ length: 40 }, () => validBatch());
    const counts = new Map<string, number>();
    let model = new Model(streams);
    for (let input = 0; input < INPUTS; input += 1) {
      if (input % 500 === 0) model = new Model(streams); // the model is slow with a long history
      const { bytes, tags } = seeds[rng.below(seeds.length)] ?? assert.fail();
      const hostile = rng.below(4) === 0 ? lyingBatch(bytes) : mutate(bytes, rng);
      const sender = senders[rng.below(3)] ?? ALICE;
      const before = JSON.stringify(sizes(model));
      const result = model.apply({ sequence: input, sender, tags, bytes: hostile });
      const where = `seed ${SEED}, input ${input}`;
      assert.ok(result !== null && NINE.test(result), `${where}: ${result}`);
      if (result !== 'Commit') assert.equal(JSON.stringify(sizes(model)), before, where);
      const kind = result.replace(/:.*/s, '');
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      assertCanonical(hostile, where);
    }
    for (const kind of [
      'Commit',
      'DataParseError',
      'VersionConfliction',
      'TagsMismatch',
      'SenderNoWritePermission',
    ]) {
      assert.ok((counts.get(kind) ?? 0) > 0, `seed ${SEED}: no input led to ${kind}`);
    }

    function validBatch() {
      const builder = new BatchBuilder(rng.below(2) === 0 ? BigInt(rng.below(400)) : undefined);
      const stream = () => streams[rng.below(2)] ?? assert.fail();
      const key = () => rng.fill(new Uint8Array(1)).map((byte) => byte & 15);
      for (let count = rng.below(3); count > 0; count -= 1) builder.read(stream(), key());
      for (let count = rng.below(4); count > 0; count -= 1) {
        builder.put(stream(), key(), rng.fill(new Uint8Array(rng.below(40))));
      }
      if (rng.below(2) === 0) builder.grantWriter(stream(), senders[rng.below(3)] ?? ALICE);
      if (rng.below(3) === 0) builder.setKeyToSpecial(stream(), key());
      if (rng.below(3) === 0)
        builder.grantSpecialWriter(stream(), key(), senders[rng.below(3)] ?? BOB);
      return builder.tag(stream()).build();
    }

    /** Counts and lengths that say more, or less, than there is. */
    function lyingBatch(valid: Uint8Array): Uint8Array {
      const bytes = valid.slice();
      const at = rng.below(Math.max(1, bytes.length - 8));
      const lie =
        [
          0n,
          1n,
          2n,
          65_536n,
          65_537n,
          2n ** 31n,
          2n ** 32n - 1n,
          2n ** 53n,
          2n ** 63n,
          2n ** 64n - 1n,
        ][rng.below(10)] ?? 0n;
      if (rng.below(2) === 0) viewOf(bytes).setBigUint64(at, lie);
      else viewOf(bytes).setUint32(rng.below(3) === 0 ? 8 : at, Number(lie & 0xffff_ffffn));
      return bytes;
    }
  });
});

/** What the strict reader takes is written again the same; the rest it refuses by name. */
function assertCanonical(bytes: Uint8Array, where: string): void {
  try {
    const batch = decodeBatch(bytes);
    assert.ok(Buffer.compare(encodeBatch(batch), bytes) === 0, where);
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
  }
}

function sizes(model: Model): unknown {
  const count = (tables: Model['rows'] | Model['roles']): number =>
    [...tables.values()].reduce(
      (total, lists) => total + [...lists.values()].reduce((sum, list) => sum + list.length, 0),
      0,
    );
  return [count(model.rows), count(model.roles)];
}
