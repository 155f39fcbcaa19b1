// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint, EpochHeader, Snapshot} from "../../src/quorum/QuorumTypes.sol";
import {BundlePlace, EpochMirror} from "../../src/shards/EpochMirror.sol";
import {OrderingHub} from "../../src/shards/OrderingHub.sol";
import {GasReport} from "./support/GasReport.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice What bundles and handovers cost as transactions of their own.
/// forge-config: default.isolate = true
contract ShardGasTest is GasReport, ShardFixture {
    function test_bundles() public {
        deployHub(64);
        begin(EPOCH, 100);
        // Twice around the newest that are known by their leaf, so that all slots are in use.
        for (uint256 round = 0; round < 17; ++round) {
            _bundle(64);
        }
        reportGas("bundle of 1", _bundle(1), 244_380);
        // Above the prototype's 382,482 and 1,439,545 by what it costs to know a shard's newest checkpoints by their leaves.
        reportGas("bundle of 8", _bundle(8), 421_302);
        reportGas("bundle of 64", _bundle(64), 1_702_919);
    }

    /// @dev What a seal pays more where checkpoints are ordered: 1,088 of them, and one less, which has most to read.
    function test_theRootOfTheOrder() public {
        deployHub(64);
        begin(EPOCH, 1);
        for (uint256 round = 0; round < 16; ++round) {
            _bundle(round == 15 ? 63 : 64);
        }
        reportGas("orderRoot of 1,023", gasOf(address(orderingHub), abi.encodeCall(OrderingHub.orderRoot, ())), 50_000);
    }

    function test_handovers() public {
        deployHub(1);
        begin(EPOCH, 100);
        deployMirror();
        _first();
        _handover(EPOCH + 1, 1);
        reportGas("acceptEpoch, 1 group", _handover(EPOCH + 2, 1), 314_369);
        reportGas("acceptEpoch, 5 groups", _handover(EPOCH + 3, 5), 422_203);
        reportGas("acceptEpoch, 17 groups", _handover(EPOCH + 4, 17), 746_382);
    }

    function test_theOrderBetweenTwoHandovers() public {
        deployHub(1);
        begin(EPOCH, 100);
        deployMirror();
        _first();
        Checkpoint memory checkpoint = nextCheckpoint(0);
        checkpoint.logCount = 5;
        Checkpoint[] memory list = listOf(checkpoint, nextCheckpoint(1));
        Signed memory s = signBundle(list, EPOCH, 0);
        bytes32[] memory path = new bytes32[](1);
        path[0] = leafOf(list[1]);
        bytes memory call = abi.encodeCall(
            EpochMirror.acceptHubCheckpoint,
            (checkpoint, BundlePlace(EPOCH, 2, 0, path), s.snapshot, s.nonSigners, s.siblings, s.signature)
        );
        reportGas("acceptHubCheckpoint", gasOf(address(mirror), call), 234_265);
    }

    function _bundle(uint32 shards) private returns (uint256) {
        Checkpoint[] memory list = new Checkpoint[](shards);
        for (uint32 i = 0; i < shards; ++i) {
            list[i] = nextCheckpoint(i + 1);
        }
        Signed memory s = signBundle(list, EPOCH, 0);
        bytes memory call = abi.encodeCall(
            OrderingHub.submitBundle, (list, EPOCH, s.snapshot, s.nonSigners, s.siblings, s.signature)
        );
        return gasOf(address(orderingHub), call);
    }

    function _first() private {
        EpochHeader memory header = headerOf(EPOCH, "before", START);
        Snapshot[] memory snapshots = snapshotsOf(EPOCH);
        vm.prank(ADMIN);
        mirror.anchor(header, snapshots);
    }

    /// @dev Hands over to an epoch with `groups` snapshots.
    function _handover(uint64 epoch, uint32 groups) private returns (uint256) {
        EpochHeader memory header = headerOf(epoch, mirror.headerHash(), uint64(block.timestamp));
        (header.orderRoot, header.orderCount) = (keccak256(abi.encode(epoch)), epoch);
        header.snapshotHashes = new bytes32[](groups);
        Snapshot[] memory snapshots = new Snapshot[](groups);
        for (uint32 id = 0; id < groups; ++id) {
            snapshots[id] = snapshotsOf(epoch)[0];
            snapshots[id].quorumId = id;
            header.snapshotHashes[id] = keccak256(abi.encode(snapshots[id]));
        }
        Signed memory s = signAs(epoch - 1, 0, handoverOf(header));
        bytes memory call =
            abi.encodeCall(EpochMirror.acceptEpoch, (header, snapshots, s.snapshot, s.nonSigners, s.siblings, s.signature));
        return gasOf(address(mirror), call);
    }
}
