import assert from 'node:assert/strict';
import { DA_LOG_TYPES, encodeDaLogLeaf, leafHash, verifyDaLogLeaf } from '@cairn/attestation';
import { DEVNET_CONSENSUS, type HttpTransport, isFault } from '@cairn/primitives';
import { createLightClient } from '../src/create-light-client.ts';
import { startTrust } from '../src/epochs/epoch-trust.ts';
import { encodeTrust, parseTrust } from '../src/epochs/trust-message.ts';
import { createLightClient as createNodeLightClient } from '../src/node/create-light-client.ts';
import { bytesOf, honestBlob, offerOf, signal } from './support/blobs.ts';
import {
  BLST,
  ENTRANCE,
  EPOCH_SECONDS,
  handoverOf,
  NETWORK,
  nextGroup,
  SHARD_ID,
  START_SECONDS,
  testGroup,
} from './support/committees.ts';
import { MemorySigners } from './support/signers.ts';
import { VirtualClock } from './support/virtual-clock.ts';

const FIRST = testGroup([1, 1, 1, 1]);
const SECOND = nextGroup(FIRST, [1, 1, 1, 1, 1]);
const anchored = startTrust({
  network: NETWORK,
  header: FIRST.header,
  snapshot: FIRST.committee.snapshot,
});
const nobody: HttpTransport = {
  send: () => Promise.reject(new Error('nobody is asked')),
  close: async () => undefined,
};

function optionsOf(clock: VirtualClock, transport: HttpTransport = nobody) {
  const params = DEVNET_CONSENSUS;
  return { params, entrance: ENTRANCE, shardId: SHARD_ID, trust: anchored, transport, clock };
}

