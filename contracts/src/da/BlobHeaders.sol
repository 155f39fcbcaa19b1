// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {BlobLayout} from "./BlobLayout.sol";

/// @title BlobHeaders
/// @notice Leaves of a batch, and what the number of a submission says.
library BlobHeaders {
    /// @dev Set in the submission index of a promised blob.
    uint64 internal constant PROMISED = 1 << 63;

    /// @dev Bits of a promised index that hold the slot; the epoch stands above them.
    uint256 internal constant SLOT_BITS = 16;

    /// @notice Leaf of a batch: keccak-256 of 0x00 and the 88 bytes of `Statements.blobHeaderBody`.
    /// @dev Fields that stand together are hashed as one number; field by field it costs three times as much.
    /// @param params the header's first eight bytes, see `BlobLayout.pack`
    function leafOf(
        uint256 params,
        uint64 length,
        bytes32 commitment,
        address submitter,
        uint32 shardId,
        uint64 submissionIndex,
        uint64 expiry
    ) internal pure returns (bytes32) {
        uint136 first = uint136((params << 64) | length);
        uint256 origin = (uint256(uint160(submitter)) << 96) | (uint256(shardId) << 64) | submissionIndex;
        return keccak256(abi.encodePacked(first, commitment, origin, expiry));
    }

    /// @notice Leaf of a whole header, whose version is taken to be the layout's.
    function leafOfHeader(BlobHeader calldata header) internal pure returns (bytes32) {
        return leafOf(
            BlobLayout.pack(header.suite, header.log2K, header.cosets, header.rowSize),
            header.length,
            header.commitment,
            header.submitter,
            header.shardId,
            header.submissionIndex,
            header.expiry
        );
    }

    /// @notice Submission index of the promise for `slot` in `epoch`, which is below 2^47.
    function promisedIndexOf(uint64 epoch, uint16 slot) internal pure returns (uint64) {
        return PROMISED | (epoch << uint64(SLOT_BITS)) | slot;
    }

    /// @notice Whether the index is that of a promise.
    function isPromised(uint64 submissionIndex) internal pure returns (bool) {
        return submissionIndex & PROMISED != 0;
    }

    /// @notice Epoch in the index of a promise.
    function epochOf(uint64 submissionIndex) internal pure returns (uint64) {
        return (submissionIndex & ~PROMISED) >> uint64(SLOT_BITS);
    }

    /// @notice Quorum that takes submission `index`, out of `quorums` with data-availability duty.
    /// @dev Nobody chooses it: the seed was drawn before, and the contract counts submissions. For more than one quorum; a
    /// lone one has number 0 and takes everything.
    function quorumOf(bytes32 seed, uint256 quorums, uint64 index) internal pure returns (uint32) {
        return uint32(1 + uint256(keccak256(abi.encode(seed, index))) % quorums);
    }

    /// @notice Quorum that takes the promise of `payer` for `slot`. A payer can steer to a quorum by its choice of slot.
    function quorumOfPromise(bytes32 seed, uint256 quorums, address payer, uint16 slot)
        internal
        pure
        returns (uint32)
    {
        return uint32(1 + uint256(keccak256(abi.encode(seed, payer, slot))) % quorums);
    }

    /// @notice Quorum that takes the blob of a header, of either kind.
    function quorumOfHeader(bytes32 seed, uint256 quorums, address submitter, uint64 submissionIndex)
        internal
        pure
        returns (uint32)
    {
        if (isPromised(submissionIndex)) return quorumOfPromise(seed, quorums, submitter, uint16(submissionIndex));
        return quorumOf(seed, quorums, submissionIndex);
    }
}
