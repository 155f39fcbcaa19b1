// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Leaves
/// @notice Roots and paths over lists of leaf hashes, level by level, without the code that they check.
library Leaves {
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        bytes32[][] memory levels = levelsOf(leaves);
        return levels[levels.length - 1][0];
    }

    /// @dev Siblings of leaf `index`, from the leaf up.
    function pathOf(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        bytes32[][] memory levels = levelsOf(leaves);
        path = new bytes32[](levels.length - 1);
        for (uint256 h = 0; h < path.length; ++h) {
            path[h] = levels[h][(index >> h) ^ 1];
        }
    }

    /// @dev Levels of the tree, filled up with zero leaves, from the leaves to the root.
    function levelsOf(bytes32[] memory leaves) internal pure returns (bytes32[][] memory levels) {
        uint256 depth = 0;
        while (2 ** depth < leaves.length) ++depth;
        levels = new bytes32[][](depth + 1);
        levels[0] = new bytes32[](2 ** depth);
        for (uint256 i = 0; i < leaves.length; ++i) {
            levels[0][i] = leaves[i];
        }
        for (uint256 h = 1; h <= depth; ++h) {
            levels[h] = new bytes32[](2 ** (depth - h));
            for (uint256 i = 0; i < levels[h].length; ++i) {
                levels[h][i] = keccak256(bytes.concat(hex"01", levels[h - 1][2 * i], levels[h - 1][2 * i + 1]));
            }
        }
    }
}
