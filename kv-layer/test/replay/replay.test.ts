import assert from 'node:assert/strict';
import { type Address, utf8Bytes } from '@cairn/primitives';
import { ACCESS_OP } from '../../src/batch/access-op.ts';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { resultKeyText } from '../../src/replay/results.ts';
import {
  hasWritePermission,
  isAdmin,
  isSpecialKey,
  isWriterOfKey,
  isWriterOfStream,
} from '../../src/replay/role.ts';
import type { StreamId } from '../../src/stream-id.ts';
import { ALICE, BOB, CAROL, Model, streamNumber } from '../support/model.ts';

const S1 = streamNumber(1);
const S2 = streamNumber(2);
const key = utf8Bytes('k');
const other = utf8Bytes('other');
const value = utf8Bytes('v');

/** A log that grows by what `play` is given; gives the result of each entry. */
class Log {
  readonly model: Model;
  #sequence = 0;
  constructor(...watched: StreamId[]) {
    this.model = new Model(watched);
  }
  play(
    sender: Address,
    build: (batch: BatchBuilder) => BatchBuilder,
    version?: bigint,
  ): string | null {
    const { bytes, tags } = build(new BatchBuilder(version)).build();
    this.#sequence += 1;
    return this.model.apply({ sequence: this.#sequence, sender, tags, bytes });
  }
  get view() {
    return this.model.at(Number.POSITIVE_INFINITY);
  }
}

describe('access rules', () => {
  it('keep stream writers from special keys, and let special writers in', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) =>
      batch.grantWriter(S1, BOB).setKeyToSpecial(S1, key).grantSpecialWriter(S1, key, CAROL),
    );
    assert.equal(
      log.play(BOB, (batch) => batch.put(S1, other, value)),
      'Commit',
    );
    assert.equal(
      log.play(BOB, (batch) => batch.put(S1, key, value)),
      `WritePermissionDenied: stream: ${S1}, key: k`,
    );
    assert.equal(
      log.play(CAROL, (batch) => batch.put(S1, key, value)),
      'Commit',
    );
    assert.equal(
      log.play(CAROL, (batch) => batch.put(S1, other, value)),
      `WritePermissionDenied: stream: ${S1}, key: other`,
    );
    assert.equal(isSpecialKey(log.view, S1, key), true);
    assert.equal(isWriterOfKey(log.view, CAROL, S1, key), true);
    assert.equal(
      log.play(ALICE, (batch) => batch.setKeyToNormal(S1, key)),
      'Commit',
    );
    assert.equal(
      log.play(CAROL, (batch) => batch.put(S1, key, value)),
      `WritePermissionDenied: stream: ${S1}, key: k`,
    );
    assert.equal(
      log.play(BOB, (batch) => batch.put(S1, key, value)),
      'Commit',
    );
  });

