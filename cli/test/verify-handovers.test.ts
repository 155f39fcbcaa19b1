import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Checkpoint,
  checkpointHash,
  encodeCertificate,
  encodeCheckpoint,
  encodeEpochHeader,
  encodeSnapshot,
  leafHash,
  STATEMENT_KINDS,
} from '@cairn/attestation';
import { encodeRecord } from '@cairn/commitments';
import { isFault, keccak256, parseAddress, sequenceOf } from '@cairn/primitives';
import type { FilePlaceProof } from '@cairn/wire-protocol';
import {
  certificateOf,
  ENTRANCE,
  EPOCH_SECONDS,
  handoverOf,
  NETWORK,
  nextGroup,
  START_SECONDS,
  type TestGroup,
  testGroup,
} from '../../light-client/test/support/committees.ts';
import { VirtualClock } from '../../light-client/test/support/virtual-clock.ts';
import { formatHandovers, readHandovers } from '../src/handover-file.ts';
import type { KnownEpoch } from '../src/known-epoch.ts';
import { verifyPlace } from '../src/verify-place.ts';

const ORDERING = { address: parseAddress(`0x${'0d'.repeat(20)}`), graceSeconds: 600 };
const TRUSTING_SECONDS = 7200;
const ZEROS = new Uint8Array(32);

const RECORD = encodeRecord({
  sequence: sequenceOf(0),
  fileRoot: keccak256(new Uint8Array(1)),
  sizeBytes: 5,
  startSector: 1,
  sectors: 1,
  submitter: parseAddress(`0x${'aa'.repeat(20)}`),
  timeSeconds: START_SECONDS,
});
const CHECKPOINT = checkpointOf(1, { logRoot: leafHash(RECORD), logCount: 1 });
const ORDER = { orderRoot: checkpointHash(CHECKPOINT), orderCount: 1 };
const FIRST = testGroup([3, 3, 2, 2]);
const SECOND = nextGroup(FIRST, [1, 1, 1]);
const THIRD = nextGroup(SECOND, [2, 2, 3], ORDER);

function checkpointOf(shardId: number, fields: Partial<Checkpoint>): Checkpoint {
  return {
    ...{ shardId, number: 1, previous: ZEROS, flowRoot: ZEROS, flowLength: 0 },
    ...{ logRoot: ZEROS, logCount: 0, daRoot: ZEROS, daCount: 0 },
    ...{ blockNumber: 10, blockHash: ZEROS, timeSeconds: START_SECONDS },
    ...fields,
  };
}

function knownEpoch({ header, committee, bodies }: TestGroup): KnownEpoch {
  return {
    ...{ hubChainId: NETWORK.hubChainId, hub: NETWORK.hub },
    ...{ chainId: ENTRANCE.chainId, entrance: ENTRANCE.address, shardId: 0 },
    ...{ cosets: 3, minLog2K: 6, graceSeconds: 60, trustingSeconds: TRUSTING_SECONDS },
    ordering: ORDERING,
    header: encodeEpochHeader(header),
    groups: [{ snapshot: encodeSnapshot(committee.snapshot), members: bodies }],
    sockets: new Map(),
  };
}

/** What a committee signed about the hub's checkpoint with the root of the order. */
function certifiedBy(group: TestGroup): Uint8Array {
  const { orderRoot: logRoot, orderCount: logCount } = ORDER;
  const body = encodeCheckpoint(checkpointOf(0, { logRoot, logCount }));
  const statement = {
    kind: STATEMENT_KINDS.checkpoints,
    domain: { chainId: NETWORK.hubChainId, address: ORDERING.address },
    epoch: group.header.epoch,
    quorumId: 0,
    count: 1,
    root: leafHash(body),
  };
  return encodeCertificate(certificateOf(group, statement, [body], { leafIndex: 0 }));
}

const PROOF: FilePlaceProof = {
  ...{ record: RECORD, recordPath: [], checkpoint: encodeCheckpoint(CHECKPOINT) },
  ...{ globalIndex: 0, places: [{ count: 1, path: [] }], certificates: [] },
};
const TO_SECOND = handoverOf(FIRST, SECOND);
const TO_THIRD = handoverOf(SECOND, THIRD);

