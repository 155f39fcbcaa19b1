import { deepEqual, equal, ok } from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobHeader } from '@cairn/attestation';
import { bigEndianBytes, parseAddress } from '@cairn/primitives';
import { accountOf } from '../signer/headers.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import {
  EPOCH,
  payerOf,
  SIGNER_NETWORK,
  START_SECONDS,
  type TestBlob,
  World,
} from '../signer/world.ts';

/** Order of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe('a signer refuses', () => {
  let world: World;
  let signer: RunningSigner;
  beforeEach(async () => {
    world = new World(4);
    signer = await RunningSigner.start(world);
  });
  afterEach(() => signer.remove());

  const offer = async (blob: TestBlob, epoch: number = EPOCH): Promise<string | undefined> =>
    (await signer.put(await world.delivery(signer.index, blob, { epoch }))).code;
  /** Held by mistake: the rows came before what is wrong with them did. */
  const held = async (blob: TestBlob): Promise<TestBlob> => {
    await signer.deliver(blob);
    return blob;
  };

  it('a submission that is not known, and signs for none that is not final', async () => {
    const blob = await world.submitted();
    const known = world.chain.submissions.get(1n);
    ok(known !== undefined);
    world.chain.submissions.clear();
    equal(await offer(blob), 'BLOB_UNKNOWN');
    world.chain.submissions.set(1n, { ...known, isFinal: false });
    const other = await held(await world.submitted());
    await signer.deliver(blob);
    equal((await signer.vote([other, blob])).code, 'BLOB_NOT_FINAL');
    equal(signer.signer.protection.slots, 0, 'no slot is taken by a batch that is refused');
    world.chain.submissions.set(1n, known);
    equal((await signer.vote([other, blob])).status, 200);
  });

  it('a header that differs from its submission in any field, and its whole batch', async () => {
    const wrong: Partial<Record<keyof BlobHeader, BlobHeader[keyof BlobHeader]>> = {
      commitment: new Uint8Array(32),
      submitter: accountOf(77),
      expirySeconds: START_SECONDS + 999,
    };
    const good = await held(await world.submitted());
    for (const [field, value] of Object.entries(wrong)) {
      const blob = await world.submitted();
      const { submissionIndex } = blob.header;
      const told = world.chain.submissions.get(submissionIndex);
      ok(told !== undefined);
      const lie = { ...told, header: { ...told.header, [field]: value } };
      world.chain.submissions.set(submissionIndex, lie);
      equal(await offer(blob), 'BLOB_MISMATCH', field);
      world.chain.submissions.set(submissionIndex, told);
      await signer.deliver(blob);
      world.chain.submissions.set(submissionIndex, lie);
      equal((await signer.vote([good, blob])).code, 'BLOB_MISMATCH', field);
    }
    equal((await signer.vote([good])).status, 200);
  });

  it('layouts that do not follow from the length, another shard, a suite that is none', async () => {
    const cases: readonly [Partial<BlobHeader>, string][] = [
      [{ log2K: 8 }, 'BLOB_LAYOUT'],
      [{ cosets: 2 }, 'BLOB_LAYOUT'],
      [{ rowSizeBytes: 128 }, 'BLOB_LAYOUT'],
      [{ sizeBytes: 70_000 }, 'BLOB_LAYOUT'],
      [{ suite: 2 }, 'BLOB_LAYOUT'],
      [{ sizeBytes: 2 ** 27 }, 'PAYLOAD_TOO_LARGE'],
      [{ shardId: 8 }, 'BLOB_MISPLACED'],
      [{ expirySeconds: START_SECONDS }, 'BLOB_EXPIRED'],
    ];
    for (const [fields, code] of cases) {
      const blob = await world.submitted({ fields });
      const slice = await world.slice(blob, world.rowsFor(0, blob));
      const outcome = await signer.put(await world.delivery(0, blob, { slice }));
      equal(outcome.code, code, JSON.stringify(fields));
    }
  });

  it('epochs that are not known, have not begun or are over', async () => {
    const blob = await held(await world.submitted());
    equal(await offer(blob, 99), 'EPOCH_UNKNOWN');
    equal(await offer(blob, EPOCH + 1), 'EPOCH_CLOSED');
    equal((await signer.vote([blob], { epoch: 99 })).code, 'EPOCH_UNKNOWN');
    equal((await signer.vote([blob], { epoch: EPOCH + 1 })).code, 'EPOCH_CLOSED');
    equal((await signer.vote([blob], { epoch: EPOCH - 1 })).code, 'BLOB_NOT_HELD');
    world.clock.seconds = world.office().endSeconds + SIGNER_NETWORK.graceSeconds;
    equal((await signer.vote([blob])).status, 200, 'up to the last second');
    world.clock.seconds += 1;
    const late = await world.submitted();
    equal(await offer(late), 'EPOCH_CLOSED');
    equal((await signer.vote([late])).code, 'EPOCH_CLOSED');
  });

  it('invented epochs, without looking far ones up', async () => {
    const blob = await world.submitted();
    world.chain.asked.length = 0;
    world.chain.headers.set(1000, { ...world.office(), epoch: 1000 });
    for (const epoch of [0, 1, 900, 1001, 2 ** 32 - 1]) {
      equal(await offer(blob, epoch), 'EPOCH_UNKNOWN');
      equal((await signer.vote([blob], { epoch })).code, 'EPOCH_UNKNOWN');
    }
    deepEqual(world.chain.asked, []);
  });

  it('what it does not hold, twice the same, and a kind of batch that the blob is not of', async () => {
    const one = await held(await world.submitted());
    const promised = await held(await world.promised());
    equal((await signer.vote([one, await world.submitted()])).code, 'BLOB_NOT_HELD');
    equal((await signer.vote([one, one])).code, 'BATCH_REPEATS');
    equal((await signer.vote([one, promised])).code, 'BLOB_MISPLACED');
    equal((await signer.vote([one, promised], { kind: 5 })).code, 'BLOB_MISPLACED');
    equal((await signer.vote([promised], { kind: 1 })).code, 'BLOB_MISPLACED');
    equal(signer.signer.protection.slots, 0);
  });

  it('to sign twice for one place, after a restart and without its files too', async () => {
    const first = await held(await world.submitted());
    const { vote } = await signer.vote([first]);
    const fork = await world.submitted({ fields: { submissionIndex: 1n } });
    equal(await offer(fork), 'SLOT_SIGNED');
    await signer.stop();
    await rm(join(signer.directory, 'slices'), { recursive: true });
    await rm(join(signer.directory, 'votes'), { recursive: true });
    await signer.open();
    equal(await offer(fork), 'SLOT_SIGNED');
    const { header } = first;
    world.chain.submissions.set(1n, { header, epoch: EPOCH, quorumId: 0, isFinal: true });
    await signer.deliver(first);
    deepEqual((await signer.vote([first])).vote, vote);
    await signer.stop();
    await rm(join(signer.directory, 'protection.log'));
    const restart = signer.open();
    equal(await restart.then(() => 'started', codeOf), 'PROTECTION_MISSING');
  });

  it('a second blob for a place where it holds one, before it signed for any', async () => {
    const first = await held(await world.submitted());
    const fork = await world.submitted({ fields: { submissionIndex: 1n } });
    equal(await offer(fork), 'SLOT_HELD');
    const promised = await held(await world.promised({ slot: 9 }));
    equal(await offer(await world.promised({ slot: 9 })), 'SLOT_HELD');
    const forks = [await world.promised({ slot: 8 }), await world.promised({ slot: 8 })];
    const outcomes = await Promise.all(forks.map((fork) => offer(fork)));
    deepEqual(outcomes.sort(), ['SLOT_HELD', undefined], 'of two at once one is taken');
    const payer = payerOf(2);
    world.chain.deposits.set(payer.address, 10n ** 18n);
    const other = await held(await world.promised({ slot: 9, payer }));
    equal((await signer.vote([promised, other], { kind: 5 })).status, 200);
    const { header } = first;
    world.chain.submissions.set(1n, { header, epoch: EPOCH, quorumId: 0, isFinal: true });
    equal((await signer.vote([first])).status, 200);
  });

  it('to sign where it has no seat, or has it under another key', async () => {
    const blob = await held(await world.submitted());
    const committee = world.committee(0);
    const moved = committee.members.map((member) =>
      member.index === 0 ? { ...member, signer: parseAddress(`0x${'99'.repeat(20)}`) } : member,
    );
    world.chain.committees.set(`${EPOCH}/0`, { ...committee, members: moved });
    equal((await signer.vote([blob])).code, 'SIGNER_NOT_SEATED');
    equal(await offer(await world.submitted()), 'SIGNER_NOT_SEATED');
    const [, second] = committee.members;
    const rotated = committee.members.map((member) =>
      member.index === 0 && second !== undefined
        ? { ...member, publicKey: second.publicKey }
        : member,
    );
    world.chain.committees.set(`${EPOCH}/0`, { ...committee, members: rotated });
    equal((await signer.vote([blob])).code, 'SIGNER_NOT_SEATED');
  });
});