  it('let a special writer hand on its right and nobody else', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) => batch.grantSpecialWriter(S1, key, BOB));
    assert.equal(
      log.play(BOB, (batch) => batch.grantSpecialWriter(S1, key, CAROL)),
      'Commit',
    );
    assert.equal(
      log.play(CAROL, (batch) => batch.grantSpecialWriter(S1, other, CAROL)),
      `AccessControlPermissionDenied: operation: GRANT_SPECIAL_WRITER_ROLE, stream: ${S1}, key: other, account: ${CAROL}`,
    );
    assert.equal(
      log.play(CAROL, (batch) => batch.renounceSpecialWriter(S1, key)),
      'Commit',
    );
    assert.equal(
      log.play(CAROL, (batch) => batch.put(S1, key, value)),
      'SenderNoWritePermission',
    );
  });

  it('fold ops of one slot: the last one wins, in either order', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) =>
      batch
        .grantWriter(S1, BOB)
        .revokeWriter(S1, BOB)
        .revokeWriter(S1, CAROL)
        .grantWriter(S1, CAROL),
    );
    assert.equal(isWriterOfStream(log.view, BOB, S1), false);
    assert.equal(isWriterOfStream(log.view, CAROL, S1), true);
  });

  it('count an admin that renounces as admin for the rest of its batch', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) => batch.tag(S1));
    assert.equal(
      log.play(ALICE, (batch) => batch.renounceAdmin(S1).grantAdmin(S1, BOB)),
      'Commit',
    );
    assert.deepEqual([isAdmin(log.view, ALICE, S1), isAdmin(log.view, BOB, S1)], [false, true]);
  });

  it('drop a grant of admin to oneself, tagged or not, without a word', () => {
    const log = new Log(S1, S2);
    log.play(ALICE, (batch) => batch.grantWriter(S1, BOB));
    assert.equal(
      log.play(BOB, (batch) => batch.grantAdmin(S1, BOB)),
      'Commit',
    );
    assert.equal(isAdmin(log.view, BOB, S1), false);
  });

  it('give a new stream to its first committed tagger only', () => {
    const log = new Log(S1, S2);
    log.play(ALICE, (batch) => batch.tag(S1));
    assert.equal(
      log.play(BOB, (batch) => batch.tag(S1).put(S2, key, value)),
      'SenderNoWritePermission',
    );
    assert.equal(hasWritePermission(log.view, CAROL, S2, key), true);
    assert.equal(
      log.play(CAROL, (batch) => batch.put(S2, key, value)),
      'Commit',
    );
    assert.equal(hasWritePermission(log.view, ALICE, S2, key), false);
  });

  it('never let a batch’s own controls help its writes', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) =>
      batch.setKeyToSpecial(S1, key).grantWriter(S1, BOB).grantSpecialWriter(S1, key, BOB),
    );
    log.play(ALICE, (batch) => batch.revokeSpecialWriter(S1, key, BOB));
    assert.match(
      log.play(BOB, (batch) => batch.put(S1, key, value).grantSpecialWriter(S1, key, BOB)) ?? '',
      /^WritePermissionDenied/,
    );
  });
});

describe('versions', () => {
  it('guard every key read and written by one number, and deletions count', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) => batch.put(S1, key, value));
    assert.equal(
      log.play(ALICE, (batch) => batch.put(S1, key, value), 0n),
      'VersionConfliction',
    );
    assert.equal(
      log.play(ALICE, (batch) => batch.put(S1, key, value), 1n),
      'Commit',
    );
    assert.equal(
      log.play(ALICE, (batch) => batch.delete(S1, key), 3n),
      'Commit',
    );
    assert.equal(
      log.play(ALICE, (batch) => batch.read(S1, key).put(S1, other, value), 3n),
      'VersionConfliction',
    );
    assert.equal(
      log.play(ALICE, (batch) => batch.read(S1, key).put(S1, other, value), 4n),
      'Commit',
    );
  });

  it('do not guard access controls', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) => batch.grantWriter(S1, BOB));
    assert.equal(
      log.play(ALICE, (batch) => batch.revokeWriter(S1, BOB), 0n),
      'Commit',
    );
  });
});

describe('a result string', () => {
  it('shows 32 characters of a key, UNKNOWN for bytes that are no text', () => {
    assert.equal(resultKeyText(utf8Bytes('ä'.repeat(40))), 'ä'.repeat(32));
    assert.equal(resultKeyText(utf8Bytes('\u{1F600}'.repeat(33))), '\u{1F600}'.repeat(32));
    assert.equal(resultKeyText(utf8Bytes('\uFEFFk')), '\uFEFFk');
    assert.equal(resultKeyText(Uint8Array.of(0x61, 0xff)), 'UNKNOWN');
    assert.equal(resultKeyText(Uint8Array.of(0xed, 0xa0, 0x80)), 'UNKNOWN');
  });

  it('names the sender of a control that is refused, and the key of special ones', () => {
    const log = new Log(S1);
    log.play(ALICE, (batch) => batch.grantWriter(S1, BOB));
    assert.equal(
      log.play(BOB, (batch) => batch.control({ op: ACCESS_OP.setKeyToSpecial, stream: S1, key })),
      `AccessControlPermissionDenied: operation: SET_KEY_TO_SPECIAL, stream: ${S1}, key: k, account: 0x${'0'.repeat(40)}`,
    );
  });
});
