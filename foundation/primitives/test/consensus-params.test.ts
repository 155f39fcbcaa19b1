import assert from 'node:assert/strict';
import {
  BASIS_POINTS,
  DEVNET_CONSENSUS,
  leastUnbondSeconds,
  MAINNET_CONSENSUS,
  MAX_QUORUMS,
  MAX_VOTES,
  TESTNET_CONSENSUS,
} from '../src/params/consensus.ts';

const NETWORKS = {
  devnet: DEVNET_CONSENSUS,
  'small test net': TESTNET_CONSENSUS,
  'main net': MAINNET_CONSENSUS,
};

describe('consensus parameters', () => {
  for (const [name, params] of Object.entries(NETWORKS)) {
    describe(name, () => {
      const { schedule } = params;

      it('has phases in order, with time to hand over before the epoch ends', () => {
        assert.ok(schedule.openBlocks + schedule.finalityBlocks < schedule.ticketsEndBlock);
        const sealing = schedule.ticketsEndBlock + schedule.quietBlocks;
        assert.ok(sealing + 2 * schedule.finalityBlocks < schedule.epochBlocks);
      });

      it('keeps stake locked for longer than anyone believes its signatures', () => {
        // a challenge opens in the retention's last epoch and is answered within the next
        const challengeSeconds = 60;
        assert.ok(params.unbondSeconds >= leastUnbondSeconds(params, challengeSeconds));
        assert.ok(params.trustingSeconds < params.unbondSeconds);
        assert.ok(params.graceSeconds < params.trustingSeconds);
      });

      it('stays within what draws and certificates can count', () => {
        assert.ok(params.maxQuorums >= 1 && params.maxQuorums <= MAX_QUORUMS);
        assert.ok(params.maxVotes >= 1 && params.maxVotes <= MAX_VOTES);
        assert.ok(params.auditorReceipts * 2 > params.auditors);
        for (const share of [params.minSeatBps, params.missPenaltyBps, params.unavailableMaxBps]) {
          assert.ok(Number.isInteger(share) && share > 0 && share <= BASIS_POINTS);
        }
      });

      it('gives every member of a full quorum a row of the smallest blob', () => {
        assert.ok(params.minDataRows >= 2 * params.maxQuorumMembers);
        assert.equal(Math.log2(params.minDataRows) % 1, 0);
      });
    });
  }
});
