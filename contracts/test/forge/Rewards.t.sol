// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {ChunkRewardBase, Reward} from "../../src/reward/ChunkRewardBase.sol";
import {ChunkDecayReward} from "../../src/reward/ChunkDecayReward.sol";
import {ChunkLinearReward} from "../../src/reward/ChunkLinearReward.sol";
import {PullPayments} from "../../src/PullPayments.sol";
import {Vm} from "./support/Test.sol";

/// @notice Fees, from an upload to a miner, in pricing chunks of 64 sectors whose terms take 1,000 seconds.
contract RewardsTest is FlowFixture {
    uint256 private constant SIZE = 64;
    uint256 private constant WHOLE = 1_000_000;
    address private constant MINER = address(0xBE);
    address private constant TREASURY = address(0x7E);

    function setUp() public {
        vm.warp(1_800_000_000);
        deploySized(WHOLE, 1_000_000, 0, SIZE);
    }

    function test_aFeeIsSpreadOverTheSectorsItPaysFor() public {
        // One sector at 1; 128 sectors at 128: 62 of the skipped ones lie in chunk 0, and chunk 1 is all skipped.
        submitFile(1, 256);
        submitFile(2, 128 * 256);
        uint256 skipped = 126;
        uint256 shared = (128 * WHOLE * 62) / (128 + skipped);
        assertEq(reward.rewards(0).lockedReward, WHOLE + shared, "chunk where the flow stood");
        assertEq(reward.rewards(1).lockedReward, 0, "nobody can mine zeros");
        assertEq(reward.rewards(2).lockedReward, (128 * WHOLE - shared) / 2, "first half of the file");
        assertEq(reward.rewards(3).lockedReward, 128 * WHOLE - shared - (128 * WHOLE - shared) / 2, "second half");
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(reward.rewards(i).startTime, block.timestamp, "finished");
            assertEq(reward.rewardDeadline(i), block.timestamp + TERM, "deadline");
        }
        submitFile(3, 256);
        assertEq(reward.rewards(4).lockedReward, WHOLE, "the next chunk");
        assertEq(reward.rewards(4).startTime, 0, "is not full");
        assertEq(reward.rewardDeadline(4), 0, "and has no deadline");
    }

    function test_aFirstFileIsNotSharedWithNothing() public {
        submitFile(1, 64 * 256);
        assertEq(reward.rewards(0).lockedReward, 0, "no file is in it");
        assertEq(reward.rewards(0).startTime, block.timestamp, "yet it is full");
        assertEq(reward.rewards(1).lockedReward, 64 * WHOLE, "all is for the file");
    }

    function test_timeReleasesEvenly() public {
        uint256 pool = _fill();
        assertEq(reward.claimableNow(1), 0, "at once");
        vm.warp(block.timestamp + TERM / 2);
        assertEq(reward.claimableNow(1), pool / 4, "half of a half");
        vm.warp(block.timestamp + TERM / 2);
        assertEq(reward.claimableNow(1), pool / 2, "half of all");
        vm.warp(block.timestamp + TERM / 2);
        assertEq(reward.claimableNow(1), pool / 2, "and no more");
    }

    function test_anAnswerTakesHalfOfWhatIsReleased() public {
        uint256 pool = _fill();
        vm.warp(block.timestamp + TERM);
        vm.recordLogs();
        _claim(1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], ChunkRewardBase.DistributeReward.selector, "event");
        assertEq(keccak256(logs[0].data), keccak256(abi.encode(bytes32("id"), pool / 2)), "amount");
        assertEq(reward.payments(MINER), pool / 2, "half");
        _claim(1);
        uint256 paid = pool / 2 + (pool - pool / 2) / 2;
        assertEq(reward.payments(MINER), paid, "half of the rest");
        Reward memory state = reward.rewards(1);
        assertEq(state.lockedReward, 0, "locked");
        assertEq(state.claimableReward, pool - paid, "claimable");
        assertEq(state.distributedReward, paid, "distributed");
        reward.withdrawPayments(payable(MINER));
        assertEq(MINER.balance, paid, "paid");
        assertEq(reward.payments(MINER), 0, "nothing waits");
    }

    function testFuzz_claimsInBetweenChangeNothingButWhoGetsIt(uint256 seed) public {
        uint256 pool = _fill();
        uint256 start = block.timestamp;
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(block.timestamp + uint256(keccak256(abi.encode(seed, i))) % (TERM / 4));
            _claim(1);
            Reward memory state = reward.rewards(1);
            uint256 elapsed = block.timestamp - start;
            uint256 due = elapsed < TERM ? pool * elapsed / TERM : pool;
            uint256 released = uint256(state.claimableReward) + state.distributedReward;
            assertTrue(released <= due && due - released <= i + 1, "released as if nobody had claimed");
            assertEq(released + state.lockedReward, pool, "nothing is lost");
        }
    }

    function test_aChunkThatIsNotFullPaysNothing() public {
        submitFile(1, 256);
        vm.warp(block.timestamp + 10 * TERM);
        vm.deal(address(this), 1 ether);
        reward.donate{value: 1 ether}();
        _setBase(1000);
        _claim(0);
        assertEq(reward.payments(MINER), 0, "neither pool nor base reward");
        assertEq(reward.claimableNow(0), 0, "as announced");
    }

    function test_baseRewardsComeFromDonationsInTheFirstTerm() public {
        _fill();
        _setBase(600);
        _claim(1);
        assertEq(reward.payments(MINER), 0, "nothing was donated");
        reward.donate{value: 1000}();
        assertEq(reward.totalBaseReward(), 1000, "donated");
        _claim(1);
        assertEq(reward.payments(MINER), 600, "all of it");
        _claim(1);
        assertEq(reward.payments(MINER), 1000, "what was left");
        assertEq(reward.totalBaseReward(), 0, "nothing is left");
        reward.donate{value: 1000}();
        vm.warp(block.timestamp + TERM);
        uint256 before = reward.payments(MINER);
        uint256 half = reward.claimableNow(1);
        _claim(1);
        assertEq(reward.payments(MINER) - before, half, "its time is over");
    }

    function test_theTreasuryGetsItsShare() public {
        vm.prank(ADMIN);
        reward.setTreasury(TREASURY);
        vm.prank(ADMIN);
        reward.setServiceFeeRate(2500);
        submitFile(1, 256);
        assertEq(reward.payments(TREASURY), WHOLE / 4, "a quarter");
        assertEq(reward.rewards(0).lockedReward, WHOLE - WHOLE / 4, "the rest");
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ChunkRewardBase.ServiceFeeTooHigh.selector, 10_001));
        reward.setServiceFeeRate(10_001);
        vm.prank(ADMIN);
        reward.setServiceFeeRate(10_000);
        submitFile(2, 256);
        assertEq(reward.payments(TREASURY), WHOLE / 4 + WHOLE, "all");
    }

    function test_onlyMarketAndMineMayMoveMoney() public {
        vm.expectRevert(abi.encodeWithSelector(ChunkRewardBase.NotMarket.selector, address(this), address(market)));
        reward.fillReward(1, 1);
        vm.expectRevert(abi.encodeWithSelector(ChunkRewardBase.NotMine.selector, address(this), address(mine)));
        reward.claimMineReward(0, MINER, "id");
        _fill();
        vm.prank(address(market));
        vm.expectRevert(abi.encodeWithSelector(ChunkRewardBase.ChunkFinished.selector, 1));
        reward.fillReward(SIZE, 1);
        vm.expectRevert(abi.encodeWithSelector(PullPayments.PaymentFailed.selector, address(flow), 0));
        reward.withdrawPayments(payable(address(flow)));
    }

    function test_aRenewalIsReleasedInItsTerm() public {
        uint256 pool = _fill();
        uint256 start = block.timestamp;
        assertEq(reward.paidUntil(SIZE, SIZE), start + TERM, "until");
        uint256 cost = SIZE * WHOLE;
        assertEq(reward.renewalCost(SIZE, SIZE, 2), 2 * cost, "cost");
        uint256 before = address(this).balance;
        reward.renew{value: 2 * cost + 5}(SIZE, SIZE, 2);
        assertEq(before - address(this).balance, 2 * cost, "the rest comes back");
        assertEq(reward.paidUntil(SIZE, SIZE), start + 3 * TERM, "two terms more");
        assertEq(reward.rewardDeadline(1), start + 3 * TERM, "of the chunk too");
        vm.warp(start + TERM);
        assertEq(reward.claimableNow(1), pool / 2, "nothing before its term");
        vm.warp(start + TERM + TERM / 2);
        assertEq(reward.claimableNow(1), (pool + cost / 2) / 2, "half of the first");
        _claim(1);
        vm.warp(start + 2 * TERM + TERM / 4);
        uint256 left = (pool + cost / 2) - (pool + cost / 2) / 2;
        assertEq(reward.claimableNow(1), (left + cost / 2 + cost / 4) / 2, "the rest and a quarter of the second");
        vm.warp(start + 9 * TERM);
        assertEq(reward.claimableNow(1), (left + cost / 2 + cost) / 2, "all");
        _claim(1);
        assertEq(reward.lockedFor(1, 1) + reward.lockedFor(1, 2), 0, "nothing is locked");
    }

    function test_aLaterRenewalDelaysNoEarlierOne() public {
        _fill();
        uint256 start = block.timestamp;
        reward.renew{value: SIZE * WHOLE}(SIZE, SIZE, 1);
        reward.renew{value: 60 * WHOLE}(SIZE + 1, 1, 60);
        assertEq(reward.rewardDeadline(1), start + 61 * TERM, "one sector, long");
        assertEq(reward.paidUntil(SIZE, SIZE), start + 2 * TERM, "all, one term");
        vm.warp(start + 2 * TERM);
        _claim(1);
        assertEq(reward.lockedFor(1, 1), 0, "the first term's is released");
        assertEq(reward.lockedFor(1, 2), WHOLE, "the second's is not");
        // Base rewards are for the first term, however long one sector is paid for.
        reward.donate{value: 1000}();
        _setBase(1000);
        _claim(1);
        assertEq(reward.totalBaseReward(), 1000, "no base reward");
    }

    function test_sectorsWhoseTimeIsOverArePaidForFromNow() public {
        _fill();
        uint256 start = block.timestamp;
        vm.warp(start + 3 * TERM + TERM / 4);
        assertEq(reward.renewalCost(SIZE, 10, 2), 10 * WHOLE * 3 / 4 + 10 * WHOLE, "three quarters, and one");
        reward.renew{value: 100 * WHOLE}(SIZE, 10, 2);
        assertEq(reward.paidUntil(SIZE, 10), start + 5 * TERM, "until");
        uint256 before = reward.claimableNow(1);
        vm.warp(start + 3 * TERM + TERM / 2);
        assertEq(reward.claimableNow(1) - before, 10 * WHOLE / 4 / 2, "a third of what its rest cost");
    }

    function test_aFileOverSeveralChunksIsRenewedInEach() public {
        submitFile(1, 200 * 256);
        submitFile(2, 256 * 256);
        uint256 start = block.timestamp;
        reward.renew{value: 200 * WHOLE}(256, 200, 1);
        assertEq(reward.paidUntil(256, 200), start + 2 * TERM, "all of it");
        for (uint256 i = 4; i < 7; ++i) {
            assertEq(reward.lockedFor(i, 1), SIZE * WHOLE, "whole chunks");
        }
        assertEq(reward.lockedFor(7, 1), 8 * WHOLE, "the last piece");
        vm.warp(start + TERM + 1);
        (uint256 first, uint256 time) = reward.firstRewardableChunk();
        assertEq(first, 4, "what is renewed is still rewarded");
        assertEq(time, block.timestamp, "as of now");
        vm.warp(start + 2 * TERM + 1);
        (first,) = reward.firstRewardableChunk();
        assertEq(first, 12, "the first that is not full");
    }

    function test_aPieceOfAnOpenChunkCanBeRenewed() public {
        submitFile(1, 256);
        reward.renew{value: WHOLE}(1, 1, 1);
        assertEq(reward.paidUntil(1, 1), 0, "its time has not begun");
        submitFile(2, 64 * 256);
        assertEq(reward.paidUntil(1, 1), block.timestamp + 2 * TERM, "two terms from now");
    }

    function test_renewalsThatCannotBeAreRefused() public {
        _fill();
        uint256 length = flowLength();
        bytes4 absent = ChunkLinearReward.NotInFlow.selector;
        vm.expectRevert(abi.encodeWithSelector(absent, SIZE, 0, length));
        reward.renew(SIZE, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(absent, length, 1, length));
        reward.renew(length, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(absent, type(uint256).max, 2, length));
        reward.renew(type(uint256).max, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(ChunkLinearReward.BadTerms.selector, 0));
        reward.renew(SIZE, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ChunkLinearReward.BadTerms.selector, 65));
        reward.renew(SIZE, 1, 65);
        vm.expectRevert(abi.encodeWithSelector(ChunkLinearReward.RenewalUnderpaid.selector, WHOLE, WHOLE - 1));
        reward.renew{value: WHOLE - 1}(SIZE, 1, 1);
    }

    function testFuzz_theFirstRewardableChunkIsFound(uint16 chunks, uint16 seconds_) public {
        chunks = uint16(bound(chunks, 1, 20));
        for (uint256 i = 0; i < chunks; ++i) {
            flow.submit{value: SIZE * WHOLE}(Files.unhashed(SIZE * 256, SUBMITTER));
            vm.warp(block.timestamp + 100);
        }
        vm.warp(block.timestamp + bound(seconds_, 0, 3 * TERM));
        uint256 expected = 0;
        while (reward.rewardDeadline(expected) != 0 && reward.rewardDeadline(expected) < block.timestamp) ++expected;
        (uint256 first,) = reward.firstRewardableChunk();
        assertEq(first, expected, "first");
    }

    /// @dev Fills chunk 1, and says what is in its pool.
    function _fill() private returns (uint256) {
        submitFile(1, SIZE * 256);
        return reward.rewards(1).lockedReward;
    }

    function _claim(uint256 index) private {
        vm.prank(address(mine));
        reward.claimMineReward(index, MINER, "id");
    }

    function _setBase(uint256 amount) private {
        vm.prank(ADMIN);
        reward.setBaseReward(amount);
    }
}

