// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";
import {BlobHeaders} from "./BlobHeaders.sol";
import {BlobLayout} from "./BlobLayout.sol";
import {EpochTerms} from "./EpochTerms.sol";
import {Claim} from "./QuorumVerifier.sol";

/// @title Batches
/// @notice Confirmed batches, and the append-only log over them that checkpoints carry.
/// @dev A leaf of the log is the packed body: type u8, batch root, epoch u64, quorum u32, count u32, time u64. Type 1 is a batch
/// all of whose leaves count. Type 3 is a batch with void leaves, and is followed by keccak-256 over the words of void
/// bits, so that who reads the log elsewhere can be shown which ones.
abstract contract Batches is EpochTerms {
    using Tree for Tree.Frontier;

    uint8 private constant LEAF_BATCH = 1;
    uint8 private constant LEAF_BATCH_WITH_VOIDS = 3;

    /// @dev Flags of a packed batch; below them stand epoch u32, quorum u32, count u32, time u64 and quorums u16, and above
    /// them the number of the block.
    uint256 private constant PROMISED = 1 << 176;
    uint256 private constant HAS_VOIDS = 1 << 177;
    uint256 private constant BLOCK_SHIFT = 178;

    /// @dev `quorums` of the epoch is kept so that `isAvailable` reads one slot where there is one quorum.
    struct Batch {
        uint32 epoch;
        uint32 quorumId;
        uint32 count;
        uint64 time;
        uint16 quorums;
        bool promised;
        bool hasVoids;
    }

    /// @notice Confirmed batches, which is the number of leaves under `daRoot`.
    uint64 public daCount;

    Tree.Frontier private _log;
    mapping(bytes32 root => uint256 packed) private _batches;
    mapping(bytes32 root => mapping(uint256 word => uint256 bits)) private _voids;

    /// @notice More than two thirds of the quorum's seats have signed for the batch.
    event BatchConfirmed(bytes32 indexed root, uint64 epoch, uint32 quorumId, uint64 daIndex, uint256 signedWeight);

    /// @notice The batch has been confirmed before.
    error AlreadyConfirmed();

    /// @notice Root of the log over all confirmed batches; zero before the first.
    function daRoot() external view returns (bytes32) {
        return _log.root(daCount);
    }

    /// @notice A confirmed batch; all zero where there is none with this root.
    function batch(bytes32 root) external view returns (uint64 epoch, uint32 quorumId, uint32 count, uint64 time) {
        Batch memory found = _load(root);
        return (found.epoch, found.quorumId, found.count, found.time);
    }

    /// @notice Number of the block that confirmed a batch; zero where there is none with this root.
    function batchBlock(bytes32 root) external view returns (uint64) {
        return uint64(_batches[root] >> BLOCK_SHIFT);
    }

    /// @notice Whether a leaf of a confirmed batch counts for nothing because it was not paid for.
    function isVoid(bytes32 root, uint32 leafIndex) public view returns (bool) {
        return (_voids[root][leafIndex >> 8] >> (leafIndex & 0xff)) & 1 == 1;
    }

    /// @notice Whether a quorum has certified the blob on this chain, it was paid for, and its time is not over.
    /// @dev Never reverts and calls nobody: contracts may ask about any header and path.
    /// @param leafIndex place of the header in the batch
    /// @param path siblings from the leaf upwards
    function isAvailable(BlobHeader calldata header, bytes32 batchRoot, uint32 leafIndex, bytes32[] calldata path)
        external
        view
        returns (bool)
    {
        Batch memory found = _load(batchRoot);
        if (!Tree.hasShape(found.count, leafIndex, path)) return false;
        if (header.version != BlobLayout.VERSION || header.shardId != shardId) return false;
        if (header.expiry <= block.timestamp) return false;
        if (!_isOrdered(header, found)) return false;
        if (found.hasVoids && isVoid(batchRoot, leafIndex)) return false;
        return Tree.rootFrom(leafIndex, BlobHeaders.leafOfHeader(header), path) == batchRoot;
    }

    function _requireNew(bytes32 root) internal view {
        if (_batches[root] != 0) revert AlreadyConfirmed();
    }

    /// @dev Keeps a batch whose signature has been checked.
    /// @param voids bits of void leaves in words of 256; empty where all count
    function _keep(Claim memory claim, uint32 quorumId, uint256 signedWeight, uint256[] memory voids) internal {
        bytes32 root = claim.root;
        _batches[root] = uint256(claim.epoch) | (uint256(quorumId) << 32) | (uint256(claim.count) << 64)
            | (block.timestamp << 96) | (uint256(_known(claim.epoch).quorums) << 160)
            | (claim.kind == Statements.KIND_PROMISED ? PROMISED : 0) | (voids.length != 0 ? HAS_VOIDS : 0) | (block.number << BLOCK_SHIFT);
        for (uint256 i = 0; i < voids.length; ++i) {
            if (voids[i] != 0) _voids[root][i] = voids[i];
        }
        uint64 index = daCount++;
        _log.append(index, Tree.leaf(_logBody(claim, quorumId, voids)));
        emit BatchConfirmed(root, claim.epoch, quorumId, index, signedWeight);
    }

    /// @dev All zero where there is none. Unpacked by hand: one read, where the compiler makes one for each field.
    function _load(bytes32 root) private view returns (Batch memory found) {
        uint256 word = _batches[root];
        found.epoch = uint32(word);
        found.quorumId = uint32(word >> 32);
        found.count = uint32(word >> 64);
        found.time = uint64(word >> 96);
        found.quorums = uint16(word >> 160);
        found.promised = word & PROMISED != 0;
        found.hasVoids = word & HAS_VOIDS != 0;
    }

    /// @dev Whether the header's number is of the batch's kind and epoch, and is ordered to the batch's quorum.
    function _isOrdered(BlobHeader calldata header, Batch memory found) private view returns (bool) {
        uint64 index = header.submissionIndex;
        if (BlobHeaders.isPromised(index) != found.promised) return false;
        if (found.promised && BlobHeaders.epochOf(index) != found.epoch) return false;
        // A lone quorum takes everything; no seed needs to be read.
        if (found.quorums == 1) return true;
        return BlobHeaders.quorumOfHeader(seedOf[found.epoch], found.quorums, header.submitter, index)
            == found.quorumId;
    }

    function _logBody(Claim memory claim, uint32 quorumId, uint256[] memory voids) private view returns (bytes memory) {
        bool hasVoids = voids.length != 0;
        bytes memory body = abi.encodePacked(
            hasVoids ? LEAF_BATCH_WITH_VOIDS : LEAF_BATCH,
            claim.root,
            claim.epoch,
            quorumId,
            claim.count,
            uint64(block.timestamp)
        );
        return hasVoids ? bytes.concat(body, keccak256(abi.encodePacked(voids))) : body;
    }
}
