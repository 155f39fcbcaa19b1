// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IOrderSource
/// @notice The append-only order of checkpoints, whose root goes into every epoch header.
interface IOrderSource {
    /// @notice Root over all ordered checkpoints, and their number.
    function orderRoot() external view returns (bytes32 root, uint64 count);
}
