// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {QuorumVerifier} from "../../../src/da/QuorumVerifier.sol";
import {Checkpoint, EpochHeader, Snapshot, Statement} from "../../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../../src/quorum/Statements.sol";
import {BundlePlace, EpochMirror, MirrorSettings} from "../../../src/shards/EpochMirror.sol";
import {OrderingHub} from "../../../src/shards/OrderingHub.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Committee} from "./Committee.sol";
import {HubBook} from "./HubBook.sol";
import {Leaves} from "./Leaves.sol";
import {Test} from "./Test.sol";

/// @title ShardFixture
/// @notice An ordering hub and a mirror on another chain, with committees of real keys and epochs of a test's making.
abstract contract ShardFixture is Test {
    uint64 internal constant HUB_CHAIN = 77;
    uint64 internal constant SHARD_CHAIN = 78;
    uint64 internal constant EPOCH = 7;
    uint64 internal constant START = 1_000_000;
    uint64 internal constant EPOCH_SECONDS = 1000;
    uint64 internal constant GRACE = 100;
    uint64 internal constant TRUST = 5000;
    uint64 internal constant DRIFT = 30;
    uint32 internal constant PERIOD = 10;
    address internal constant ADMIN = address(0xAD);
    address internal constant ENTRANCE = address(0xDA);

    HubBook internal book;
    QuorumVerifier internal verifier;
    OrderingHub internal orderingHub;
    EpochMirror internal mirror;
    mapping(uint64 epoch => Committee) internal committees;
    mapping(uint64 epoch => Snapshot) private _snapshots;
    mapping(uint32 shardId => bytes32) internal newestLeaf;
    mapping(uint32 shardId => uint64) internal newestNumber;

    /// @dev What a committee signed, and the proof of who did not.
    struct Signed {
        Snapshot snapshot;
        bytes nonSigners;
        bytes32[] siblings;
        uint256[8] signature;
    }

    /// @dev The hub, with `shards` shards on chains of their own besides shard 0.
    function deployHub(uint32 shards) internal {
        vm.chainId(HUB_CHAIN);
        vm.warp(START);
        book = new HubBook(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2));
        verifier = QuorumVerifier(deployed("da/QuorumVerifier.sol:QuorumVerifier", abi.encode(book, HUB_CHAIN, book)));
        bytes memory arguments = abi.encode(verifier, GRACE, ADMIN);
        orderingHub = OrderingHub(deployed("shards/OrderingHub.sol:OrderingHub", arguments));
        vm.prank(ADMIN);
        orderingHub.addShard(0, HUB_CHAIN, address(0xF), ENTRANCE, address(0), 2, PERIOD, 1);
        for (uint32 id = 1; id <= shards; ++id) {
            vm.prank(ADMIN);
            orderingHub.addShard(id, HUB_CHAIN + id, address(0xF), ENTRANCE, address(0xE), 2, PERIOD, 1);
        }
    }

    function deployMirror() internal {
        bytes memory arguments = abi.encode(
            MirrorSettings(HUB_CHAIN, address(book), address(orderingHub), TRUST, DRIFT, GRACE), ADMIN
        );
        mirror = EpochMirror(deployed("shards/EpochMirror.sol:EpochMirror", arguments));
    }

    /// @dev Lets a committee of `members` equal members hold office in `epoch`, from now on.
    function begin(uint64 epoch, uint256 members) internal {
        book.setCurrent(epoch);
        uint64 start = uint64(block.timestamp);
        book.setInfo(epoch, start, start + EPOCH_SECONDS, keccak256(abi.encode(epoch)), 1);
        book.setSnapshot(epoch, 0, keccak256(abi.encode(committeeOf(epoch, members).snapshot(epoch, 0))));
    }

    /// @dev Members with a seat each, others in each epoch.
    function committeeOf(uint64 epoch, uint256 members) internal returns (Committee made) {
        if (address(committees[epoch]) != address(0)) return committees[epoch];
        made = new Committee();
        for (uint256 i = 0; i < members; ++i) {
            made.add(address(uint160(0xA00000 + i)), 1, BlsKeys.secret(uint256(keccak256(abi.encode(epoch, i)))));
        }
        committees[epoch] = made;
        _snapshots[epoch] = made.snapshot(epoch, 0);
    }

    /// @dev A checkpoint behind the newest that this function made for the shard.
    function nextCheckpoint(uint32 shardId) internal returns (Checkpoint memory made) {
        made = checkpointOf(shardId, newestNumber[shardId] + 1, newestLeaf[shardId]);
        (newestNumber[shardId], newestLeaf[shardId]) = (made.number, leafOf(made));
    }

    function checkpointOf(uint32 shardId, uint64 number, bytes32 prev) internal view returns (Checkpoint memory made) {
        (made.shardId, made.number, made.prev) = (shardId, number, prev);
        made.flowRoot = keccak256(abi.encode("flow", shardId, number));
        made.flowLength = 1 + number * 1024;
        made.logRoot = keccak256(abi.encode("log", shardId, number));
        made.logCount = number;
        made.daRoot = keccak256(abi.encode("da", shardId, number));
        made.daCount = number * 2;
        made.blockNumber = number * PERIOD;
        made.blockHash = keccak256(abi.encode("block", shardId, number));
        made.time = uint64(block.timestamp);
    }

    /// @dev The leaf, field by field.
    function leafOf(Checkpoint memory c) internal pure returns (bytes32) {
        bytes memory first = abi.encodePacked(c.shardId, c.number, c.prev, c.flowRoot, c.flowLength, c.logRoot);
        bytes memory rest = abi.encodePacked(c.logCount, c.daRoot, c.daCount, c.blockNumber, c.blockHash, c.time);
        return keccak256(bytes.concat(hex"00", first, rest));
    }

    function leavesOf(Checkpoint[] memory checkpoints) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](checkpoints.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = leafOf(checkpoints[i]);
        }
    }

    function listOf(Checkpoint memory only) internal pure returns (Checkpoint[] memory list) {
        list = new Checkpoint[](1);
        list[0] = only;
    }

    function listOf(Checkpoint memory first, Checkpoint memory second) internal pure returns (Checkpoint[] memory list) {
        list = new Checkpoint[](2);
        (list[0], list[1]) = (first, second);
    }

    /// @dev What all but the `absent` of the committee of `epoch` sign for a bundle.
    function signBundle(Checkpoint[] memory checkpoints, uint64 epoch, uint256 absent) internal view returns (Signed memory) {
        return signAs(epoch, absent, bundleOf(checkpoints, epoch));
    }

    function bundleOf(Checkpoint[] memory checkpoints, uint64 epoch) internal view returns (Statement memory) {
        bytes32 root = Leaves.rootOf(leavesOf(checkpoints));
        uint32 count = uint32(checkpoints.length);
        return Statement(2, HUB_CHAIN, address(orderingHub), epoch, 0, count, root);
    }

    function signAs(uint64 epoch, uint256 absent, Statement memory statement) internal view returns (Signed memory signed) {
        signed.snapshot = committees[epoch].snapshot(epoch, 0);
        (signed.nonSigners, signed.siblings) = committees[epoch].nonSigners(absent);
        signed.signature = committees[epoch].sign(Statements.digest(HUB_CHAIN, address(book), statement), absent);
    }

    /// @dev Brings a bundle that the whole committee of `EPOCH` signed.
    function submit(Checkpoint[] memory checkpoints) internal {
        submit(checkpoints, EPOCH, signBundle(checkpoints, EPOCH, 0));
    }

    function submit(Checkpoint[] memory checkpoints, uint64 epoch, Signed memory s) internal {
        orderingHub.submitBundle(checkpoints, epoch, s.snapshot, s.nonSigners, s.siblings, s.signature);
    }

    /// @dev A header of `epoch` that begins at `startTime`, with a committee of four.
    function headerOf(uint64 epoch, bytes32 prev, uint64 startTime) internal returns (EpochHeader memory header) {
        (header.epoch, header.prev) = (epoch, prev);
        (header.startTime, header.endTime) = (startTime, startTime + EPOCH_SECONDS);
        header.seed = keccak256(abi.encode(epoch));
        (header.orderRoot, header.orderCount) = orderingHub.orderRoot();
        header.snapshotHashes = new bytes32[](1);
        header.snapshotHashes[0] = keccak256(abi.encode(committeeOf(epoch, 4).snapshot(epoch, 0)));
    }

    /// @dev Calls nobody, so that it may stand between a cheatcode and the call that it is for.
    function snapshotsOf(uint64 epoch) internal view returns (Snapshot[] memory list) {
        list = new Snapshot[](1);
        list[0] = _snapshots[epoch];
    }

    /// @dev What the committee before it signs of a header.
    function handoverOf(EpochHeader memory header) internal view returns (Statement memory) {
        return Statement(3, HUB_CHAIN, address(book), header.epoch - 1, 0, 1, keccak256(abi.encode(header)));
    }

    function accept(EpochHeader memory header, Signed memory s) internal {
        mirror.acceptEpoch(header, snapshotsOf(header.epoch), s.snapshot, s.nonSigners, s.siblings, s.signature);
    }

    function acceptHub(Checkpoint memory c, BundlePlace memory place, Signed memory s) internal {
        mirror.acceptHubCheckpoint(c, place, s.snapshot, s.nonSigners, s.siblings, s.signature);
    }
}