/// @notice Release without an end.
contract DecayTest is FlowFixture {
    uint256 private constant YEAR = 372 days;
    uint128 private constant POOL = 1e27;

    ChunkDecayReward private _decay;

    function setUp() public {
        vm.warp(1_800_000_000);
        _decay = ChunkDecayReward(
            deployed("reward/ChunkDecayReward.sol:ChunkDecayReward", abi.encode(64, 40, address(this), address(this), ADMIN))
        );
        vm.deal(address(this), POOL);
        _decay.fillReward{value: POOL}(0, 64);
    }

    /// @dev e^-0.04 and so on, to 18 places.
    function test_decayAsTheExponentialFunction() public {
        uint256 start = block.timestamp;
        _leaves(start + YEAR, 960789439152323209);
        _leaves(start + 25 * YEAR, 367879441171442321);
        _leaves(start + 100 * YEAR, 18315638888734180);
        _leaves(start + 2000 * YEAR, 0);
    }

    function testFuzz_stepsComeToTheSame(uint256 first, uint256 second) public {
        first = bound(first, 0, 50 * YEAR);
        second = bound(second, 0, 50 * YEAR);
        uint256 snapshot = block.timestamp;
        vm.warp(snapshot + first + second);
        uint256 atOnce = 2 * _decay.claimableNow(0);
        vm.warp(snapshot + first);
        _decay.claimMineReward(0, address(0xBE), "id");
        vm.warp(snapshot + first + second);
        _decay.claimMineReward(0, address(0xBE), "id");
        uint256 released = POOL - _decay.rewards(0).lockedReward;
        uint256 gap = released > atOnce ? released - atOnce : atOnce - released;
        assertTrue(gap <= POOL / 1e18, "within one part of 10^18");
    }

    function test_baseRewardsHaveNoEnd() public {
        vm.prank(ADMIN);
        _decay.setBaseReward(5);
        vm.deal(address(this), 5);
        _decay.donate{value: 5}();
        _decay.claimMineReward(7, address(0xBE), "id");
        assertEq(_decay.payments(address(0xBE)), 5, "base reward");
    }

    function test_ratesThatCannotBe() public {
        vm.expectRevert(abi.encodeWithSelector(ChunkDecayReward.BadDecayRate.selector, 0));
        new ChunkDecayReward(64, 0, address(this), address(this), ADMIN);
    }

    function _leaves(uint256 time, uint256 part) private {
        vm.warp(time);
        uint256 left = POOL - 2 * _decay.claimableNow(0);
        uint256 expected = (uint256(POOL) * part) / 1e18;
        uint256 gap = left > expected ? left - expected : expected - left;
        assertTrue(gap <= POOL / 1e17, "within one part of 10^17");
    }
}
