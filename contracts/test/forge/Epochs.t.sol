// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashes} from "../../src/log/BlockHashes.sol";
import {EpochClock} from "../../src/log/EpochClock.sol";
import {EpochRange, EpochRangeWithContextDigest, MineContext} from "../../src/log/FlowTypes.sol";
import {RootHistory} from "../../src/log/RootHistory.sol";
import {EpochModel, HistoryContract} from "./support/EpochModel.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {Vm} from "./support/Test.sol";

/// @notice Mining epochs against a model that makes every context, and what a long silence costs.
contract EpochsTest is FlowFixture {
    bytes32 private constant EMPTY = keccak256("");

    function testFuzz_contextsMatchTheModel(uint256 seed, uint256 blocksPerEpoch, bool hasHistory) public {
        blocksPerEpoch = bound(blocksPerEpoch, 20, 9000);
        deploy(PRICE, blocksPerEpoch, bound(seed, 0, 50));
        if (hasHistory) _etchHistory();
        EpochModel model = new EpochModel(flow.firstBlock(), blocksPerEpoch, hasHistory);
        vm.roll(flow.firstBlock());
        for (uint256 i = 0; i < 8; ++i) {
            uint256 chance = uint256(keccak256(abi.encode(seed, i)));
            vm.roll(block.number + bound(chance, 0, chance % 3 == 0 ? 20_000 : blocksPerEpoch));
            bytes32 root = flow.computeFlowRoot();
            uint256 length = flowLength();
            if (chance % 5 == 0) flow.makeContextFixedTimes(chance % 4);
            else if (chance % 5 == 1) flow.makeContext();
            else submitFile(i, bound(chance >> 8, 1, 40 * 256));
            model.catchUp(root, length, flow.epoch());
            if (chance % 5 != 0) assertTrue(!model.isDue(), "caught up");
            assertEq(keccak256(abi.encode(flow.getContext())), keccak256(abi.encode(model.context())), "context");
        }
        flow.makeContext();
        model.catchUp(flow.computeFlowRoot(), flowLength(), flow.epoch());
        assertTrue(!model.isDue(), "caught up");
        assertEq(flow.epochStartPosition(), model.startPosition(), "start position");
        for (uint256 position = 0; position < flowLength(); position += 1 + position / 8) {
            _compareRange(model, uint128(position));
        }
    }

    function test_aContextFreezesTheFlowAtItsBlock() public {
        deploy(PRICE, 100, 0);
        submitFile(1, 300);
        bytes32 root = flow.computeFlowRoot();
        vm.roll(1100);
        flow.makeContext();
        assertEq(flow.epoch(), 0, "the epoch's own block is too early");
        vm.roll(1101);
        vm.recordLogs();
        submitFile(2, 5000);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        MineContext memory context = flow.getContext();
        bytes32 digest = keccak256(abi.encode(blockhash(1100), root, uint256(4)));
        assertEq(context.epoch, 1, "epoch");
        assertEq(context.mineStart, 1100, "mine start");
        assertEq(context.flowRoot, root, "the later submission is not in it");
        assertEq(context.flowLength, 4, "length");
        assertEq(context.blockDigest, blockhash(1100), "block digest");
        assertEq(context.digest, digest, "digest");
        EpochRange memory range = flow.getEpochRange(digest);
        assertEq(range.start, 0, "range start");
        assertEq(range.end, 4, "range end");
        assertEq(flow.getEpochRangeHistory(0).digest, digest, "history");

        assertEq(logs.length, 2, "events");
        assertEq(
            logs[0].topics[0], 0xbc8a3fd82465d43f1709e44ed882f7e1af0147274196ef1ec009f5d52ff4e993, "NewEpoch first"
        );
        assertEq(
            logs[1].topics[0], 0x167ce04d2aa1981994d3a31695da0d785373335b1078cec239a1a3a2c7675555, "Submit second"
        );
        assertEq(keccak256(logs[0].data), keccak256(abi.encode(root, uint256(1), uint256(4), digest)), "NewEpoch");
    }

    function test_silenceCostsTwoContextsAtMost() public {
        deploy(PRICE, 1, 0);
        _etchHistory();
        submitFile(1, 300);
        vm.roll(block.number + 3);
        submitFile(2, 300);
        vm.roll(block.number + 50_000_000);
        vm.recordLogs();
        uint256 before = gasleft();
        submitFile(3, 300);
        uint256 used = before - gasleft();
        assertTrue(used < 600_000, "gas after fifty million silent epochs");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 5, "two skips, two contexts, one submission");
        assertEq(logs[0].topics[0], EpochClock.EpochsSkipped.selector, "skip without hash");
        assertEq(logs[1].topics[0], EpochClock.NewEpoch.selector, "context that takes the sectors");
        assertEq(logs[2].topics[0], EpochClock.EpochsSkipped.selector, "skip of empty ranges");
        assertEq(logs[3].topics[0], EpochClock.NewEpoch.selector, "current context");
        assertEq(uint256(logs[1].topics[2]), block.number - 8191 - 1000, "oldest block with a hash");
        assertEq(flow.getContext().mineStart, block.number - 1, "newest block with a hash");
    }

    function test_stepsMakeEveryContext() public {
        deploy(PRICE, 100, 0);
        _etchHistory();
        submitFile(1, 300);
        vm.roll(20_000);
        flow.makeContextFixedTimes(0);
        assertEq(flow.epoch(), 109, "the first with a hash: block 11,900");
        flow.makeContextFixedTimes(9);
        assertEq(flow.epoch(), 119, "ten more");
        flow.makeContextFixedTimes(type(uint256).max);
        assertEq(flow.epoch(), 189, "all");
        assertEq(flow.getEpochRangeHistory(80).start, 4, "empty ranges are recorded too");
        assertEq(flow.queryContextAtPosition(3).digest, flow.getEpochRangeHistory(0).digest, "the first has them");
        vm.expectRevert(abi.encodeWithSelector(EpochClock.UnknownEpochRange.selector, 81, 81));
        flow.getEpochRangeHistory(81);
    }

    /// @dev A digest that is known in advance must never become minable.
    function test_withoutAHashAContextIsEmpty() public {
        deploy(PRICE, 1000, 0);
        submitFile(1, 300);
        vm.roll(2300);
        flow.makeContext();
        MineContext memory context = flow.getContext();
        assertEq(context.epoch, 1, "epoch");
        assertEq(context.blockDigest, EMPTY, "block digest");
        assertEq(context.digest, EMPTY, "digest");
        assertEq(flow.getEpochRange(EMPTY).end, 0, "no range");
        vm.expectRevert(abi.encodeWithSelector(EpochClock.NoContextAtPosition.selector, 2));
        flow.queryContextAtPosition(2);
        vm.expectRevert(abi.encodeWithSelector(EpochClock.PositionBeyondFlow.selector, 4, 4));
        flow.queryContextAtPosition(4);
        vm.roll(3001);
        assertEq(flow.queryContextAtPosition(2).start, 0, "the next context takes the sectors");
    }

    function test_blockHashWindows() public {
        vm.roll(100_000);
        assertEq(BlockHashes.hashOf(99_999), blockhash(99_999), "last block");
        assertTrue(BlockHashes.hashOf(99_744) != 0, "256 back");
        assertEq(BlockHashes.hashOf(99_743), 0, "257 back without the history contract");
        assertEq(BlockHashes.hashOf(100_000), 0, "this block");
        _etchHistory();
        assertEq(BlockHashes.hashOf(99_743), keccak256(abi.encode("history", 99_743)), "257 back");
        assertTrue(BlockHashes.hashOf(91_809) != 0, "8,191 back");
        assertEq(BlockHashes.hashOf(91_808), 0, "8,192 back");
        // A contract that answers in another shape is no source of hashes.
        vm.etch(BlockHashes.HISTORY, hex"60406000f3");
        assertEq(BlockHashes.hashOf(99_743), 0, "an answer of 64 bytes");
    }

    function test_rootHistoryKeepsTheLastThousand() public {
        deploy(PRICE, 1, 0);
        _etchHistory();
        RootHistory history = RootHistory(flow.rootHistory());
        submitFile(1, 300);
        bytes32 root = flow.computeFlowRoot();
        vm.roll(1000 + 1002);
        flow.makeContextFixedTimes(type(uint256).max);
        assertEq(history.nextIndex(), 1001, "roots");
        assertTrue(!history.available(0) && history.available(1) && !history.available(1001), "window");
        assertEq(history.rootAt(1000), root, "root");
        assertTrue(history.contains(root) && !history.contains("other"), "contains");
        vm.expectRevert(abi.encodeWithSelector(RootHistory.UnavailableIndex.selector, 0));
        history.rootAt(0);
    }

    function _compareRange(EpochModel model, uint128 position) private {
        EpochRangeWithContextDigest memory expected = model.rangeAt(position);
        try flow.queryContextAtPosition(position) returns (EpochRangeWithContextDigest memory actual) {
            assertEq(keccak256(abi.encode(actual)), keccak256(abi.encode(expected)), "range");
        } catch {
            assertEq(expected.end, 0, "a position without a range");
        }
    }

    function _etchHistory() private {
        vm.etch(BlockHashes.HISTORY, type(HistoryContract).runtimeCode);
    }
}
