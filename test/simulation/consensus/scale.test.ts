import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  certify,
  checkpointHash,
  encodeCertificate,
  encodeCheckpoint,
  parseCertificate,
  STATEMENT_KINDS,
  type Statement,
  signStatement,
  sumVotes,
  treeRoot,
  verifyCheckpointCertificate,
  verifyVotes,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { isSoak } from '../../support/soak.ts';
import { SCALE_DOCUMENT } from '../scale-files.ts';
import { withParts } from '../scale-report.ts';
import { readDraws } from './draw-files.ts';
import { fitLine, readShardGas } from './gas.ts';
import { drawnShares, GROUP_KINDS, oddsOf } from './margins.ts';
import { consensusParts } from './report.ts';
import { keyOf, signersOf } from './signers.ts';
import {
  absentOf,
  bundleMessages,
  certificateSizes,
  checkpointOf,
  committeeOf,
  NETWORK,
  ORDERING,
} from './sizes.ts';

/** A share of its size by which no measured transaction may differ from the line: beyond, a term is missing. */
const MAX_RESIDUAL = 0.05;
const backend = blstBackend();

describe('what consensus shards cost as signers and shards grow', () => {
  it('is what docs/scale.md says', async () => {
    const document = await readFile(SCALE_DOCUMENT, 'utf8');
    const parts = consensusParts(await readDraws(), await readShardGas());
    assert.equal(withParts(document, parts), document, 'run fit-consensus.ts');
    const { nothing } = bundleMessages(1);
    assert.match(
      document,
      new RegExp(`anything new is one request .* answered with ${nothing}\\s+bytes`),
    );
  });

  it('was drawn as it would be drawn again', async () => {
    for (const { signers, epochs, shares, first } of await readDraws()) {
      const made = signersOf(signers);
      assert.deepEqual(drawnShares(made, first.epochs), first.shares, 'run draw-epochs.ts');
      if (isSoak) assert.deepEqual(drawnShares(made, epochs), shares, 'run draw-epochs.ts');
    }
  });

  it('was drawn by the law that the exact odds follow', async () => {
    for (const { signers, shares } of await readDraws()) {
      const made = signersOf(signers);
      for (const { group, percent, groups, beyond } of shares) {
        const kind = GROUP_KINDS.find(({ name }) => name === group) ?? assert.fail();
        for (const limit of kind.limits) {
          const chance = 2 ** oddsOf(made, kind, percent, limit);
          const found = beyond[limit.name] ?? 0;
          // five deviations, and two more for odds so small that one hit is already many
          const most = 5 * Math.sqrt(groups * chance * (1 - chance)) + 2;
          const apart = Math.abs(found - groups * chance);
          assert.ok(
            apart <= most,
            `${signers} ${group} ${percent} % ${limit.name}: ${found} of ${groups}`,
          );
        }
      }
    }
  });

  it('counts bytes of certificates that verify', () => {
    const drawn = committeeOf(100);
    const { committee, header } = drawn;
    const absent = absentOf(committee, 'ordinary');
    const checkpoints = [1, 2, 3, 4].map((shardId) => checkpointOf(shardId));
    const statement: Statement = {
      kind: STATEMENT_KINDS.checkpoints,
      ...{ domain: ORDERING, epoch: header.epoch, quorumId: 0, count: checkpoints.length },
      root: treeRoot(checkpoints.map(checkpointHash)),
    };
    const places = new Map(
      drawn.signers.registered.map(({ signer }, index) => [signer, index] as const),
    );
    const away = new Set(absent);
    const votes = committee.members
      .filter(({ index }) => !away.has(index))
      .map(({ index, signer }) => {
        const key = keyOf(places.get(signer) ?? assert.fail());
        return { memberIndex: index, signature: signStatement(key, NETWORK, statement) };
      });
    const proven = verifyVotes(votes, { network: NETWORK, statement, committee }, backend);
    const aggregate = sumVotes(proven, committee, backend);
    const bodies = checkpoints.map(encodeCheckpoint);
    const sizes = certificateSizes(drawn, absent);
    for (const [isSelfContained, expected] of [
      [false, sizes.named[1]],
      [true, sizes.selfContained[1]],
    ] as const) {
      const certificate = certify(aggregate, {
        network: NETWORK,
        bodies,
        leafIndex: 2,
        isSelfContained,
      });
      const bytes = encodeCertificate(certificate);
      assert.equal(bytes.length, expected);
      const context = {
        ...{ network: NETWORK, orderingHub: ORDERING, snapshot: committee.snapshot, committee },
        ...{ trustedTimeSeconds: header.startSeconds, graceSeconds: 0 },
      };
      const verified = verifyCheckpointCertificate(
        parseCertificate(bytes, backend),
        context,
        backend,
      );
      assert.equal(verified.checkpoint.shardId, 3);
    }
  });

  it('grows by a line in gas', async () => {
    const { bundles, handovers } = await readShardGas();
    for (const points of [bundles, handovers]) {
      assert.ok(points.length >= 3 && fitLine(points).residual < MAX_RESIDUAL);
    }
    const { base, each, residual } = fitLine([1, 8, 64].map((count) => [count, 500 + 7 * count]));
    assert.ok(Math.abs(base - 500) < 1e-6 && Math.abs(each - 7) < 1e-6 && residual < 1e-9);
  });
});
