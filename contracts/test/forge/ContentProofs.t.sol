// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LogRecords} from "../../src/log/LogRecords.sol";
import {BlobHeader, Checkpoint, EpochHeader, Snapshot} from "../../src/quorum/QuorumTypes.sol";
import {BlobProof, ContentProofs, FileProof, OrderedCheckpoint} from "../../src/shards/ContentProofs.sol";
import {ContentReader} from "../../src/shards/ContentReader.sol";
import {Leaves} from "./support/Leaves.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice What one shard holds is proven on the hub and on any other shard, by roots that committees signed.
contract ContentProofsTest is ShardFixture {
    uint256 private constant VOID_WORD = 1 << 4;

    bytes32[] private _order;

    /// @dev Three checkpoints are ordered, and the other chain is told of them with an epoch's header.
    function setUp() public {
        deployHub(2);
        begin(EPOCH, 4);
        Checkpoint[] memory list = new Checkpoint[](3);
        (list[0], list[1], list[2]) = (nextCheckpoint(2), _checkpoint(), nextCheckpoint(0));
        submit(list);
        for (uint256 i = 0; i < 3; ++i) {
            _order.push(leafOf(list[i]));
        }
        deployMirror();
        EpochHeader memory header = headerOf(EPOCH, "before", START);
        Snapshot[] memory snapshots = snapshotsOf(EPOCH);
        vm.prank(ADMIN);
        mirror.anchor(header, snapshots);
    }

    function test_aFile() public view {
        orderingHub.requireFile(_fileProof());
        mirror.requireFile(_fileProof());
    }

    function test_aBlob() public view {
        BlobProof memory proof = _blobProof(0, 3);
        orderingHub.requireBlob(proof);
        mirror.requireBlob(proof);
        proof = _blobProof(1, 3);
        orderingHub.requireBlob(proof);
        mirror.requireBlob(proof);
    }

    /// @dev A root that somebody had kept serves after the order has grown; one that nobody did does not.
    function test_anOlderRoot() public {
        FileProof memory proof = _fileProof();
        orderingHub.anchorOrder();
        submit(listOf(nextCheckpoint(2)));
        orderingHub.requireFile(proof);
        _file(proof);
        proof.ordered.orderCount = 2;
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotOrdered.selector, 1, 2));
    }

    function test_whatIsNoFile() public {
        FileProof memory proof = _fileProof();
        proof.record.fileRoot = "another";
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotLogged.selector, 1, 3));
        proof = _fileProof();
        proof.record.sequence = 2;
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotLogged.selector, 2, 3));
        proof = _fileProof();
        proof.path = new bytes32[](1);
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotLogged.selector, 1, 3));
        proof = _fileProof();
        proof.ordered.checkpoint.logRoot = "forged";
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotOrdered.selector, 1, 3));
        proof = _fileProof();
        proof.ordered.globalIndex = 0;
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotOrdered.selector, 0, 3));
        proof = _fileProof();
        proof.ordered.orderCount = 9;
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.NotOrdered.selector, 1, 9));
        proof.ordered = _ordered(2, checkpointOf(0, 1, 0));
        _refusedFile(proof, abi.encodeWithSelector(ContentProofs.HubHasNoLog.selector));
    }

    function test_whatIsNoBlob() public {
        BlobProof memory proof = _blobProof(0, 3);
        proof.header.commitment = "another";
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.NotInBatch.selector, 3, 6));
        proof = _blobProof(0, 3);
        proof.leafIndex = 2;
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.NotInBatch.selector, 2, 6));
        proof = _blobProof(0, 3);
        proof.header.shardId = 2;
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.BlobOfAnotherShard.selector, 2));
        proof = _blobProof(0, 3);
        proof.header.version = 2;
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.BlobOfAnotherShard.selector, 1));
        proof = _blobProof(0, 3);
        proof.daIndex = 1;
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.BatchNotLogged.selector, 1, 3));
        proof = _blobProof(0, 3);
        proof.logLeaf = bytes.concat(proof.logLeaf, hex"00");
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.NotABatch.selector));
        // A challenge that nobody answered stands in the same log.
        proof = _blobProof(2, 3);
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.NotABatch.selector));
    }

    function test_aVoidLeafCountsForNothing() public {
        BlobProof memory proof = _blobProof(1, 4);
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.BlobVoid.selector, 4));
        proof.voidWords[0] = 0;
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.BadVoidWords.selector));
        proof.voidWords = new uint256[](0);
        _refusedBlob(proof, abi.encodeWithSelector(ContentProofs.BadVoidWords.selector));
    }

    function test_theQuorumThatABlobFallsTo() public {
        BlobProof memory proof = _blobProof(0, 3);
        // With several quorums the committee certifies no blobs.
        book.setInfo(EPOCH, START, START + EPOCH_SECONDS, "seed", 3);
        vm.expectRevert(abi.encodeWithSelector(ContentReader.WrongQuorum.selector, 0));
        orderingHub.requireBlob(proof);
        book.setInfo(EPOCH, START, START + EPOCH_SECONDS, 0, 3);
        vm.expectRevert(abi.encodeWithSelector(ContentReader.EpochUnknown.selector, EPOCH));
        orderingHub.requireBlob(proof);
        book.setInfo(EPOCH, START, START + EPOCH_SECONDS, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ContentReader.EpochUnknown.selector, EPOCH));
        orderingHub.requireBlob(proof);
    }

    function _file(FileProof memory proof) private view {
        mirror.requireFile(proof);
    }

    function _refusedFile(FileProof memory proof, bytes memory reason) private {
        vm.expectRevert(reason);
        orderingHub.requireFile(proof);
        vm.expectRevert(reason);
        mirror.requireFile(proof);
    }

    function _refusedBlob(BlobProof memory proof, bytes memory reason) private {
        vm.expectRevert(reason);
        orderingHub.requireBlob(proof);
        vm.expectRevert(reason);
        mirror.requireBlob(proof);
    }

    /// @dev First checkpoint of shard 1: three records, and a log of a batch, one with a void leaf, and a failed challenge.
    function _checkpoint() private view returns (Checkpoint memory made) {
        made = checkpointOf(1, 1, 0);
        (made.logRoot, made.logCount) = (Leaves.rootOf(_recordLeaves()), 3);
        (made.daRoot, made.daCount) = (Leaves.rootOf(_logLeaves()), 3);
    }

    function _ordered(uint64 index, Checkpoint memory checkpoint) private view returns (OrderedCheckpoint memory) {
        return OrderedCheckpoint(checkpoint, index, 3, Leaves.pathOf(_order, index));
    }

    function _fileProof() private view returns (FileProof memory) {
        return FileProof(_record(1), Leaves.pathOf(_recordLeaves(), 1), _ordered(1, _checkpoint()));
    }

    /// @dev Leaf `leafIndex` of the batch in log leaf `daIndex`.
    function _blobProof(uint64 daIndex, uint32 leafIndex) private view returns (BlobProof memory proof) {
        proof.header = _header(leafIndex);
        proof.leafIndex = leafIndex;
        proof.batchPath = Leaves.pathOf(_batchLeaves(), leafIndex);
        proof.logLeaf = _logBody(daIndex);
        if (daIndex == 1) {
            proof.voidWords = new uint256[](1);
            proof.voidWords[0] = VOID_WORD;
        }
        proof.daIndex = daIndex;
        proof.daPath = Leaves.pathOf(_logLeaves(), daIndex);
        proof.ordered = _ordered(1, _checkpoint());
    }

    function _record(uint64 sequence) private pure returns (LogRecords.Record memory) {
        return LogRecords.Record(sequence, keccak256(abi.encode("file", sequence)), 1000, 4 * sequence, 4, address(0xA), START);
    }

    function _recordLeaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        for (uint64 i = 0; i < 3; ++i) {
            LogRecords.Record memory r = _record(i);
            leaves[i] = keccak256(
                abi.encodePacked(hex"00", r.sequence, r.fileRoot, r.size, r.startPosition, r.sectors, r.submitter, r.time)
            );
        }
    }

    function _header(uint32 leafIndex) private pure returns (BlobHeader memory) {
        bytes32 commitment = keccak256(abi.encode("blob", leafIndex));
        return BlobHeader(1, 0, 6, 3, 64, 1000, commitment, address(0xA), 1, 100 + leafIndex, START + 9000);
    }

    function _batchLeaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](6);
        for (uint32 i = 0; i < 6; ++i) {
            BlobHeader memory h = _header(i);
            bytes memory first = abi.encodePacked(h.version, h.suite, h.log2K, h.cosets, h.rowSize, h.length, h.commitment);
            bytes memory rest = abi.encodePacked(h.submitter, h.shardId, h.submissionIndex, h.expiry);
            leaves[i] = keccak256(bytes.concat(hex"00", first, rest));
        }
    }

    function _logBody(uint64 daIndex) private pure returns (bytes memory) {
        uint8 kind = daIndex == 0 ? 1 : daIndex == 1 ? 3 : 2;
        bytes32 root = Leaves.rootOf(_batchLeaves());
        bytes memory body = abi.encodePacked(kind, root, EPOCH, uint32(0), uint32(6), START);
        return daIndex == 1 ? bytes.concat(body, keccak256(abi.encode(VOID_WORD))) : body;
    }

    function _logLeaves() private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        for (uint64 i = 0; i < 3; ++i) {
            leaves[i] = keccak256(bytes.concat(hex"00", _logBody(i)));
        }
    }
}