describe('a light client', () => {
  for (const [name, create] of [
    ['browser', createLightClient],
    ['Node', createNodeLightClient],
  ] as const) {
    it(`follows an epoch, verifies a certificate and reads its blob, by the ${name} entry`, async () => {
      const clock = new VirtualClock(START_SECONDS + EPOCH_SECONDS + 5);
      const blob = await honestBlob(4000, { cosets: 3, minLog2K: 6 });
      const signers = new MemorySigners(blob, SECOND.committee, clock, (at) =>
        at === 2 ? { isSilent: true } : {},
      );
      const client = await create(optionsOf(clock, signers));
      client.accept(handoverOf(FIRST, SECOND));
      const certified = client.verify(offerOf(SECOND, blob));
      const verdict = await client.sample(certified, signers.sockets, { signal });
      assert.ok(verdict.kind === 'available' && verdict.confidence.kind === 'read');
      assert.ok(verdict.confidence.value.kind === 'payload');
      assert.deepEqual(verdict.confidence.value.payload, bytesOf(4000, 4001));
      const stored = parseTrust(encodeTrust(client.trust), BLST);
      const again = await create({ ...optionsOf(clock), trust: stored });
      assert.deepEqual(again.verify(offerOf(SECOND, blob)).blob, certified.blob);
    });
  }

  it('samples a larger blob', async () => {
    const clock = new VirtualClock(START_SECONDS + 5);
    const blob = await honestBlob(2 ** 20, { cosets: 3, minLog2K: 6 });
    const signers = new MemorySigners(blob, FIRST.committee, clock);
    const client = await createNodeLightClient(optionsOf(clock, signers));
    const certified = client.verify(offerOf(FIRST, blob));
    const verdict = await client.sample(certified, signers.sockets);
    assert.ok(verdict.kind === 'available' && verdict.confidence.kind === 'sampled');
    assert.ok(verdict.confidence.bits > 40);
    assert.equal(verdict.report.holders, 4);
  });

  it('reads a larger blob whole, without a member that is silent', async () => {
    const clock = new VirtualClock(START_SECONDS + 5);
    const blob = await honestBlob(2 ** 20, { cosets: 3, minLog2K: 6 });
    const isSilent = (at: number) => ({ isSilent: at === 1 });
    const signers = new MemorySigners(blob, FIRST.committee, clock, isSilent);
    const client = await createNodeLightClient(optionsOf(clock, signers));
    const verdict = await client.read(client.verify(offerOf(FIRST, blob)), signers.sockets);
    assert.ok(verdict.kind === 'available' && verdict.confidence.kind === 'read');
    const { value } = verdict.confidence;
    assert.deepEqual(value.kind === 'payload' && value.payload, bytesOf(2 ** 20, 2 ** 20 + 1));
    assert.ok(verdict.report.holders <= 3);
    const nobodyHas = await client.read(client.verify(offerOf(FIRST, blob)), new Map());
    assert.equal(nobodyHas.kind, 'unavailable');
  });

  it('goes by its clock: certificates and committees grow old', async () => {
    const clock = new VirtualClock(START_SECONDS);
    const client = await createNodeLightClient(optionsOf(clock));
    const blob = await honestBlob(100, { cosets: 3, minLog2K: 6 });
    const offer = offerOf(FIRST, blob);
    client.verify(offer);
    assert.throws(
      () => client.accept(handoverOf(FIRST, SECOND)),
      (error) => isFault(error, 'TRUST_IN_FUTURE'),
    );
    clock.advanceSeconds(EPOCH_SECONDS + DEVNET_CONSENSUS.graceSeconds + 1);
    assert.throws(
      () => client.verify(offer),
      (error) => isFault(error, 'CERTIFICATE_TOO_OLD'),
    );
    const { root, epoch, quorumId, count } = client.verify(offer, { isConfirmed: true }).certificate
      .statement;
    const logged = (batchRoot: Uint8Array) => {
      const place = { type: DA_LOG_TYPES.batch, batchRoot, epoch, quorumId, count };
      const body = encodeDaLogLeaf({ ...place, timeSeconds: START_SECONDS });
      const log = { root: leafHash(body), count: 1 };
      return { logged: { leaf: verifyDaLogLeaf({ body, index: 0, path: [] }, log) } };
    };
    client.verify(offer, logged(root));
    assert.throws(
      () => client.verify(offer, logged(leafHash(root))),
      (error) => isFault(error, 'CERTIFICATE_FOREIGN'),
    );
    clock.advanceSeconds(DEVNET_CONSENSUS.trustingSeconds);
    assert.throws(
      () => client.accept(handoverOf(FIRST, SECOND)),
      (error) => isFault(error, 'TRUST_EXPIRED'),
    );
  });

  it('stops with evidence when a committee names two epochs, and stays stopped', async () => {
    const clock = new VirtualClock(START_SECONDS + EPOCH_SECONDS);
    const client = await createNodeLightClient(optionsOf(clock));
    const first = handoverOf(FIRST, SECOND);
    const second = handoverOf(FIRST, nextGroup(FIRST, [7]));
    client.accept(first);
    assert.throws(
      () => client.accept(second),
      (error) => {
        assert.ok(isFault(error, 'TRUST_CONFLICT'));
        assert.deepEqual('evidence' in error.facts && error.facts.evidence, {
          epoch: FIRST.header.epoch,
          first: first.certificate,
          second: second.certificate,
        });
        return true;
      },
    );
    const trust = parseTrust(encodeTrust(client.trust), BLST);
    const restarted = await createNodeLightClient({ ...optionsOf(clock), trust });
    for (const stopped of [client, restarted]) {
      assert.throws(
        () => stopped.accept(first),
        (error) => isFault(error, 'TRUST_STOPPED'),
      );
    }
  });

  it('needs members to sample, though not to verify', async () => {
    const clock = new VirtualClock(START_SECONDS);
    const client = await createNodeLightClient(optionsOf(clock));
    const blob = await honestBlob(100, { cosets: 3, minLog2K: 6 });
    const { certificate, snapshot } = offerOf(FIRST, blob);
    const certified = client.verify({ certificate, snapshot });
    await assert.rejects(client.sample(certified, new Map(), { signal }), (error) =>
      isFault(error, 'SAMPLE_NEEDS_MEMBERS'),
    );
  });
});
