// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../../src/Administered.sol";
import {BlockHashes} from "../../src/log/BlockHashes.sol";
import {MiningSchedule} from "../../src/pora/MiningSchedule.sol";
import {PoraMine} from "../../src/pora/PoraMine.sol";
import {MiningParameters, PoraAnswer, RecallRange} from "../../src/pora/PoraTypes.sol";
import {RecallRanges} from "../../src/pora/RecallRanges.sol";
import {HistoryContract} from "./support/EpochModel.sol";
import {MiningFixture} from "./support/MiningFixture.sol";

/// @notice Difficulty, ranges, and what the admin may set.
contract MiningScheduleTest is MiningFixture {
    uint256 private constant EASIEST = type(uint256).max;

    /// @dev One hash of eight counts, and never more than every second.
    function miningParameters() internal pure override returns (MiningParameters memory parameters) {
        parameters = super.miningParameters();
        parameters.difficulty = 8;
        parameters.minDifficulty = 2;
    }

    function setUp() public {
        beginMining(LENGTH);
    }

    function test_theTargetFollowsTheAnswers() public {
        assertEq(mine.poraTarget(), EASIEST / 8, "first");
        _answer(4);
        _enterNext();
        uint256 t = (EASIEST / 8) >> 16;
        assertEq(mine.poraTarget(), ((t * 19 + t / 2) / 20) << 16, "twice the answers that are wanted");
        t = mine.poraTarget() >> 16;
        _answer(1);
        _enterNext();
        assertEq(mine.poraTarget(), ((t * 19 + t * 2) / 20) << 16, "half of them");
        t = mine.poraTarget();
        _answer(2);
        _enterNext();
        assertEq(mine.poraTarget(), t, "all of them");
    }

    function test_everyEpochWithoutAnswersHalvesTheDifficulty() public {
        _answer(2);
        uint256 target = (mine.poraTarget() >> 16) << 16;
        nextEpoch();
        nextEpoch();
        openWindow(minerId);
        mine.canSubmit();
        assertEq(mine.poraTarget(), target * 2, "one epoch without answers");
        vm.roll(block.number + 50 * EPOCH_BLOCKS);
        mine.canSubmit();
        assertEq(mine.poraTarget(), EASIEST / 2, "down to the least difficulty");
    }

    function testFuzz_anEpochMovesTheTargetWithinItsBounds(
        uint256 target,
        uint256 answers,
        uint256 wanted,
        uint256 ratio,
        uint256 epochs
    ) public view {
        target = bound(target, 1 << 32, EASIEST);
        wanted = bound(wanted, 1, 65_535);
        answers = bound(answers, 0, 2 * wanted);
        ratio = bound(ratio, 1, 10_000);
        uint256 next = libraries.afterEpochs(target, answers, wanted, ratio, 1, EASIEST);
        assertTrue(next >= target / 2 - (1 << 16), "no harder than twice");
        assertTrue(target > EASIEST / 2 || next <= 2 * target, "no easier than half");
        if (answers > wanted) assertTrue(next <= target, "too many answers make it harder");
        if (answers <= wanted) assertTrue(next >= (target >> 16) << 16, "too few make it easier");
        // Epochs one by one come to the same as all at once.
        epochs = bound(epochs, 1, 300);
        uint256 oneByOne = next;
        for (uint256 i = 1; i < epochs; ++i) {
            oneByOne = oneByOne > EASIEST / 2 ? EASIEST : oneByOne * 2;
        }
        assertEq(libraries.afterEpochs(target, answers, wanted, ratio, epochs, EASIEST), oneByOne, "all at once");
        assertTrue(libraries.afterEpochs(target, answers, wanted, ratio, epochs, target) <= target, "bound");
    }

    /// @dev The same numbers are in foundation/pora/test/target.test.ts.
    function test_knownTargets() public view {
        uint256 first = EASIEST / 1_000_000;
        _leads(first, 200, 1, 100, 20, EASIEST, 0x105b97d64afad01556a95a00fd56019454b63aba1031a66b3933fe330000);
        _leads(first, 37, 1, 100, 20, EASIEST, 0x12349eb2e3dc114778c172e53f90275e4ce511fe180e198ccd3c86f50000);
        _leads(first, 1, 3, 100, 20, EASIEST, 0x8637bd05af6c69b5a63f9a49c2c1b10fd7e45803cd141a6937d1fe600000);
        _leads(first, 0, 25, 100, 20, EASIEST / 10, EASIEST / 10);
        _leads(0x27e41b3246bec9b16e398115, 9, 2, 5, 7, EASIEST, 0x4ab76fe4437dbaca4c6a0000);
        _leads(0xffff, 0, 2, 1, 1, EASIEST, 0x40000);
        _leads(EASIEST, 0, 1, 1, 20, EASIEST, (EASIEST >> 16) << 16);
        _leads(1, 0, 1 << 53, 100, 20, EASIEST, EASIEST);
    }

    function _leads(
        uint256 target,
        uint256 answers,
        uint256 epochs,
        uint256 wanted,
        uint256 ratio,
        uint256 easiest,
        uint256 left
    ) private view {
        assertEq(libraries.afterEpochs(target, answers, wanted, ratio, epochs, easiest), left, "target");
    }

    function testFuzz_rangesAreRefusedByName(uint256 length, uint256 from, uint256 sectors, uint64 id, uint64 mask)
        public
    {
        length = bound(length, 0, 1 << 40);
        (uint256 shards, bool contiguous) = _shardsOf(mask);
        uint256 end = length / 1024 * 1024;
        uint256 most = (1 << 35) * shards;
        bytes memory reason;
        if (!contiguous) reason = abi.encodeWithSelector(RecallRanges.ShardMaskNotContiguous.selector, mask);
        else if (shards > 32) reason = abi.encodeWithSelector(RecallRanges.TooManyShards.selector, shards, 32);
        else if (id & mask != 0) reason = abi.encodeWithSelector(RecallRanges.ShardIdOutsideMask.selector, id, mask);
        else if (from % (1 << 25) != 0) reason = abi.encodeWithSelector(RecallRanges.StartNotAligned.selector, from);
        else if (from > end || sectors > end - from) {
            reason = abi.encodeWithSelector(RecallRanges.RangeBeyondFlow.selector, from, sectors, end);
        } else if (sectors > most) {
            reason = abi.encodeWithSelector(RecallRanges.RangeTooLong.selector, sectors, most);
        } else {
            uint256 least = end < most ? end : most;
            if (least < 1024) least = 1024;
            if (sectors < least) reason = abi.encodeWithSelector(RecallRanges.RangeTooShort.selector, sectors, least);
        }
        if (reason.length > 0) vm.expectRevert(reason);
        libraries.requireValid(RecallRange(from, sectors, id, mask), length, 32);
    }

    function test_legalRanges() public {
        uint64 all = type(uint64).max;
        assertEq(libraries.requireValid(RecallRange(0, 5 << 10, 0, all), 5 << 10 | 7, 32), 1, "all loads");
        assertEq(libraries.requireValid(RecallRange(0, 5 << 10, 31, all - 31), 5 << 10, 32), 32, "a shard");
        uint256 length = (1 << 36) + (1 << 25);
        assertEq(libraries.requireValid(RecallRange(1 << 25, 1 << 35, 0, all), length, 1), 1, "8 TiB of more");
        bytes4 tooLong = RecallRanges.RangeTooLong.selector;
        _rangeRefused(RecallRange(0, length, 0, all), length, abi.encodeWithSelector(tooLong, length, 1 << 35));
        bytes4 tooShort = RecallRanges.RangeTooShort.selector;
        _rangeRefused(RecallRange(0, 1024, 0, all), 2048, abi.encodeWithSelector(tooShort, 1024, 2048));
        _rangeRefused(RecallRange(0, 0, 0, all), 1023, abi.encodeWithSelector(tooShort, 0, 1024));
        bytes4 mask = RecallRanges.ShardMaskNotContiguous.selector;
        _rangeRefused(RecallRange(0, 2048, 0, all - 2), 2048, abi.encodeWithSelector(mask, all - 2));
    }

    function testFuzz_whatIsRecalledLiesInTheRange(bytes32 seed, uint256 loads, uint8 bits, uint64 id) public view {
        loads = bound(loads, 1, 1 << 25);
        uint64 free = uint64((1 << bound(bits, 0, 5)) - 1);
        id &= free;
        RecallRange memory range = RecallRange(1 << 25, loads * 1024, id, ~free);
        (bool inside, bytes memory answer) =
            address(libraries).staticcall(abi.encodeCall(libraries.recall, (range, seed)));
        uint256 index = (uint64(uint256(seed) % loads) / (free + 1)) * (free + 1) + id;
        assertTrue(inside == (index < loads), "strictly inside");
        if (inside) {
            assertEq(abi.decode(answer, (uint256)), (1 << 25) + index * 1024, "load");
        } else {
            bytes memory reason = abi.encodeWithSelector(RecallRanges.RecallOutsideRange.selector, index, loads);
            assertEq(keccak256(answer), keccak256(reason), "reason");
        }
    }

    function test_stagedParametersCountFromTheNextEpoch() public {
        vm.prank(ADMIN);
        mine.setTargetSubmissions(7);
        vm.prank(ADMIN);
        mine.setNumSubtasks(2);
        vm.prank(ADMIN);
        mine.setSubtaskInterval(60);
        _answer(1);
        assertEq(mine.targetSubmissions(), 2, "answers now");
        assertEq(mine.nSubtasks(), 3, "windows now");
        assertEq(mine.subtaskInterval(), 50, "interval now");
        _enterNext();
        assertEq(mine.targetSubmissions(), 7, "answers then");
        assertEq(mine.nSubtasks(), 2, "windows then");
        assertEq(mine.subtaskInterval(), 60, "interval then");
    }

    function test_theAdminSetsTheRestAtOnce() public {
        vm.prank(ADMIN);
        mine.setTargetMineBlocks(98);
        assertEq(mine.targetMineBlocks(), 98, "window");
        vm.prank(ADMIN);
        mine.setMaxShards(1024);
        assertEq(mine.maxShards(), 1024, "shards");
        vm.prank(ADMIN);
        mine.setDifficultyAdjustRatio(1);
        assertEq(mine.difficultyAdjustRatio(), 1, "ratio");
        vm.prank(ADMIN);
        mine.setMinDifficulty(100);
        assertEq(mine.poraTarget(), EASIEST / 100, "the target is cut at once");
        _adminRefused(abi.encodeCall(mine.setTargetMineBlocks, (99)), _beyond(200));
        _adminRefused(abi.encodeCall(mine.setNumSubtasks, (4)), _beyond(249));
        _adminRefused(abi.encodeCall(mine.setSubtaskInterval, (51)), _beyond(201));
        _adminRefused(abi.encodeCall(mine.setTargetMineBlocks, (0)), _bad("targetMineBlocks", 0));
        _adminRefused(abi.encodeCall(mine.setTargetMineBlocks, (257)), _bad("targetMineBlocks", 257));
        _adminRefused(abi.encodeCall(mine.setNumSubtasks, (0)), _bad("nSubtasks", 0));
        _adminRefused(abi.encodeCall(mine.setTargetSubmissions, (0)), _bad("targetSubmissions", 0));
        _adminRefused(abi.encodeCall(mine.setTargetSubmissions, (65_536)), _bad("targetSubmissions", 65_536));
        _adminRefused(abi.encodeCall(mine.setNumSubtasks, (1 << 32)), _bad("nSubtasks", 1 << 32));
        _adminRefused(abi.encodeCall(mine.setSubtaskInterval, (1 << 32)), _bad("subtaskInterval", 1 << 32));
        _adminRefused(abi.encodeCall(mine.setMaxShards, (0)), _bad("maxShards", 0));
        _adminRefused(abi.encodeCall(mine.setMaxShards, (3)), _bad("maxShards", 3));
        _adminRefused(abi.encodeCall(mine.setMaxShards, (2048)), _bad("maxShards", 2048));
        _adminRefused(abi.encodeCall(mine.setDifficultyAdjustRatio, (0)), _bad("difficultyAdjustRatio", 0));
        _adminRefused(abi.encodeCall(mine.setDifficultyAdjustRatio, (10_001)), _bad("difficultyAdjustRatio", 10_001));
        vm.expectRevert(abi.encodeWithSelector(Administered.NotAdmin.selector, address(this), ADMIN));
        mine.setMinDifficulty(1);
    }

    function test_longWindowsNeedAHistoryOfHashes() public {
        MiningParameters memory parameters = miningParameters();
        parameters.targetMineBlocks = 257;
        deploySized(PRICE, 10_000, 0, PRICE_SIZE);
        vm.prank(ADMIN);
        mine.setTargetMineBlocks(256);
        _adminRefused(abi.encodeCall(mine.setTargetMineBlocks, (257)), _bad("targetMineBlocks", 257));
        vm.etch(BlockHashes.HISTORY, type(HistoryContract).runtimeCode);
        deploySized(PRICE, 10_000, 0, PRICE_SIZE);
        vm.prank(ADMIN);
        mine.setTargetMineBlocks(8191);
        _adminRefused(abi.encodeCall(mine.setTargetMineBlocks, (8192)), _bad("targetMineBlocks", 8192));
    }

    function test_constructorsRefuseParametersThatCannotWork() public {
        MiningParameters memory parameters = miningParameters();
        parameters.difficulty = 0;
        vm.expectRevert(_bad("difficulty", 0));
        new PoraMine(address(flow), address(reward), 0, parameters, ADMIN);
        parameters = miningParameters();
        parameters.nSubtasks = 4;
        parameters.subtaskInterval = 60;
        vm.expectRevert(_beyond(221));
        new PoraMine(address(flow), address(reward), 0, parameters, ADMIN);
    }

    /// @dev Answers `count` times in the current epoch.
    function _answer(uint256 count) private {
        uint256 done = 0;
        for (uint256 nonce = mine.lastMinedEpoch() << 64; done < count; ++nonce) {
            PoraAnswer memory answer = findAnswer(minerId, nonce, 9);
            nonce = uint256(answer.nonce);
            try mine.submit(answer) {
                ++done;
            } catch (bytes memory reason) {
                assertTrue(bytes4(reason) == PoraMine.TargetMissed.selector, "missed");
            }
        }
    }

    function _enterNext() private {
        nextEpoch();
        openWindow(minerId);
        mine.canSubmit();
    }

    function _shardsOf(uint64 mask) private pure returns (uint256 shards, bool contiguous) {
        shards = 1;
        while (shards < 1 << 64 && (mask / shards) % 2 == 0) shards *= 2;
        contiguous = mask == type(uint64).max - (shards - 1);
    }

    function _rangeRefused(RecallRange memory range, uint256 length, bytes memory reason) private {
        vm.expectRevert(reason);
        libraries.requireValid(range, length, 32);
    }

    function _adminRefused(bytes memory call, bytes memory reason) private {
        vm.prank(ADMIN);
        (bool success, bytes memory answer) = address(mine).call(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(answer), keccak256(reason), "reason");
    }

    function _bad(bytes32 name, uint256 value) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MiningSchedule.BadMiningParameter.selector, name, value);
    }

    function _beyond(uint256 blocks) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MiningSchedule.WindowsBeyondEpoch.selector, blocks, EPOCH_BLOCKS);
    }
}

/// @notice The development modes.
contract MiningModesTest is MiningFixture {
    function settings() internal pure override returns (uint256) {
        return 7;
    }

    function setUp() public {
        beginMining(LENGTH);
    }

    function test_withoutSealsProofsAndTargetsEveryHashCounts() public {
        assertEq(mine.settings(), 7, "settings");
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        answer.sealedData = wordsAt(answer.recallPosition);
        answer.merkleProof = new bytes32[](0);
        mine.submit(answer);
        vm.roll(block.number + 10 * EPOCH_BLOCKS);
        mine.canSubmit();
        assertEq(mine.poraTarget(), type(uint256).max, "fixed");
    }
}
