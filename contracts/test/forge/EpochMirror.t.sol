// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../../src/Administered.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {Checkpoint, EpochHeader, Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {BundlePlace, EpochMirror} from "../../src/shards/EpochMirror.sol";
import {Leaves} from "./support/Leaves.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice Another chain knows the hub's epochs and order by what committees signed, and by nothing else.
contract EpochMirrorTest is ShardFixture {
    EpochHeader private _first;
    EpochHeader private _second;

    function setUp() public {
        deployHub(1);
        begin(EPOCH, 4);
        submit(listOf(nextCheckpoint(1)));
        deployMirror();
        vm.chainId(SHARD_CHAIN);
        _first = headerOf(EPOCH, "before", START);
        vm.prank(ADMIN);
        mirror.anchor(_first, snapshotsOf(EPOCH));
        _second = headerOf(EPOCH + 1, keccak256(abi.encode(_first)), START + EPOCH_SECONDS);
    }

    function test_takesTheNextEpochFromTheCommittee() public {
        assertEq(mirror.currentEpoch(), EPOCH, "anchored");
        vm.warp(START + EPOCH_SECONDS - DRIFT);
        accept(_second, _handover(_second));
        assertEq(mirror.headEpoch(), EPOCH + 1, "head");
        assertEq(mirror.currentEpoch(), EPOCH, "not begun");
        vm.warp(START + EPOCH_SECONDS);
        assertEq(mirror.currentEpoch(), EPOCH + 1, "begun");
        assertEq(mirror.headerHash(), keccak256(abi.encode(_second)), "hash");
        assertEq(mirror.snapshotHash(EPOCH + 1, 0), _second.snapshotHashes[0], "snapshot");
        assertEq(mirror.mostMembers(EPOCH + 1), 4, "members");
        (uint64 startTime, uint64 endTime, bytes32 seed, uint32 groups) = mirror.epochInfo(EPOCH + 1);
        assertTrue(startTime == _second.startTime && endTime == _second.endTime && groups == 1, "times");
        assertEq(seed, _second.seed, "seed");
        (bytes32 root, uint64 count) = mirror.orderRoot();
        assertTrue(root == _second.orderRoot && count == 1, "order");
        // Anyone may bring it once more, to no end.
        Signed memory again = _handover(_second);
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.BadEpoch.selector));
        accept(_second, again);
    }

    function test_onlyTheHeaderThatFollows() public {
        vm.warp(START + EPOCH_SECONDS);
        EpochHeader memory header = headerOf(EPOCH + 2, _second.prev, START + EPOCH_SECONDS);
        _refused(header, EpochMirror.BadEpoch.selector);
        header = headerOf(EPOCH + 1, "another", START + EPOCH_SECONDS);
        _refused(header, EpochMirror.BadEpoch.selector);
        header = headerOf(EPOCH + 1, _second.prev, START + EPOCH_SECONDS);
        header.endTime = header.startTime;
        _refused(header, EpochMirror.BadEpoch.selector);
        header = headerOf(EPOCH + 1, _second.prev, START + EPOCH_SECONDS + DRIFT + 1);
        _refused(header, EpochMirror.TimeInFuture.selector);
    }

    function test_onlyOneEpochAhead() public {
        vm.warp(START + EPOCH_SECONDS - 1);
        accept(_second, _handover(_second));
        EpochHeader memory third = headerOf(EPOCH + 2, mirror.headerHash(), START + EPOCH_SECONDS);
        _refused(third, EpochMirror.TimeInFuture.selector);
        vm.warp(START + EPOCH_SECONDS);
        accept(third, _handover(third));
        assertEq(mirror.currentEpoch(), EPOCH + 2, "epoch");
    }

    /// @dev One field of what was signed is another in each.
    function test_whatWasSignedForSomethingElse() public {
        vm.warp(START + EPOCH_SECONDS);
        for (uint256 field = 0; field < 7; ++field) {
            Statement memory wrong = handoverOf(_second);
            if (field == 0) wrong.kind = 2;
            if (field == 1) wrong.domainChainId = SHARD_CHAIN;
            if (field == 2) wrong.domain = address(mirror);
            if (field == 3) wrong.epoch = EPOCH + 1;
            if (field == 4) wrong.quorumId = 1;
            if (field == 5) wrong.count = 2;
            if (field == 6) wrong.root = "another";
            Signed memory s = signAs(EPOCH, 0, wrong);
            vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
            accept(_second, s);
        }
        // A committee does not hand over to itself.
        Signed memory own = signAs(EPOCH + 1, 0, handoverOf(_second));
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        accept(_second, own);
        own = signAs(EPOCH, 3, handoverOf(_second));
        vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, 2, 4));
        accept(_second, own);
        own = signAs(EPOCH, 1, handoverOf(_second));
        accept(_second, own);
    }

    function test_snapshotsAreThoseOfTheHeader() public {
        vm.warp(START + EPOCH_SECONDS);
        Signed memory s = _handover(_second);
        Snapshot[] memory others = snapshotsOf(EPOCH);
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.BadSnapshots.selector, 0));
        mirror.acceptEpoch(_second, others, s.snapshot, s.nonSigners, s.siblings, s.signature);
        others = new Snapshot[](0);
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.BadSnapshots.selector, 1));
        mirror.acceptEpoch(_second, others, s.snapshot, s.nonSigners, s.siblings, s.signature);
    }

    function test_anOldCommitteeIsNotBelieved() public {
        vm.warp(START + EPOCH_SECONDS + TRUST + 1);
        _refused(_second, EpochMirror.TrustExpired.selector);
        vm.warp(block.timestamp - 1);
        accept(_second, _handover(_second));
        assertEq(mirror.currentEpoch(), EPOCH + 1, "late, and still believed");
    }

    function test_theAdminAnchorsAgain() public {
        vm.warp(START + EPOCH_SECONDS + TRUST + 1);
        EpochHeader memory later = headerOf(EPOCH + 9, "not known here", uint64(block.timestamp));
        Snapshot[] memory snapshots = snapshotsOf(EPOCH + 9);
        vm.expectRevert(abi.encodeWithSelector(Administered.NotAdmin.selector, address(this), ADMIN));
        mirror.anchor(later, snapshots);
        vm.prank(ADMIN);
        mirror.anchor(later, snapshots);
        assertEq(mirror.currentEpoch(), EPOCH + 9, "epoch");
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.BadEpoch.selector));
        mirror.anchor(later, snapshots);
        EpochHeader memory next = headerOf(EPOCH + 10, keccak256(abi.encode(later)), uint64(block.timestamp));
        accept(next, _handover(next));
        assertEq(mirror.headEpoch(), EPOCH + 10, "handovers go on");
    }

    function test_beforeItIsAnchored() public {
        deployMirror();
        assertEq(mirror.currentEpoch(), 0, "no epoch");
        (,,, uint32 groups) = mirror.epochInfo(0);
        assertEq(groups, 0, "nothing known");
        _refused(_second, EpochMirror.BadEpoch.selector);
    }

    function test_takesTheOrderFromACheckpointOfTheHub() public {
        (Checkpoint memory checkpoint, BundlePlace memory place, Signed memory s) = _hubCheckpoint(2);
        acceptHub(checkpoint, place, s);
        (bytes32 root, uint64 count) = mirror.orderRoot();
        assertTrue(root == checkpoint.logRoot && count == 2, "order");
        assertEq(mirror.orderRootAt(1), _first.orderRoot, "the one before is known");
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.OrderNotNewer.selector, 2, 2));
        acceptHub(checkpoint, place, s);
        // A header that tells of fewer changes nothing.
        vm.warp(START + EPOCH_SECONDS);
        accept(_second, _handover(_second));
        (, count) = mirror.orderRoot();
        assertEq(count, 2, "the newest stays");
    }

    function test_theAbsentAreTakenOffOnce() public {
        (Checkpoint memory checkpoint, BundlePlace memory place,) = _hubCheckpoint(2);
        Checkpoint[] memory list = listOf(checkpointOf(1, 2, "prev"), checkpoint);
        Signed memory s = signBundle(list, EPOCH, 4);
        bytes32 id = mirror.reduce(s.snapshot, s.nonSigners, s.siblings);
        Signed memory all = signBundle(list, EPOCH, 0);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        mirror.acceptHubCheckpointReduced(checkpoint, place, id, all.signature);
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        mirror.acceptHubCheckpointReduced(checkpoint, place, "another", s.signature);
        mirror.acceptHubCheckpointReduced(checkpoint, place, id, s.signature);
        (, uint64 count) = mirror.orderRoot();
        assertEq(count, 2, "order");
        // Two of four are no committee, and one of another epoch is none of this.
        s = signBundle(list, EPOCH, 3);
        vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, 2, 4));
        mirror.reduce(s.snapshot, s.nonSigners, s.siblings);
        vm.warp(START + EPOCH_SECONDS);
        accept(_second, _handover(_second));
        (checkpoint, place,) = _hubCheckpoint(3);
        place.epoch = EPOCH + 1;
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        mirror.acceptHubCheckpointReduced(checkpoint, place, id, all.signature);
    }

    function test_whatIsNoCheckpointOfTheHub() public {
        (Checkpoint memory checkpoint, BundlePlace memory place, Signed memory s) = _hubCheckpoint(2);
        checkpoint.logRoot = "forged";
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        acceptHub(checkpoint, place, s);
        (checkpoint, place, s) = _hubCheckpoint(2);
        checkpoint.shardId = 1;
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.NotHubCheckpoint.selector, 1));
        acceptHub(checkpoint, place, s);
        checkpoint.shardId = 0;
        place.index = 2;
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.BadPath.selector));
        acceptHub(checkpoint, place, s);
        place.index = 0;
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        acceptHub(checkpoint, place, s);
        place.index = 1;
        place.epoch = EPOCH + 1;
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.EpochClosed.selector));
        acceptHub(checkpoint, place, s);
        place.epoch = EPOCH;
        vm.warp(START - DRIFT - 1);
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.TimeInFuture.selector));
        acceptHub(checkpoint, place, s);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(EpochMirror.EpochClosed.selector));
        acceptHub(checkpoint, place, s);
        vm.warp(START + EPOCH_SECONDS + GRACE);
        acceptHub(checkpoint, place, s);
    }

    /// @dev Shard 0's checkpoint behind another one of the bundle, with `count` in the order.
    function _hubCheckpoint(uint64 count)
        private
        view
        returns (Checkpoint memory checkpoint, BundlePlace memory place, Signed memory s)
    {
        checkpoint = checkpointOf(0, 1, 0);
        checkpoint.logCount = count;
        Checkpoint[] memory list = listOf(checkpointOf(1, 2, "prev"), checkpoint);
        place = BundlePlace(EPOCH, 2, 1, Leaves.pathOf(leavesOf(list), 1));
        s = signBundle(list, EPOCH, 0);
    }

    function _handover(EpochHeader memory header) private view returns (Signed memory) {
        return signAs(header.epoch - 1, 0, handoverOf(header));
    }

    function _refused(EpochHeader memory header, bytes4 reason) private {
        Signed memory s = signAs(EPOCH, 0, handoverOf(header));
        vm.expectRevert(abi.encodeWithSelector(reason));
        accept(header, s);
    }
}
