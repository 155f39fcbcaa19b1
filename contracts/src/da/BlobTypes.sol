// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A blob that its submitter pays for now.
/// @param commitment what the codec makes of the payload
/// @param length payload in bytes
/// @param rowSize bytes in a row; follows from `length`, like `log2K`
/// @param suite 0 BLAKE3, 1 SHA-256
/// @param log2K logarithm of the number of data rows
/// @param cosets parity cosets, a constant of the network
/// @param retentionEpochs committee epochs for which the rows are kept once the current one is over
struct BlobSubmission {
    bytes32 commitment;
    uint64 length;
    uint32 rowSize;
    uint8 suite;
    uint8 log2K;
    uint8 cosets;
    uint16 retentionEpochs;
}

/// @notice A blob that its submitter has signed for and pays for out of a deposit when its batch is confirmed.
/// @param epoch committee epoch whose quorum takes the blob
/// @param slot number that the payer uses for one blob of this epoch only
/// @param signBy Unix seconds; quorum members refuse the promise later than that
/// @param maxFee wei; above it the promise is void
struct BlobPromise {
    bytes32 commitment;
    uint64 length;
    uint32 rowSize;
    uint8 suite;
    uint8 log2K;
    uint8 cosets;
    uint16 retentionEpochs;
    uint64 epoch;
    uint16 slot;
    uint64 signBy;
    uint256 maxFee;
}

/// @notice Why a leaf of a confirmed batch counts for nothing.
enum VoidReason {
    None,
    /// @dev The promise is for another epoch or another quorum than the one that signed.
    OtherQuorum,
    /// @dev Layout, suite or retention are not what the network allows.
    BadShape,
    /// @dev The slot has paid for another leaf.
    SlotTaken,
    /// @dev The fee is above the promise's `maxFee`.
    FeeAboveMax,
    /// @dev The payer's deposit does not hold the fee.
    DepositShort,
    /// @dev The same leaf stands in the batch before.
    Repeated
}
