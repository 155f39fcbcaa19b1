// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../../src/Administered.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {Checkpoint, Statement} from "../../src/quorum/QuorumTypes.sol";
import {OrderingHub} from "../../src/shards/OrderingHub.sol";
import {Shard, ShardRegistry} from "../../src/shards/ShardRegistry.sol";
import {Leaves} from "./support/Leaves.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice Checkpoints that the committee signed get one place each in one order; everything else is refused by name.
contract OrderingHubTest is ShardFixture {
    function setUp() public {
        deployHub(3);
        begin(EPOCH, 4);
    }

    function test_ordersWhatTheCommitteeSigned() public {
        Checkpoint memory hub = nextCheckpoint(0);
        Checkpoint memory one = nextCheckpoint(1);
        submit(listOf(one, hub));
        Checkpoint memory two = nextCheckpoint(1);
        submit(listOf(two));
        bytes32[] memory leaves = new bytes32[](3);
        (leaves[0], leaves[1], leaves[2]) = (leafOf(one), leafOf(hub), leafOf(two));
        (bytes32 root, uint64 count) = orderingHub.orderRoot();
        assertEq(count, 3, "ordered");
        assertEq(root, Leaves.rootOf(leaves), "leaf n is the checkpoint with global index n");
        (uint64 number, bytes32 hash, uint64 globalIndex) = orderingHub.head(1);
        assertEq(number, 2, "number");
        assertEq(hash, leaves[2], "hash");
        assertEq(globalIndex, 2, "global index");
        assertEq(orderingHub.checkpointHash(1, 1), leaves[0], "the one before");
        (number, hash, globalIndex) = orderingHub.head(2);
        assertTrue(number == 0 && hash == 0 && globalIndex == 0, "a shard without checkpoints");
    }

    function test_whoBringsAPartFirstStopsNobody() public {
        Checkpoint memory one = nextCheckpoint(1);
        Checkpoint memory two = nextCheckpoint(1);
        Checkpoint memory other = nextCheckpoint(2);
        submit(listOf(one));
        submit(listOf(one, two));
        Checkpoint[] memory all = new Checkpoint[](4);
        (all[0], all[1], all[2], all[3]) = (one, two, other, one);
        submit(all);
        submit(all);
        assertEq(orderingHub.orderCount(), 3, "each once");
    }

    function test_aShardHasOneStream() public {
        Checkpoint memory one = nextCheckpoint(1);
        submit(listOf(one));
        Checkpoint memory two = nextCheckpoint(1);
        Checkpoint memory three = nextCheckpoint(1);
        _refused(three, abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0));
        Checkpoint memory conflicting = checkpointOf(1, 1, 0);
        conflicting.daRoot = "another";
        _refused(conflicting, abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0));
        _refused(checkpointOf(1, 0, 0), abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0));
        Checkpoint memory unlinked = checkpointOf(1, 2, "another");
        _refused(unlinked, abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0));
        _refused(checkpointOf(2, 1, "a first one"), abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0));
        _refused(checkpointOf(9, 1, 0), abi.encodeWithSelector(ShardRegistry.ShardUnknown.selector));
        submit(listOf(two, three));
        assertEq(orderingHub.orderCount(), 3, "in order");
    }

    function test_anOldItemIsNotKnownAnyMore() public {
        Checkpoint memory first = nextCheckpoint(1);
        submit(listOf(first));
        for (uint256 i = 0; i < 15; ++i) {
            submit(listOf(nextCheckpoint(1)));
        }
        submit(listOf(first));
        submit(listOf(nextCheckpoint(1)));
        _refused(first, abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0));
        assertEq(orderingHub.checkpointHash(1, 1), 0, "too old");
        assertEq(orderingHub.orderCount(), 17, "ordered");
    }

    function test_onlyTheCommitteeInOffice() public {
        Checkpoint[] memory list = listOf(nextCheckpoint(1));
        Signed memory s = signBundle(list, EPOCH, 3);
        vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, 2, 4));
        submit(list, EPOCH, s);
        s = signBundle(list, EPOCH, 0);
        vm.expectRevert(abi.encodeWithSelector(OrderingHub.EpochNotBegun.selector, EPOCH + 1, EPOCH));
        submit(list, EPOCH + 1, s);
        vm.warp(START + EPOCH_SECONDS + GRACE);
        begin(EPOCH + 1, 4);
        // Members of one epoch do not sign in another.
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        submit(list, EPOCH + 1, s);
        s.snapshot.quorumId = 1;
        vm.expectRevert(abi.encodeWithSelector(OrderingHub.NotCommittee.selector, 1));
        submit(list, EPOCH, s);
        s.snapshot.quorumId = 0;
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(OrderingHub.EpochClosed.selector));
        submit(list, EPOCH, s);
        vm.warp(block.timestamp - 1);
        submit(list, EPOCH, s);
        assertEq(orderingHub.orderCount(), 1, "until the grace period is over");
    }

    /// @dev One field of what was signed is another in each.
    function test_whatWasSignedForSomethingElse() public {
        Checkpoint[] memory list = listOf(nextCheckpoint(1), nextCheckpoint(2));
        Statement memory right = bundleOf(list, EPOCH);
        for (uint256 field = 0; field < 7; ++field) {
            // A copy through the ABI: memory structs are shared otherwise.
            Statement memory wrong = abi.decode(abi.encode(right), (Statement));
            if (field == 0) wrong.kind = 1;
            if (field == 1) wrong.domainChainId = SHARD_CHAIN;
            if (field == 2) wrong.domain = address(book);
            if (field == 3) wrong.epoch = EPOCH - 1;
            if (field == 4) wrong.quorumId = 1;
            if (field == 5) wrong.count = 3;
            if (field == 6) wrong.root = "another";
            Signed memory s = signAs(EPOCH, 0, wrong);
            vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
            submit(list, EPOCH, s);
        }
        Signed memory good = signBundle(list, EPOCH, 0);
        list[0].daRoot = "forged";
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        submit(list, EPOCH, good);
        (list[0], list[1]) = (list[1], list[0]);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        submit(list, EPOCH, good);
    }

    function test_theAbsentAreTakenOffOnce() public {
        Checkpoint[] memory list = listOf(nextCheckpoint(1));
        Signed memory s = signBundle(list, EPOCH, 4);
        bytes32 id = verifier.reduce(s.snapshot, s.nonSigners, s.siblings);
        orderingHub.submitBundleReduced(list, EPOCH, id, s.signature);
        list[0] = nextCheckpoint(1);
        s = signBundle(list, EPOCH, 4);
        orderingHub.submitBundleReduced(list, EPOCH, id, s.signature);
        assertEq(orderingHub.orderCount(), 2, "ordered");
    }

    function test_aRootIsKeptForLater() public {
        (, uint64 count) = orderingHub.anchorOrder();
        assertEq(count, 0, "nothing to keep");
        submit(listOf(nextCheckpoint(1)));
        bytes32 root;
        (root, count) = orderingHub.anchorOrder();
        submit(listOf(nextCheckpoint(1)));
        assertEq(orderingHub.orderRootAt(1), root, "anchored");
        (root,) = orderingHub.orderRoot();
        assertEq(orderingHub.orderRootAt(2), root, "now");
        submit(listOf(nextCheckpoint(1)));
        assertEq(orderingHub.orderRootAt(2), 0, "nobody kept it");
    }

    function test_shards() public {
        vm.expectRevert(abi.encodeWithSelector(Administered.NotAdmin.selector, address(this), ADMIN));
        orderingHub.addShard(5, 99, address(1), ENTRANCE, address(2), 0, PERIOD, 1);
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ShardRegistry.ShardKnown.selector));
        orderingHub.addShard(1, 99, address(1), ENTRANCE, address(2), 0, PERIOD, 1);
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ShardRegistry.BadShard.selector));
        orderingHub.addShard(5, 99, address(1), ENTRANCE, address(2), 0, 0, 1);
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ShardRegistry.ShardUnknown.selector));
        orderingHub.changeShard(5, address(1), address(2), address(3), 1);
        vm.expectRevert(abi.encodeWithSelector(ShardRegistry.ShardUnknown.selector));
        orderingHub.head(5);
        vm.prank(ADMIN);
        orderingHub.changeShard(1, address(1), address(2), address(3), 64);
        Shard memory shard = orderingHub.shardOf(1);
        assertTrue(shard.chainId == HUB_CHAIN + 1 && shard.period == PERIOD && shard.finality == 64, "numbers");
        assertTrue(shard.flow == address(1) && shard.mirror == address(3), "contracts");
        assertTrue(orderingHub.isEntrance(HUB_CHAIN + 1, address(2)), "the new entrance");
        assertTrue(orderingHub.isEntrance(HUB_CHAIN + 1, ENTRANCE), "what the old one's members signed stays evidence");
        assertTrue(!orderingHub.isEntrance(99, ENTRANCE), "another chain");
        assertEq(orderingHub.shardCount(), 4, "shards");
    }

    function test_aLongChainJoinsWithoutItsPast() public {
        _addLate(7, 1000);
        (uint64 number, bytes32 hash, uint64 globalIndex) = orderingHub.head(7);
        assertTrue(number == 999 && hash == 0 && globalIndex == 0, "nothing of it is ordered");
        assertEq(orderingHub.shardOf(7).first, 1000, "its first");
        bytes memory refusal = abi.encodeWithSelector(OrderingHub.BadSequence.selector, 0);
        _refused(checkpointOf(7, 1, 0), refusal);
        _refused(checkpointOf(7, 999, 0), refusal);
        _refused(checkpointOf(7, 1001, 0), refusal);
        _refused(checkpointOf(7, 1000, "one before the first"), refusal);
        submit(listOf(nextCheckpoint(1)));
        (newestNumber[7], newestLeaf[7]) = (999, 0);
        Checkpoint memory first = nextCheckpoint(7);
        submit(listOf(first, nextCheckpoint(7)));
        (number, hash, globalIndex) = orderingHub.head(7);
        assertTrue(number == 1001 && hash == newestLeaf[7] && globalIndex == 2, "in one order with the others");
        assertEq(orderingHub.checkpointHash(7, 1000), leafOf(first), "the first");
        assertEq(orderingHub.checkpointHash(7, 999), 0, "none before it");
        _refused(checkpointOf(7, 999, 0), refusal);
    }

    function test_aFirstCheckpointIsOne() public {
        uint64 end = uint64(orderingHub.BLOCKS_END() / PERIOD) + 1;
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ShardRegistry.BadShard.selector));
        orderingHub.addShard(7, 99, address(1), ENTRANCE, address(2), 0, PERIOD, 0);
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ShardRegistry.BadShard.selector));
        orderingHub.addShard(7, 99, address(1), ENTRANCE, address(2), 0, PERIOD, end);
        vm.prank(ADMIN);
        orderingHub.addShard(7, 99, address(1), ENTRANCE, address(2), 0, PERIOD, end - 1);
        vm.prank(ADMIN);
        orderingHub.changeShard(7, address(1), address(2), address(3), 64);
        assertEq(orderingHub.shardOf(7).first, end - 1, "for good");
    }

    function test_theHubNamesItsOrder() public {
        book.setOrderSource(address(0x99));
        vm.expectRevert(abi.encodeWithSelector(OrderingHub.OrderOfAnother.selector, address(0x99)));
        new OrderingHub(verifier, GRACE, ADMIN);
    }

    function _addLate(uint32 shardId, uint64 first) private {
        vm.prank(ADMIN);
        orderingHub.addShard(shardId, HUB_CHAIN + shardId, address(0xF), ENTRANCE, address(0xE), 2, PERIOD, first);
    }

    function _refused(Checkpoint memory checkpoint, bytes memory reason) private {
        Checkpoint[] memory list = listOf(checkpoint);
        Signed memory s = signBundle(list, EPOCH, 0);
        vm.expectRevert(reason);
        submit(list, EPOCH, s);
    }
}
