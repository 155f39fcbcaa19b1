import { equal, ok } from 'node:assert/strict';
import { MAX_BATCH_BLOBS } from '@cairn/wire-protocol/da';
import { runsOf } from '../../../test/support/soak.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import { type TestBlob, World } from '../signer/world.ts';

const BLOBS = runsOf(MAX_BATCH_BLOBS);
/** Deliveries under way at once. */
const PARALLEL = 8;

describe('a large batch', () => {
  it(`of ${BLOBS} blobs is delivered, signed at once, and there after a restart`, async () => {
    const world = new World(4);
    const signer = await RunningSigner.start(world);
    try {
      const first = await world.submitted({ bytes: 3000 });
      const blobs: TestBlob[] = [first];
      for (let index = 2; index <= BLOBS; index += 1) {
        const header = { ...first.header, submissionIndex: BigInt(index) };
        const submitted = { header, epoch: 5, quorumId: first.quorumId, isFinal: true };
        world.chain.submissions.set(header.submissionIndex, submitted);
        blobs.push({ ...first, header });
      }
      const deliverEach = async (from: number): Promise<void> => {
        for (let at = from; at < blobs.length; at += PARALLEL) {
          await signer.deliver(blobs[at] ?? first);
        }
      };
      await Promise.all(Array.from({ length: PARALLEL }, (_, from) => deliverEach(from)));
      equal(signer.signer.status().heldBlobs, BLOBS);
      await signer.restart();
      equal(signer.signer.status().heldBlobs, BLOBS);
      const { vote } = await signer.vote(blobs);
      ok(vote !== undefined);
      equal(vote.count, BLOBS);
      equal(signer.signer.protection.slots, BLOBS);
    } finally {
      await signer.remove();
    }
  });
});
