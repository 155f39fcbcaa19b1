// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Placement
/// @notice Which member of a quorum holds which rows of a blob of suite 1.
/// @dev Members' arcs follow one another round the circle of all rows, in the order of the snapshot, from an offset that the
/// commitment and the epoch's seed give.
library Placement {
    /// @dev Before what SHA-256 hashes for an offset.
    bytes1 private constant PLACEMENT = 0x05;

    /// @notice Rows of a member with `seats` of `totalWeight` in a quorum of `members`, out of `rows` in all.
    function arcRowsOf(uint256 rows, uint256 members, uint256 seats, uint256 totalWeight)
        internal
        pure
        returns (uint256)
    {
        return ((rows - members) * seats + totalWeight - 1) / totalWeight;
    }

    /// @notice Row at which the first member's arc begins.
    function offsetOf(bytes32 commitment, bytes32 seed, uint256 rows) internal pure returns (uint256) {
        return uint256(sha256(abi.encodePacked(PLACEMENT, commitment, seed))) % rows;
    }

    /// @notice Whether an arc of `arcRows` that begins `arcStart` rows behind the offset holds row `rowIndex`.
    function holds(uint256 offset, uint256 arcStart, uint256 arcRows, uint256 rowIndex, uint256 rows)
        internal
        pure
        returns (bool)
    {
        return rowIndex < rows && (rowIndex + 2 * rows - offset - arcStart) % rows < arcRows;
    }
}
