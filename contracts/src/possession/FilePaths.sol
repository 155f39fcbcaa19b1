// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title FilePaths
/// @notice Paths in a file's own tree: of n sectors, as many as the largest power of two below n are left of the root.
library FilePaths {
    /// @notice Root of a file of `sectors` sectors, padding included, in which `leaf` is the hash of sector `index`; zero where
    /// the path has another length than the sector is deep.
    /// @param path siblings from the leaf upwards
    function rootOf(bytes32 leaf, uint256 index, uint256 sectors, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= sectors) return 0;
        // Turns on the way down, the last one lowest: set where the sector is on the right.
        uint256 turns = 0;
        uint256 depth = 0;
        uint256 left = 1;
        while (left * 2 < sectors) left *= 2;
        for (; sectors > 1; ++depth) {
            while (left >= sectors) left /= 2;
            turns <<= 1;
            if (index < left) {
                sectors = left;
            } else {
                turns |= 1;
                index -= left;
                sectors -= left;
            }
        }
        if (path.length != depth) return 0;
        node = leaf;
        for (uint256 height = 0; height < depth; ++height) {
            bytes32 sibling = path[height];
            (bytes32 first, bytes32 second) = (turns >> height) & 1 == 1 ? (sibling, node) : (node, sibling);
            assembly ("memory-safe") {
                mstore(0x00, first)
                mstore(0x20, second)
                node := keccak256(0x00, 0x40)
            }
        }
    }
}
