import { equal, ok } from 'node:assert/strict';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { seededRng, systemClock } from '@cairn/primitives';
import { ConnectError } from '@connectrpc/connect';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { describeDisperser } from '../../src/doors/zg-grpc/disperser-messages.ts';
import { readMessages } from '../../src/doors/zg-grpc/read-messages.ts';
import { parseRequestId } from '../../src/doors/zg-grpc/request-id.ts';

const INPUTS = runsOf(200_000);

describe('what 0G clients may send', () => {
  it(`is read or refused, whatever it is: ${INPUTS} inputs for each decoder`, async () => {
    const seed = seedOf(20_260);
    const rng = seededRng(seed);
    const { disperseBlob, getBlobStatus, retrieveBlob } = describeDisperser().service.method;
    const inputs = [disperseBlob.input, getBlobStatus.input, retrieveBlob.input];
    const options = { readUnknownFields: false };
    let taken = 0;
    for (let run = 0; run < INPUTS; run += 1) {
      const bytes = rng.fill(new Uint8Array(rng.below(80)));
      // Half of them begin as a field does, so that the rest is looked at too.
      if (rng.below(2) === 0 && bytes.length > 1) {
        bytes[0] = [0x0a, 0x10, 0x18][rng.below(3)] ?? 0;
        bytes[1] = rng.below(bytes.length);
      }
      for (const schema of inputs) {
        try {
          const message = fromBinary(schema, bytes, options);
          toBinary(schema, message);
          taken += 1;
        } catch (error) {
          ok(error instanceof Error, `seed ${seed}, run ${run}`);
          ok(!(error instanceof TypeError), `seed ${seed}, run ${run}: ${error.message}`);
        }
      }
      equal(parseRequestId(bytes), undefined, 'chance names no blob');
    }
    ok(taken > INPUTS / 20, `${taken} were messages`);
  });

  it(`comes in frames that are read or refused: ${INPUTS / 10} inputs`, async () => {
    const seed = seedOf(20_261);
    const rng = seededRng(seed);
    const { signal } = new AbortController();
    const clock = systemClock();
    let whole = 0;
    for (let run = 0; run < INPUTS / 10; run += 1) {
      const bytes = rng.fill(new Uint8Array(rng.below(60)));
      if (bytes.length > 5 && rng.below(2) === 0) bytes.set([0, 0, 0, 0, rng.below(bytes.length)]);
      const cut = rng.below(bytes.length + 1);
      const parts = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, cut);
        yield bytes.subarray(cut);
      };
      try {
        for await (const frame of readMessages(parts(), { maxBytes: 40, clock }, signal)) {
          ok(frame.length <= 45);
          whole += 1;
        }
      } catch (error) {
        ok(error instanceof ConnectError, `seed ${seed}, run ${run}: ${String(error)}`);
      }
    }
    ok(whole > INPUTS / 100, `${whole} frames were whole`);
  });
});
