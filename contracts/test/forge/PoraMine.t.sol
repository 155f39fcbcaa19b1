// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashes} from "../../src/log/BlockHashes.sol";
import {MineContext} from "../../src/log/FlowTypes.sol";
import {MinerIds} from "../../src/pora/MinerIds.sol";
import {MiningSchedule} from "../../src/pora/MiningSchedule.sol";
import {PoraMine} from "../../src/pora/PoraMine.sol";
import {PoraAnswer, RecallRange, WorkerContext} from "../../src/pora/PoraTypes.sol";
import {RecallRanges} from "../../src/pora/RecallRanges.sol";
import {MiningFixture} from "./support/MiningFixture.sol";
import {Vm} from "./support/Test.sol";

/// @notice Answers that are taken, and why others are not.
contract PoraMineTest is MiningFixture {
    function setUp() public {
        beginMining(LENGTH);
    }

    function test_anHonestAnswerIsTakenAndPaid() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        vm.warp(block.timestamp + TERM / 2);
        vm.recordLogs();
        mine.submit(answer);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        assertEq(last.topics[0], PoraMine.NewSubmission.selector, "event");
        assertEq(uint256(last.topics[1]), 1, "epoch");
        assertEq(last.topics[2], minerId, "miner");
        assertEq(keccak256(last.data), keccak256(abi.encode(0, answer.recallPosition)), "index and position");
        assertEq(mine.currentSubmissions(), 1, "count");
        assertEq(mine.lastMinedEpoch(), 1, "epoch");
        assertEq(reward.payments(BENEFICIARY), 1024 * PRICE / 4, "half of half of the pool");
        mine.submit(findAnswer(minerId, 100, 5));
        assertEq(reward.payments(BENEFICIARY), 1024 * PRICE * 3 / 8, "then half of what is left");
    }

    function testFuzz_anyPlaceOfALoadCanBeAnswered(uint256 nonce, uint256 sealOffset) public {
        mine.submit(findAnswer(minerId, bound(nonce, 0, 1 << 128), bound(sealOffset, 0, 63)));
    }

    function test_aShardIsAnswered() public {
        RecallRange memory range = RecallRange(0, LENGTH, 1, type(uint64).max - 1);
        uint256 target = (type(uint256).max / libraries.scaleX64(LENGTH, 2)) << 64;
        bytes32 subtask = mine.getSubtaskDigest(flow.getContext(), minerId);
        for (uint256 nonce = 0; mine.currentSubmissions() < 2; ++nonce) {
            PoraAnswer memory answer = answerTo(minerId, nonce, 63, range);
            assertEq(answer.recallPosition, LENGTH - 16, "every nonce draws the shard's own load");
            uint256 hash = uint256(mine.pora(answer, subtask));
            if (hash <= target) mine.submit(answer);
            else _refused(answer, abi.encodeWithSelector(PoraMine.TargetMissed.selector, hash, target));
        }
    }

    function test_aRepeatedAnswerIsRefused() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        mine.submit(answer);
        bytes32 hash = mine.pora(answer, mine.getSubtaskDigest(flow.getContext(), minerId));
        _refused(answer, abi.encodeWithSelector(PoraMine.AnswerRepeated.selector, hash));
    }

    function test_anotherMinersAnswerIsRefused() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        answer.minerId = 0;
        _refused(answer, abi.encodeWithSelector(MinerIds.MinerIdZero.selector));
        answer.minerId = "nobody";
        _refused(answer, abi.encodeWithSelector(MinerIds.MinerIdUnknown.selector, bytes32("nobody")));
        // An id with a window now, that takes what another has sealed.
        bytes32 thief = _idInWindow();
        answer.minerId = thief;
        _refusedBy(answer, PoraMine.NotInFlow.selector);
        bytes32[128] memory stolen = findAnswer(minerId, 1, 5).sealedData;
        answer = findAnswer(thief, 1, 5);
        answer.sealedData = stolen;
        _refusedBy(answer, PoraMine.NotInFlow.selector);
    }

    function test_paddingIsRefused() public {
        for (uint256 nonce = 0; ; ++nonce) {
            PoraAnswer memory answer = answerTo(minerId, nonce, 63, wholeRange());
            if (answer.recallPosition >= FILE_START) continue;
            _refused(answer, abi.encodeWithSelector(PoraMine.ZeroSeal.selector, answer.recallPosition));
            break;
        }
    }

    function test_answersOutsideTheWindowAreRefused() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        uint256 start = windowStart(minerId);
        vm.roll(start);
        _refused(answer, abi.encodeWithSelector(MiningSchedule.SubtaskNotStarted.selector, start));
        vm.roll(start + WINDOW + 1);
        _refused(answer, abi.encodeWithSelector(MiningSchedule.SubtaskOver.selector, start + WINDOW));
        vm.roll(start + WINDOW);
        mine.submit(answer);
    }

    function test_answersOfAPastEpochAreRefused() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        bytes32 digest = nextEpoch().digest;
        openWindow(minerId);
        _refused(answer, abi.encodeWithSelector(PoraMine.OtherContext.selector, answer.contextDigest, digest));
    }

    function test_anEmptyContextCannotBeMined() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        vm.roll(flow.firstBlock() + 100 * EPOCH_BLOCKS - 1);
        assertEq(BlockHashes.hashOf(flow.firstBlock() + 98 * EPOCH_BLOCKS), 0, "no hash of the epoch's first block");
        vm.setBlockhash(flow.firstBlock() + 99 * EPOCH_BLOCKS, 0);
        _refused(answer, abi.encodeWithSelector(MiningSchedule.EmptyContext.selector));
    }

    function test_aWindowWithoutHashCannotBeMined() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        uint256 start = windowStart(minerId);
        vm.setBlockhash(start, 0);
        _refused(answer, abi.encodeWithSelector(MiningSchedule.SubtaskHashGone.selector, start));
    }

    function test_anEpochTakesTwiceWhatIsWanted() public {
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(mine.canSubmit(), "room");
            mine.submit(findAnswer(minerId, 100 * i, 5));
        }
        assertTrue(!mine.canSubmit(), "full");
        _refused(findAnswer(minerId, 1000, 5), abi.encodeWithSelector(PoraMine.EpochFull.selector, 4));
        nextEpoch();
        openWindow(minerId);
        assertTrue(mine.canSubmit(), "room again");
        mine.submit(findAnswer(minerId, 2000, 5));
    }

    function test_whatTheNonceDidNotDrawIsRefused() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        uint256 drawn = answer.recallPosition;
        answer.sealOffset = 64;
        _refused(_moved(answer, drawn), abi.encodeWithSelector(PoraMine.SealOffsetTooLarge.selector, 64));
        answer.sealOffset = 5;
        bytes memory wrong = abi.encodeWithSelector(PoraMine.WrongRecallPosition.selector, drawn + 16, drawn);
        _refused(_moved(answer, drawn + 16), wrong);
        bytes memory beyond = abi.encodeWithSelector(PoraMine.RecallBeyondFlow.selector, type(uint256).max, LENGTH);
        answer.recallPosition = type(uint256).max;
        _refused(answer, beyond);
    }

    function test_otherDataIsRefused() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        answer.sealedData[127] ^= bytes32(uint256(1));
        _refusedBy(answer, PoraMine.NotInFlow.selector);
        answer.sealedData[127] ^= bytes32(uint256(1));
        answer.merkleProof[6] = 0;
        _refusedBy(answer, PoraMine.NotInFlow.selector);
        answer.merkleProof = new bytes32[](0);
        _refusedBy(answer, PoraMine.NotInFlow.selector);
    }

    function test_dataIsSealedInTheContextThatTookIt() public {
        PoraAnswer memory answer = findAnswer(minerId, 1, 5);
        answer.sealedContextDigest = keccak256("");
        bytes4 refusal = PoraMine.OtherSealContext.selector;
        _refused(answer, abi.encodeWithSelector(refusal, keccak256(""), 0, 0));
        submitFile(1, 300);
        bytes32 later = nextEpoch().digest;
        openWindow(minerId);
        answer = findAnswer(minerId, 1, 5);
        answer.sealedContextDigest = later;
        _refused(answer, abi.encodeWithSelector(refusal, later, LENGTH, flowLength()));
    }

    function test_theWorkerSeesWhatIsTaken() public {
        WorkerContext memory worker = _worker();
        MineContext memory context = flow.getContext();
        assertEq(keccak256(abi.encode(worker.context)), keccak256(abi.encode(context)), "context");
        assertEq(worker.poraTarget, mine.poraTarget(), "target");
        assertEq(worker.subtaskDigest, mine.getSubtaskDigest(context, minerId), "sub-task");
        assertEq(worker.maxShards, 4, "shards");
        uint256 start = windowStart(minerId);
        vm.roll(start + WINDOW + 1);
        assertEq(_worker().poraTarget, 0, "nothing after the window");
        assertEq(_worker().subtaskDigest, 0, "no sub-task after the window");
        vm.roll(start + 1);
        for (uint256 i = 0; i < 4; ++i) {
            mine.submit(findAnswer(minerId, 100 * i, 5));
        }
        assertEq(_worker().poraTarget, 0, "nothing when the epoch is full");
        // Contexts that are due are counted in.
        vm.roll(flow.firstBlock() + 2 * EPOCH_BLOCKS + 1);
        assertEq(_worker().context.epoch, 2, "epoch");
        vm.expectRevert(abi.encodeWithSelector(PoraMine.NotForTransactions.selector, address(this)));
        mine.computeWorkerContext(minerId);
    }

    function test_minerIds() public {
        bytes32 expected =
            keccak256(abi.encodePacked(blockhash(block.number - 1), address(this), uint64(9)));
        vm.recordLogs();
        assertEq(mine.requestMinerId(BENEFICIARY, 9), expected, "id");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        assertEq(logs[0].topics[1], expected, "its id");
        assertEq(mine.beneficiaries(expected), BENEFICIARY, "beneficiary");
        vm.expectRevert(abi.encodeWithSelector(MinerIds.MinerIdTaken.selector, expected));
        mine.requestMinerId(BENEFICIARY, 9);
        vm.expectRevert(abi.encodeWithSelector(MinerIds.BeneficiaryZero.selector));
        mine.requestMinerId(address(0), 10);
        vm.expectRevert(abi.encodeWithSelector(MinerIds.NotBeneficiary.selector, address(this), BENEFICIARY));
        mine.transferBeneficial(address(this), expected);
        vm.prank(BENEFICIARY);
        mine.transferBeneficial(address(this), expected);
        assertEq(mine.beneficiaries(expected), address(this), "moved");
        vm.expectRevert(abi.encodeWithSelector(MinerIds.BeneficiaryZero.selector));
        mine.transferBeneficial(address(0), expected);
    }

    /// @dev An answer about other sectors of the flow, with their data and path.
    function _moved(PoraAnswer memory answer, uint256 position) private view returns (PoraAnswer memory) {
        answer.recallPosition = position;
        bytes32 context = answer.sealedContextDigest;
        bytes32 mask = keccak256(abi.encodePacked(answer.minerId, context, position));
        bytes32[128] memory plain = wordsAt(position);
        for (uint256 i = 0; i < 128; ++i) {
            answer.sealedData[i] = plain[i] ^ mask;
            mask = keccak256(abi.encodePacked(answer.sealedData[i]));
        }
        answer.merkleProof = pathOf(position);
        return answer;
    }

    /// @dev Another id whose window is open now.
    function _idInWindow() private returns (bytes32 id) {
        uint256 start = windowStart(minerId);
        for (uint64 seed = 1; ; ++seed) {
            id = mine.requestMinerId(address(this), seed);
            if (windowStart(id) == start) return id;
        }
    }

    function _worker() private returns (WorkerContext memory) {
        vm.prank(address(0x0A));
        return mine.computeWorkerContext(minerId);
    }

    function _refused(PoraAnswer memory answer, bytes memory reason) private {
        vm.expectRevert(reason);
        mine.submit(answer);
    }

    function _refusedBy(PoraAnswer memory answer, bytes4 selector) private {
        (bool success, bytes memory reason) = address(mine).call(abi.encodeCall(PoraMine.submit, (answer)));
        assertTrue(!success && bytes4(reason) == selector, "refused by name");
    }
}
