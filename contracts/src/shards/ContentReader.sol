// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeaders} from "../da/BlobHeaders.sol";
import {IEpochSource} from "../quorum/IEpochSource.sol";
import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {BlobProof, ContentProofs, FileProof, OrderedCheckpoint} from "./ContentProofs.sol";

/// @title ContentReader
/// @notice Tells contracts and callers what any shard holds: the OrderingHub on the hub, a mirror on each other chain.
/// @dev A call that does not revert is the proof. Roots come from what committees signed and nothing else, and those that are
/// kept (`orderRootAt`) stay good for ever, so a proof may be made long before it is used.
abstract contract ContentReader {
    /// @notice The epoch is not known here, or its seed is no longer.
    error EpochUnknown(uint64 epoch);

    /// @notice The blob falls to another quorum than `quorumId`, which certified it, or is promised for another epoch.
    error WrongQuorum(uint32 quorumId);

    /// @notice Requires that a checkpoint has its place in the order. Reverts with NotOrdered.
    function requireOrdered(OrderedCheckpoint calldata ordered) public view {
        ContentProofs.requireOrdered(orderRootAt(ordered.orderCount), ordered);
    }

    /// @notice Requires that a file is in a shard's log, which is ordered. Reverts like ContentProofs.
    function requireFile(FileProof calldata proof) external view {
        requireOrdered(proof.ordered);
        ContentProofs.requireFile(proof);
    }

    /// @notice Requires that a blob was certified by the quorum that it falls to, and the certificate taken by its shard, which
    /// is ordered. Its time may be over: `header.expiry` tells. Reverts with EpochUnknown or WrongQuorum, or like
    /// ContentProofs.
    function requireBlob(BlobProof calldata proof) external view {
        requireOrdered(proof.ordered);
        (uint64 epoch, uint32 quorumId) = ContentProofs.requireBlob(proof);
        _requireQuorum(proof.header, epoch, quorumId);
    }

    /// @notice Root over the first `count` checkpoints; zero where it is not known.
    function orderRootAt(uint64 count) public view virtual returns (bytes32);

    /// @dev Knows the epochs.
    function _epochSource() internal view virtual returns (IEpochSource);

    /// @dev The same rule as `DAEntrance.isAvailable`: a quorum certifies the blobs that fall to it.
    function _requireQuorum(BlobHeader calldata header, uint64 epoch, uint32 quorumId) private view {
        uint64 index = header.submissionIndex;
        if (BlobHeaders.isPromised(index) && BlobHeaders.epochOf(index) != epoch) revert WrongQuorum(quorumId);
        (,, bytes32 seed, uint32 groups) = _epochSource().epochInfo(epoch);
        if (groups == 0) revert EpochUnknown(epoch);
        uint32 expected = 0;
        if (groups > 1) {
            if (seed == 0) revert EpochUnknown(epoch);
            expected = BlobHeaders.quorumOfHeader(seed, groups - 1, header.submitter, index);
        }
        if (quorumId != expected) revert WrongQuorum(quorumId);
    }
}
