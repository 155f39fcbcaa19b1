// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeaders} from "../da/BlobHeaders.sol";
import {BlobLayout} from "../da/BlobLayout.sol";
import {LogRecords} from "../log/LogRecords.sol";
import {BlobHeader, Checkpoint} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";

/// @notice A checkpoint with its place in the order of all.
/// @param globalIndex its place
/// @param orderCount checkpoints under the root that `path` leads to
/// @param path siblings of its leaf
struct OrderedCheckpoint {
    Checkpoint checkpoint;
    uint64 globalIndex;
    uint64 orderCount;
    bytes32[] path;
}

/// @notice "File `record.fileRoot` is submission `record.sequence` of shard S, at global index G or before."
/// @param record what the shard's Flow recorded of the file
/// @param path siblings of the record's leaf under the checkpoint's `logRoot`
struct FileProof {
    LogRecords.Record record;
    bytes32[] path;
    OrderedCheckpoint ordered;
}

/// @notice "A quorum certified this blob of shard S, and the shard took the certificate at global index G or before."
/// @param header the blob's
/// @param leafIndex place of the header in its batch
/// @param batchPath siblings of its leaf there
/// @param logLeaf what the shard's entrance logged of the batch, see Batches
/// @param voidWords words of void bits, where the log leaf names some
/// @param daIndex place of the log leaf under the checkpoint's `daRoot`
/// @param daPath siblings of the log leaf
struct BlobProof {
    BlobHeader header;
    uint32 leafIndex;
    bytes32[] batchPath;
    bytes logLeaf;
    uint256[] voidWords;
    uint64 daIndex;
    bytes32[] daPath;
    OrderedCheckpoint ordered;
}

/// @title ContentProofs
/// @notice Checks what any shard holds against the root of the order, wherever that root is known.
/// @dev Pure: epochs, whose seeds decide which quorum a blob falls to, are for the caller, see ContentReader.
library ContentProofs {
    uint8 private constant LEAF_BATCH = 1;
    uint8 private constant LEAF_BATCH_WITH_VOIDS = 3;

    /// @dev Bytes of a log leaf, and where its fields begin: type, root, epoch u64, quorum u32, count u32, time u64.
    uint256 private constant LEAF_BYTES = 57;
    uint256 private constant EPOCH_AT = 33;
    uint256 private constant QUORUM_AT = 41;
    uint256 private constant COUNT_AT = 45;

    /// @notice The checkpoint does not have this place in the order.
    error NotOrdered(uint64 globalIndex, uint64 orderCount);

    /// @notice The hub's checkpoint holds the order where others hold a log.
    error HubHasNoLog();

    /// @notice Record `sequence` is not in the log of `logCount` records.
    error NotLogged(uint64 sequence, uint64 logCount);

    /// @notice Leaf `daIndex` is not in the log of `daCount` batches.
    error BatchNotLogged(uint64 daIndex, uint64 daCount);

    /// @notice The log leaf tells of no batch.
    error NotABatch();

    /// @notice The header is not leaf `leafIndex` of the batch, which has `count`.
    error NotInBatch(uint32 leafIndex, uint32 count);

    /// @notice The header is one of shard `shardId`, or of a version that is not known.
    error BlobOfAnotherShard(uint32 shardId);

    /// @notice The leaf counts for nothing: it was not paid for.
    error BlobVoid(uint32 leafIndex);

    /// @notice The words are not those that the log leaf names, or it names none.
    error BadVoidWords();

    /// @notice Requires that the checkpoint has its place under `root`. Reverts with NotOrdered.
    function requireOrdered(bytes32 root, OrderedCheckpoint calldata ordered) internal pure {
        bytes32 leaf = Statements.checkpointLeaf(ordered.checkpoint);
        bool placed = root != 0 && Tree.verify(root, ordered.orderCount, ordered.globalIndex, leaf, ordered.path);
        if (!placed) revert NotOrdered(ordered.globalIndex, ordered.orderCount);
    }

    /// @notice Requires that the file is in the log that the checkpoint tells of. Reverts with HubHasNoLog or NotLogged.
    function requireFile(FileProof calldata proof) internal pure {
        Checkpoint calldata checkpoint = proof.ordered.checkpoint;
        if (checkpoint.shardId == 0) revert HubHasNoLog();
        bytes32 leaf = LogRecords.leafOf(LogRecords.encode(proof.record));
        uint64 sequence = proof.record.sequence;
        bool logged = Tree.verify(checkpoint.logRoot, checkpoint.logCount, sequence, leaf, proof.path);
        if (!logged) revert NotLogged(sequence, checkpoint.logCount);
    }

    /// @notice Requires that the blob is in a batch that the checkpoint's log tells of, and is not void. Reverts with
    /// BlobOfAnotherShard, NotABatch, BatchNotLogged, NotInBatch, BadVoidWords or BlobVoid.
    /// @return epoch committee epoch whose quorum certified the batch
    /// @return quorumId that quorum
    function requireBlob(BlobProof calldata proof) internal pure returns (uint64 epoch, uint32 quorumId) {
        Checkpoint calldata checkpoint = proof.ordered.checkpoint;
        BlobHeader calldata header = proof.header;
        bool ofShard = header.version == BlobLayout.VERSION && header.shardId == checkpoint.shardId;
        if (!ofShard) revert BlobOfAnotherShard(header.shardId);
        bytes calldata body = proof.logLeaf;
        bool hasVoids = _requireBatch(body);
        bytes32 leaf = Tree.leaf(body);
        bool logged = Tree.verify(checkpoint.daRoot, checkpoint.daCount, proof.daIndex, leaf, proof.daPath);
        if (!logged) revert BatchNotLogged(proof.daIndex, checkpoint.daCount);
        uint32 count = _requireInBatch(proof, body);
        if (hasVoids) _requireCounted(proof, count, bytes32(body[LEAF_BYTES:]));
        else if (proof.voidWords.length != 0) revert BadVoidWords();
        return (uint64(bytes8(body[EPOCH_AT:])), uint32(bytes4(body[QUORUM_AT:])));
    }

    /// @return count leaves of the batch
    function _requireInBatch(BlobProof calldata proof, bytes calldata body) private pure returns (uint32 count) {
        count = uint32(bytes4(body[COUNT_AT:]));
        bytes32 leaf = BlobHeaders.leafOfHeader(proof.header);
        bool inBatch = Tree.verify(bytes32(body[1:]), count, proof.leafIndex, leaf, proof.batchPath);
        if (!inBatch) revert NotInBatch(proof.leafIndex, count);
    }

    /// @return hasVoids whether the leaf names words of void bits
    function _requireBatch(bytes calldata body) private pure returns (bool hasVoids) {
        if (body.length == LEAF_BYTES && uint8(body[0]) == LEAF_BATCH) return false;
        if (body.length == LEAF_BYTES + 32 && uint8(body[0]) == LEAF_BATCH_WITH_VOIDS) return true;
        revert NotABatch();
    }

    function _requireCounted(BlobProof calldata proof, uint32 count, bytes32 voidsHash) private pure {
        uint256[] calldata words = proof.voidWords;
        bool named = words.length == (uint256(count) + 255) / 256 && keccak256(abi.encodePacked(words)) == voidsHash;
        if (!named) revert BadVoidWords();
        uint32 index = proof.leafIndex;
        if ((words[index >> 8] >> (index & 0xff)) & 1 == 1) revert BlobVoid(index);
    }
}