describe('a signer of one quorum among several', () => {
  it('refuses passengers: one blob of another quorum spoils its batch', async () => {
    const world = new World(4, 3);
    const signer = await RunningSigner.start(world);
    try {
      const blobs: TestBlob[] = [];
      for (let count = 0; count < 12; count += 1) blobs.push(await world.submitted());
      await signer.deliver(...blobs);
      const [first] = blobs;
      ok(first !== undefined);
      const { quorumId } = first;
      const own = blobs.filter((blob) => blob.quorumId === quorumId);
      const foreign = blobs.find((blob) => blob.quorumId !== quorumId);
      ok(foreign !== undefined && quorumId > 0);
      equal((await signer.vote([...own, foreign], { quorumId })).code, 'BLOB_MISPLACED');
      const elsewhere = await signer.vote(own, { quorumId: foreign.quorumId });
      equal(elsewhere.code, 'BLOB_MISPLACED');
      equal((await signer.vote(own, { quorumId: 0 })).code, 'BLOB_MISPLACED');
      equal((await signer.vote(own, { quorumId: 9 })).code, 'EPOCH_UNKNOWN');
      equal((await signer.vote(own, { quorumId })).status, 200);
    } finally {
      await signer.remove();
    }
  });
});

describe('a signer keeps for a promise only', () => {
  let world: World;
  let signer: RunningSigner;
  beforeEach(async () => {
    world = new World(4);
    signer = await RunningSigner.start(world);
  });
  afterEach(() => signer.remove());

  const offer = async (blob: TestBlob): Promise<string | undefined> =>
    (await signer.put(await world.delivery(0, blob))).code;

  it('what its payer signed, as the contract reads signatures', async () => {
    const blob = await world.promised();
    const { promise } = blob;
    ok(promise !== undefined);
    const { payerSignature } = promise;
    const altered = (change: (bytes: Uint8Array) => void): TestBlob => {
      const bytes = payerSignature.slice();
      change(bytes);
      return { ...blob, promise: { ...promise, payerSignature: bytes } };
    };
    const s = BigInt(`0x${Buffer.from(payerSignature.subarray(32, 64)).toString('hex')}`);
    const v = payerSignature[64] ?? 0;
    const cases = [
      altered((bytes) => bytes.fill(0)),
      altered((bytes) => bytes.set([v - 27], 64)),
      altered((bytes) => {
        bytes.set(bigEndianBytes(ORDER - s, 32), 32);
        bytes[64] = 55 - v;
      }),
      { ...blob, promise: { ...promise, signBySeconds: promise.signBySeconds + 1 } },
      { ...blob, promise: { ...promise, maxFeeWei: promise.maxFeeWei + 1n } },
      { ...blob, header: { ...blob.header, submitter: payerOf(2).address } },
    ];
    world.chain.deposits.set(payerOf(2).address, 10n ** 18n);
    for (const forged of cases) equal(await offer(forged), 'PROMISE_NOT_SIGNED');
    equal(await offer(blob), undefined);
  });

  it('terms that the contract would charge', async () => {
    const fee = world.feeOf(await world.promised());
    const cases = [
      { terms: { maxFeeWei: fee - 1n } },
      { terms: { retentionEpochs: 61 } },
      { fields: { expirySeconds: world.office().endSeconds + 119 } },
    ];
    for (const wishes of cases) equal(await offer(await world.promised(wishes)), 'PROMISE_TERMS');
    equal(await offer(await world.promised({ terms: { maxFeeWei: fee } })), undefined);
  });

  it('until it was to be signed for', async () => {
    const terms = { signBySeconds: START_SECONDS + 20 };
    const early = await world.promised({ terms });
    const late = await world.promised({ terms });
    world.clock.seconds = START_SECONDS + 20;
    equal(await offer(early), undefined);
    const vote = (): Promise<{ readonly code: string | undefined }> =>
      signer.vote([early], { kind: 5 });
    world.clock.seconds += 1;
    equal(await offer(late), 'PROMISE_LATE');
    equal((await vote()).code, 'PROMISE_LATE');
    world.clock.seconds -= 1;
    equal((await vote()).code, undefined);
  });

  it('a deposit of five times all that is open in each quorum', async () => {
    const { address } = world.payer;
    const one = await world.promised({ slot: 1 });
    const two = await world.promised({ slot: 2 });
    const fee = world.feeOf(one);
    world.chain.deposits.set(address, 5n * fee - 1n);
    equal(await offer(one), 'PROMISE_UNCOVERED');
    world.chain.deposits.set(address, 5n * fee);
    equal(await offer(one), undefined);
    equal(await offer(two), 'PROMISE_UNCOVERED');
    world.chain.charged.add(`${address}/${EPOCH}/1`);
    equal(await offer(two), undefined);
    world.chain.deposits.set(address, 5n * fee - 1n);
    equal((await signer.vote([two], { kind: 5 })).code, 'PROMISE_UNCOVERED');
    world.chain.deposits.set(address, 5n * fee);
    equal((await signer.vote([one, two], { kind: 5 })).status, 200);
  });

  it('so many bytes of one payer', async () => {
    await signer.restart({ maxPayerBytes: 40_000 });
    const outcomes = [];
    for (let slot = 0; slot < 4; slot += 1)
      outcomes.push(await offer(await world.promised({ slot })));
    deepEqual(outcomes.slice(-1), ['PAYER_FULL']);
    equal(outcomes[0], undefined);
    const payer = payerOf(2);
    world.chain.deposits.set(payer.address, 10n ** 18n);
    equal(await offer(await world.promised({ payer })), undefined);
  });
});

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