describe('a file’s place by an older epoch and handovers', () => {
  const verify = (
    { seconds = 2 * EPOCH_SECONDS + 5, from = knownEpoch(FIRST), proof = PROOF } = {},
    ...handovers: readonly (typeof TO_SECOND)[]
  ) => {
    const clock = new VirtualClock(START_SECONDS + seconds);
    return verifyPlace(proof, { kind: 'epoch', epoch: from }, { clock, handovers });
  };
  const refused = (code: string, work: () => unknown): void =>
    assert.throws(work, (error) => isFault(error, code), code);

  it('follows from the header of a later epoch, each on the word of the one before', () => {
    refused('CLI_PLACE_UNTRUSTED', () => verify());
    refused('CLI_PLACE_UNTRUSTED', () => verify({}, TO_SECOND));
    const { file, orderCount } = verify({}, TO_SECOND, TO_THIRD);
    assert.deepEqual([file.sequence, file.checkpoint.globalIndex, orderCount], [0, 0, 1]);
  });

  it('follows from what a later committee signed', () => {
    const proof = { ...PROOF, certificates: [certifiedBy(SECOND)] };
    const seconds = EPOCH_SECONDS + 5;
    refused('CLI_PLACE_UNTRUSTED', () => verify({ proof, seconds }));
    assert.equal(verify({ proof, seconds }, TO_SECOND).orderCount, 1);
    const late = 2 * EPOCH_SECONDS + ORDERING.graceSeconds + 1;
    refused('CLI_PLACE_UNTRUSTED', () => verify({ proof, seconds: late }, TO_SECOND));
  });

  it('passes by what leads to the trusted epoch', () => {
    const from = knownEpoch(SECOND);
    assert.equal(verify({ from }, TO_SECOND, TO_THIRD).orderCount, 1);
  });

  it('follows from no committee that is over for longer than the trusting period', () => {
    const until = EPOCH_SECONDS + TRUSTING_SECONDS; // after the first epoch's start
    assert.equal(verify({ seconds: until }, TO_SECOND, TO_THIRD).orderCount, 1);
    refused('TRUST_EXPIRED', () => verify({ seconds: until + 1 }, TO_SECOND, TO_THIRD));
    const { trustingSeconds: _, ...from } = knownEpoch(FIRST);
    refused('CLI_EPOCH_FILE', () => verify({ from }, TO_SECOND, TO_THIRD));
  });

  it('takes no epoch that has not begun, none left out, and none that nobody signed for', () => {
    refused('TRUST_IN_FUTURE', () => verify({ seconds: 5 }, TO_SECOND));
    refused('TRUST_EPOCH_UNKNOWN', () => verify({}, TO_THIRD));
    const forged = handoverOf(FIRST, nextGroup(FIRST, [9], ORDER));
    const { certificate } = TO_SECOND;
    const damaged = certificate.with(certificate.length - 1, 1 ^ (certificate.at(-1) ?? 0));
    assert.throws(() => verify({}, { ...TO_SECOND, certificate: damaged }));
    refused('SNAPSHOT_UNKNOWN', () => verify({}, { ...TO_SECOND, snapshot: forged.snapshot }));
    refused('TRUST_CONFLICT', () => verify({}, TO_SECOND, forged));
  });

  describe('in a file', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'cairn-handovers-'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it('are what was written, and refused by name where they are not', async () => {
      const path = join(folder, 'handovers.json');
      const text = formatHandovers([TO_SECOND, TO_THIRD]);
      await writeFile(path, text);
      assert.deepEqual(await readHandovers(path), [TO_SECOND, TO_THIRD]);
      const many = JSON.stringify({ version: 1, handovers: Array(1025).fill('0x') });
      for (const damaged of [
        '{',
        '{"version":2,"handovers":[]}',
        text.replace('0x', '0x00'),
        many,
      ]) {
        await writeFile(path, damaged);
        await assert.rejects(readHandovers(path), (error) => isFault(error, 'CLI_HANDOVER_FILE'));
      }
    });
  });
});
