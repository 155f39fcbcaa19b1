import { equal, ok } from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { encodeVoteRequest, VOTE_REQUEST_TYPE } from '@cairn/wire-protocol/da';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import { EPOCH, World } from '../signer/world.ts';

const SEED = seedOf(52_102);
const ROUNDS = runsOf(600);

describe('messages to a signer with one bit turned over are refused', () => {
  let world: World;
  let signer: RunningSigner;
  before(async () => {
    world = new World(4);
    signer = await RunningSigner.start(world);
  });
  after(() => signer.remove());

  it(`as deliveries, and nothing of them is kept (seed ${SEED})`, async () => {
    const rng = seededRng(SEED);
    const blobs = [await world.submitted(), await world.promised()];
    for (const blob of blobs) {
      for (const slice of [await world.packed(0, blob), undefined]) {
        const options = slice === undefined ? {} : { slice };
        const delivery = await world.delivery(0, blob, options);
        for (let round = 0; round < ROUNDS; round += 1) {
          const flipped = delivery.slice();
          const bit = rng.below(round < ROUNDS / 2 ? 230 * 8 : delivery.length * 8);
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const { status, code } = await signer.put(flipped);
          ok(status >= 400 && status < 500, `bit ${bit}: ${status} ${code} (seed ${SEED})`);
        }
      }
    }
    equal(signer.signer.status().heldBlobs, 0);
  });

  it('as requests for a vote', async () => {
    const blob = await world.submitted();
    await signer.deliver(blob);
    const { header } = blob;
    const request = encodeVoteRequest({ kind: 1, epoch: EPOCH, quorumId: 0, headers: [header] });
    const ask = async (body: Uint8Array): Promise<number> => {
      const headers = { 'content-type': VOTE_REQUEST_TYPE };
      const init = { method: 'POST', headers, body: body as Uint8Array<ArrayBuffer> };
      const reply = await fetch(`${signer.url}/v1/da/votes`, init);
      await reply.arrayBuffer();
      return reply.status;
    };
    for (let bit = 0; bit < request.length * 8; bit += 7) {
      const flipped = request.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const status = await ask(flipped);
      ok(status >= 400 && status < 500, `bit ${bit}: ${status}`);
    }
    equal(await ask(new Uint8Array(200_000)), 413);
    equal(signer.signer.protection.slots, 0);
    equal(await ask(request), 200);
  });
});
